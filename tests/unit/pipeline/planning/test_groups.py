# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a free worker runs next, and how that looks to xdist."""

import heapq
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.planning.groups import Group, Waiting, group_of, longest_first, next_test
from bringup.pipeline.running.xdist_scheduling import PlanScheduling


def a_test(model: str, device: str = "cpu", seconds: float | None = 10.0) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[full-eval]"
    return PlannedTest(
        identity=identity_of(entry, device), nodeid=nodeid_on(entry, device), estimate_s=seconds
    )


def chosen(
    tests: list[PlannedTest],
    running: Sequence[PlannedTest] = (),
    capacities: dict[str, int] | None = None,
    last: PlannedTest | None = None,
) -> str | None:
    last_group = group_of(last.identity) if last else None
    found = next_test(longest_first(tests), longest_first(running), capacities or {}, last_group)
    return found.test.identity.key if found else None


def test_the_longest_first() -> None:
    assert chosen([a_test("a", seconds=1), a_test("b", seconds=3)]) == "b[full-eval]@cpu"


def test_an_unknown_length_is_taken_to_be_a_median_one() -> None:
    tests = [a_test("a", seconds=1), a_test("b", seconds=None), a_test("c", seconds=9)]
    tests.append(a_test("d", seconds=5))
    assert [w.test.identity.model for w in longest_first(tests)] == ["c", "b", "d", "a"]


def test_a_group_of_many_counts_as_one_long_test() -> None:
    tests = [a_test("a", f"d{i}", seconds=4) for i in range(3)] + [a_test("b", seconds=10)]
    assert chosen(tests) == "a[full-eval]@d0"


def test_a_worker_stays_with_its_group() -> None:
    tests = [a_test("a", "n150", seconds=1), a_test("b", seconds=99)]
    assert chosen(tests, last=a_test("a", "cpu")) == "a[full-eval]@n150"


def test_a_worker_takes_a_group_that_nobody_is_at() -> None:
    tests = [a_test("a", "n150", seconds=50), a_test("b", seconds=1)]
    assert chosen(tests, running=[a_test("a", "cpu")]) == "b[full-eval]@cpu"


def test_no_worker_idles_while_a_group_can_be_split() -> None:
    assert chosen([a_test("a", "n150")], running=[a_test("a", "cpu")]) == "a[full-eval]@n150"


def test_a_device_at_capacity_waits_and_others_do_not() -> None:
    tests = [a_test("a", "n150", seconds=50), a_test("b", "cpu", seconds=1)]
    running = [a_test("c", "n150")]
    assert chosen(tests, running, {"n150": 1}) == "b[full-eval]@cpu"
    assert chosen(tests, running, {"n150": 2}) == "a[full-eval]@n150"
    assert chosen(tests[:1], running, {"n150": 1}) is None
    assert chosen(tests[:1], [], {"n150": 1}) == "a[full-eval]@n150"


def test_an_empty_queue_has_nothing() -> None:
    assert chosen([]) is None


def simulate(
    tests: list[PlannedTest], workers: int, capacities: dict[str, int]
) -> tuple[float, int]:
    """Play a run: the seconds it takes, and how often a worker had to load another model."""
    queue = longest_first(tests)
    running: list[tuple[float, int, Waiting]] = []
    idle = list(range(workers))
    last: dict[int, Group] = {}
    now, loads = 0.0, 0
    while queue or running:
        for worker in list(idle):
            busy = [w for _, _, w in running]
            found = next_test(queue, busy, capacities, last.get(worker))
            if found is None:
                continue
            loads += last.get(worker) != found.group
            last[worker] = found.group
            idle.remove(worker)
            queue.remove(found)
            heapq.heappush(running, (now + found.seconds, worker, found))
            per_device = Counter(w.device for _, _, w in running)
            assert all(per_device[device] <= most for device, most in capacities.items())
        now, worker, _ = heapq.heappop(running)
        idle.append(worker)
    return now, loads


def a_night(seed: int) -> list[PlannedTest]:
    dice = random.Random(seed)
    devices = ["cpu", "iree", "n150", "p150"]
    return [a_test(f"m{m}", d, seconds=dice.uniform(1, 60)) for m in range(40) for d in devices]


def seconds_of(tests: Sequence[PlannedTest]) -> float:
    return sum(t.estimate_s or 0.0 for t in tests)


@pytest.mark.parametrize("workers", [1, 3, 8, 16])
def test_a_night_is_near_the_lower_bound_and_loads_most_models_once(workers: int) -> None:
    tests = a_night(workers)
    took, loads = simulate(tests, workers, {})
    assert took <= 1.05 * seconds_of(tests) / workers
    assert loads <= 40 + 2 * workers


@pytest.mark.parametrize("workers", [2, 8, 16])
def test_a_scarce_device_is_kept_busy(workers: int) -> None:
    tests = a_night(workers)
    took, _ = simulate(tests, workers, {"n150": 1})
    scarce = seconds_of([t for t in tests if t.identity.device == "n150"])
    assert took <= 1.1 * max(seconds_of(tests) / workers, scarce)


# --- the protocol ---------------------------------------------------------------------------


class RecordingNode:
    """Stands in for xdist's controller of a worker: it only remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Sequence[int]] = []
        self.shutting_down = False
        self.dead = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        if self.dead:
            raise OSError("cannot send (already closed?)")
        self.sent.append(list(indices))

    def shutdown(self) -> None:
        self.shutting_down = True


def collection(tests: Sequence[PlannedTest]) -> list[str]:
    return [each for t in tests for each in (t.nodeid, f"{t.nodeid} (rest)")]


def ready(scheduling: PlanScheduling, tests: Sequence[PlannedTest]) -> RecordingNode:
    node = RecordingNode()
    scheduling.add_node(node)
    scheduling.add_node_collection(node, collection(tests))
    scheduling.schedule()
    return node


def test_a_worker_gets_one_test_and_its_rest_at_a_time() -> None:
    tests = [a_test("a", seconds=1), a_test("b", seconds=2)]
    scheduling = PlanScheduling(tests, {})
    node = ready(scheduling, tests)
    assert node.sent == [[2, 3]]
    scheduling.mark_test_complete(node, 2)
    assert node.sent == [[2, 3], [0, 1]]
    scheduling.mark_test_complete(node, 3)
    assert not scheduling.tests_finished
    scheduling.mark_test_complete(node, 0)
    assert scheduling.tests_finished
    assert node.shutting_down


def test_nobody_waits_for_a_worker_that_is_still_collecting() -> None:
    tests = [a_test("a"), a_test("b")]
    scheduling = PlanScheduling(tests, {})
    scheduling.add_node(RecordingNode())
    assert not scheduling.collection_is_completed
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_long_test_holds_no_other_test_back() -> None:
    tests = [a_test("long", seconds=900), a_test("b", seconds=1), a_test("c", seconds=1)]
    scheduling = PlanScheduling(tests, {})
    first, second = ready(scheduling, tests), ready(scheduling, tests)
    scheduling.mark_test_complete(second, 2)
    scheduling.mark_test_complete(second, 4)
    assert (first.sent, second.sent) == ([[0, 1]], [[2, 3], [4, 5]])
    assert scheduling.has_pending and not scheduling.tests_finished


def test_a_dead_worker_costs_the_test_it_ran_and_no_other() -> None:
    tests = [a_test("a"), a_test("b")]
    scheduling = PlanScheduling(tests, {})
    node = ready(scheduling, tests)
    assert scheduling.remove_node(node) == tests[0].nodeid
    again = ready(scheduling, tests)
    assert again.sent == [[2, 3]]
    scheduling.mark_test_complete(again, 2)
    assert scheduling.tests_finished


def test_a_test_that_never_started_is_given_to_another_worker() -> None:
    tests = [a_test("a")]
    scheduling = PlanScheduling(tests, {})
    node = ready(scheduling, tests)
    scheduling.give_back(node)
    assert scheduling.remove_node(node) is None
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_worker_that_died_unnoticed_loses_nothing() -> None:
    tests = [a_test("a")]
    scheduling = PlanScheduling(tests, {})
    node = RecordingNode()
    node.dead = True
    scheduling.add_node(node)
    scheduling.add_node_collection(node, collection(tests))
    scheduling.schedule()
    assert scheduling.remove_node(node) is None
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_worker_waits_for_a_busy_device_and_is_woken() -> None:
    tests = [a_test("a", "n150"), a_test("b", "n150")]
    scheduling = PlanScheduling(tests, {"n150": 1})
    first, second = ready(scheduling, tests), ready(scheduling, tests)
    assert (first.sent, second.sent) == ([[0, 1]], [])
    scheduling.mark_test_complete(first, 0)
    assert [first.sent, second.sent].count([]) == 1 or second.sent
    assert scheduling.has_pending and not scheduling.queue


def test_what_no_worker_collected_does_not_keep_the_session_alive() -> None:
    tests = [a_test("a"), a_test("gone")]
    scheduling = PlanScheduling(tests, {})
    node = ready(scheduling, tests[:1])
    scheduling.mark_test_complete(node, 0)
    assert scheduling.tests_finished and node.shutting_down


def test_a_worker_may_have_collected_in_another_order() -> None:
    tests = [a_test("a", seconds=5), a_test("b", seconds=1)]
    scheduling = PlanScheduling(tests, {})
    assert ready(scheduling, tests[::-1]).sent == [[2, 3]]


def test_a_device_that_runs_several_at_a_time_needs_as_much_less() -> None:
    """A fourth of 280 s is less than 100 s on a device of one, more than 50 s on one of two."""
    tests = [a_test("board", "n150", seconds=100)]
    tests += [a_test("a", device, seconds=90) for device in ("cpu", "p150")]
    running = [a_test(f"other{i}", "cpu") for i in range(3)]
    assert chosen(tests, running, {"n150": 1}) == "board[full-eval]@n150"
    assert chosen(tests, running, {"n150": 2}) == "a[full-eval]@cpu"
