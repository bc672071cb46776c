# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a free worker runs next, and how that looks to xdist."""

import heapq
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.planning.work import Group, Needs, WorkUnit, group_of, units_of
from bringup.pipeline.planning.work_queue import WorkQueue
from bringup.pipeline.running.xdist_scheduling import PlanScheduling, Room
from tests.benchmarks.scheduling.parts import with_boards


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
    """What a free worker is given while `running` run on others."""
    queue = WorkQueue(units_of([*tests, *running]), capacities)
    for test in running:
        queue.take(accepts=lambda unit, key=test.identity.key: unit.key == key)
    last_group = group_of(last.identity) if last else None
    found = queue.take(last_group, len(running) + 1)
    return found.key if found else None


def order(tests: list[PlannedTest]) -> list[str]:
    """The models of what one worker is given, one after the other."""
    queue, models = WorkQueue(units_of(tests)), []
    while unit := queue.take():
        models.append(unit.group.model)
        queue.done(unit.key)
    return models


def test_the_longest_first() -> None:
    assert order([a_test("a", seconds=1), a_test("b", seconds=3)]) == ["b", "a"]


def test_an_unknown_length_is_taken_up_early_and_not_before_the_longest() -> None:
    tests = [a_test(f"m{i}", seconds=i + 1) for i in range(40)] + [a_test("new", seconds=None)]
    assert 0 < order(tests).index("new") < 5


def test_of_nothing_known_everything_is_run() -> None:
    tests = [a_test(f"m{i}", seconds=None) for i in range(3)]
    assert sorted(order(tests)) == ["m0", "m1", "m2"]


def test_a_group_of_many_counts_as_one_long_test() -> None:
    tests = [a_test("a", f"d{i}", seconds=1) for i in range(20)]
    tests += [a_test(f"b{i}", seconds=1.5) for i in range(20)]
    assert chosen(tests) == "a[full-eval]@d0"


def test_a_worker_stays_with_its_group_while_the_longest_is_in_time() -> None:
    tests = [a_test(f"m{i}", seconds=60) for i in range(9)] + [a_test("a", "n150", seconds=1)]
    last = a_test("a", "cpu")
    assert chosen(tests, last=last) == "a[full-eval]@n150"
    running = [a_test(f"r{i}") for i in range(7)]
    long = a_test("long", seconds=600)
    assert chosen([*tests, long], running, last=last) == "long[full-eval]@cpu"


def test_a_worker_takes_a_group_that_nobody_is_at() -> None:
    tests = [a_test("a", f"d{i}", seconds=5) for i in range(20)]
    tests += [a_test("b", f"d{i}", seconds=4) for i in range(20)]
    assert chosen(tests, running=[a_test("a", "cpu")]) == "b[full-eval]@d0"


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


def test_what_comes_after_a_unit_waits_until_that_is_done() -> None:
    front, back = units_of([a_test("a", "cpu"), a_test("a", "n150")])
    back = replace(back, after=front.key)
    queue = WorkQueue([back, front])
    assert queue.take() == front and len(queue) == 1
    assert queue.take() is None
    queue.done(front.key)
    assert queue.take() == back and len(queue) == 0


def test_what_was_given_back_is_taken_again_and_what_was_dropped_is_not() -> None:
    queue = WorkQueue(units_of([a_test("a"), a_test("b"), a_test("c")]))
    first = queue.take()
    assert first is not None
    queue.give_back(first.key)
    queue.drop(["c[full-eval]@cpu"])
    taken = {u.key for u in (queue.take(), queue.take()) if u}
    assert taken == {"a[full-eval]@cpu", "b[full-eval]@cpu"}
    assert queue.take() is None


GIB = 1024**3


def needing(*gib: float) -> list[WorkUnit]:
    plain = units_of([a_test(f"m{i}") for i in range(len(gib))])
    return [replace(u, needs=Needs(memory=int(g * GIB))) for u, g in zip(plain, gib, strict=True)]


def test_two_tests_of_13_gib_do_not_run_together_on_24() -> None:
    queue = WorkQueue(needing(13, 13, 4), memory=24 * GIB)
    first, second = queue.take(), queue.take()
    assert first and second
    assert {first.needs.memory // GIB, second.needs.memory // GIB} == {13, 4}
    assert queue.take() is None
    queue.done(second.key)
    assert queue.take() is None
    queue.done(first.key)
    assert queue.take() is not None


def test_an_exclusive_unit_has_its_host_to_itself() -> None:
    one, *others = needing(0, 0, 0)
    one = replace(one, needs=Needs(exclusive=True), seconds=99, long_s=99)
    queue = WorkQueue([one, *others])
    assert queue.take() == one
    assert queue.take() is None
    queue.done(one.key)
    assert queue.take() and queue.take()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.floats(0, 30)), max_size=40),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_whatever_is_pulled_every_unit_runs_once_and_no_budget_is_exceeded(
    drawn: list[tuple[int, str, float]], workers: int, chance: random.Random
) -> None:
    """What needs more than there is runs too, alone."""
    plain = units_of([a_test(f"m{m}", f"d{i}") for i, (m, _, _) in enumerate(drawn)])
    units = [
        replace(u, needs=Needs(kind, int(gib * GIB), exclusive=chance.random() < 0.1), long_s=gib)
        for u, (_, kind, gib) in zip(plain, drawn, strict=True)
    ]
    queue = WorkQueue(units, {"a": 1, "b": 2}, 24 * GIB)
    running: list[WorkUnit] = []
    done: list[str] = []
    while queue or running:
        while len(running) < workers and (unit := queue.take(None, workers)):
            running.append(unit)
        assert running, "something can always start where nothing runs"
        kinds = Counter(u.needs.kind for u in running)
        assert kinds["a"] <= 1 and kinds["b"] <= 2
        assert len(running) == 1 or sum(u.needs.memory for u in running) <= 24 * GIB
        assert len(running) == 1 or not any(u.needs.exclusive for u in running)
        ended = running.pop(chance.randrange(len(running)))
        if chance.random() < 0.2:
            queue.give_back(ended.key)
        else:
            queue.done(ended.key)
            done.append(ended.key)
    assert sorted(done) == sorted(u.key for u in units)


def simulate(
    tests: list[PlannedTest], workers: int, capacities: dict[str, int]
) -> tuple[float, int]:
    """Play a run: the seconds it takes, and how often a worker had to load another model."""
    queue = WorkQueue(units_of(tests), capacities)
    running: list[tuple[float, int, str]] = []
    idle = list(range(workers))
    last: dict[int, Group] = {}
    now, loads = 0.0, 0
    while queue or running:
        for worker in list(idle):
            found = queue.take(last.get(worker), workers)
            if found is None:
                continue
            loads += last.get(worker) != found.group
            last[worker] = found.group
            idle.remove(worker)
            heapq.heappush(running, (now + found.seconds, worker, found.key))
            per_device = Counter(u.needs.kind for u in queue.running.values())
            assert all(per_device[device] <= most for device, most in capacities.items())
        now, worker, key = heapq.heappop(running)
        queue.done(key)
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
    assert took <= 1.06 * seconds_of(tests) / workers
    assert loads <= 40 + workers


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
    scheduling = PlanScheduling(tests)
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
    scheduling = PlanScheduling(tests)
    scheduling.add_node(RecordingNode())
    assert not scheduling.collection_is_completed
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_long_test_holds_no_other_test_back() -> None:
    tests = [a_test("long", seconds=900), a_test("b", seconds=1), a_test("c", seconds=1)]
    scheduling = PlanScheduling(tests)
    first, second = ready(scheduling, tests), ready(scheduling, tests)
    scheduling.mark_test_complete(second, 2)
    scheduling.mark_test_complete(second, 4)
    assert (first.sent, second.sent) == ([[0, 1]], [[2, 3], [4, 5]])
    assert scheduling.has_pending and not scheduling.tests_finished


def test_a_dead_worker_costs_the_test_it_ran_and_no_other() -> None:
    tests = [a_test("a"), a_test("b")]
    scheduling = PlanScheduling(tests)
    node = ready(scheduling, tests)
    assert scheduling.remove_node(node) == tests[0].nodeid
    again = ready(scheduling, tests)
    assert again.sent == [[2, 3]]
    scheduling.mark_test_complete(again, 2)
    assert scheduling.tests_finished


def test_what_others_run_is_gone_and_their_models_are_left_to_them() -> None:
    """Of a run that several share: whoever finds a test taken goes to a model nobody is at."""
    shared = [a_test("a", "cpu", 9), a_test("a", "n150", 8)]
    tests = [*shared, *(a_test(f"b{i}", seconds=9.5) for i in range(40))]
    taken = {shared[0].identity.key}
    scheduling = PlanScheduling(tests, claim=lambda key: key not in taken)
    node = ready(scheduling, tests)
    assert shared[0].identity.key not in scheduling.queue.waiting
    (index, _), *_ = node.sent
    assert tests[index // 2].identity.model.startswith("b")
    taken |= {t.identity.key for t in tests}
    scheduling.mark_test_complete(node, index)
    assert node.shutting_down and scheduling.tests_finished


def test_a_test_that_never_started_is_given_to_another_worker() -> None:
    tests = [a_test("a")]
    scheduling = PlanScheduling(tests)
    node = ready(scheduling, tests)
    scheduling.give_back(node)
    assert scheduling.remove_node(node) is None
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_worker_that_died_unnoticed_loses_nothing() -> None:
    tests = [a_test("a")]
    scheduling = PlanScheduling(tests)
    node = RecordingNode()
    node.dead = True
    scheduling.add_node(node)
    scheduling.add_node_collection(node, collection(tests))
    scheduling.schedule()
    assert scheduling.remove_node(node) is None
    assert ready(scheduling, tests).sent == [[0, 1]]


def test_a_worker_waits_for_a_busy_device_and_is_woken() -> None:
    tests = [a_test("a", "n150"), a_test("b", "n150")]
    scheduling = PlanScheduling(tests, Room({"n150": 1}))
    first, second = ready(scheduling, tests), ready(scheduling, tests)
    assert (first.sent, second.sent) == ([[0, 1]], [])
    scheduling.mark_test_complete(first, 0)
    assert [first.sent, second.sent].count([]) == 1 or second.sent
    assert scheduling.has_pending and not scheduling.queue


def test_what_no_worker_collected_does_not_keep_the_session_alive() -> None:
    tests = [a_test("a"), a_test("gone")]
    scheduling = PlanScheduling(tests)
    node = ready(scheduling, tests[:1])
    scheduling.mark_test_complete(node, 0)
    assert scheduling.tests_finished and node.shutting_down


def test_a_worker_may_have_collected_in_another_order() -> None:
    tests = [a_test("a", seconds=5), a_test("b", seconds=1)]
    scheduling = PlanScheduling(tests)
    assert ready(scheduling, tests[::-1]).sent == [[2, 3]]


@pytest.mark.parametrize(("held", "begun"), [(1.0, 1), (0.9, 2), (0.7, 5), (0.0, 9)])
def test_front_ends_run_ahead_of_a_board_that_tests_hold_for_a_part(
    held: float, begun: int
) -> None:
    """Of nine tests on one board, by workers of whom there are enough."""
    tests = [
        msgspec.structs.replace(a_test(f"m{n}", "n150", seconds=10), estimate_device_s=10 * held)
        for n in range(9)
    ]
    queue = WorkQueue(units_of(tests), {"n150": 1})
    taken = [unit for _ in range(9) if (unit := queue.take(None, 9))]
    assert len(taken) == begun
    queue.done(taken[0].key)
    assert (queue.take(None, 9) is not None) is (begun < 9)


def test_a_worker_prefers_of_its_model_what_runs_where_few_are() -> None:
    tests = [
        msgspec.structs.replace(a_test(model, device, seconds=s), estimate_device_s=s / 4)
        for model in ("a", "b", "c")
        for device, s in (("n150", 20), ("n300", 10))
    ]
    queue = WorkQueue(units_of(tests), {"n150": 1, "n300": 1})
    first = [queue.take(None, 3) for _ in range(3)]
    assert {unit.needs.kind for unit in first if unit} == {"n150"}
    for unit in first[:1]:
        assert unit is not None
        queue.done(unit.key)
        following = queue.take(unit.group, 3)
        assert following is not None
        assert (following.group, following.needs.kind) == (unit.group, "n300")


def on_board(model: str, front_s: float, device_s: float) -> PlannedTest:
    test = a_test(model, "n150", seconds=front_s + device_s)
    return msgspec.structs.replace(test, estimate_device_s=device_s, estimate_front_s=front_s)


def test_a_board_is_given_work_before_it_has_nothing_to_do() -> None:
    """The longest of all comes once there is enough on its way until its front end is through."""
    tests = [on_board("short", 1, 9), on_board("middle", 8, 20), on_board("long", 32, 40)]
    queue = WorkQueue(units_of(tests), {"n150": 1})
    taken = [unit.group.model for _ in tests if (unit := queue.take(None, 8))]
    assert taken == ["short", "middle", "long"]


def test_who_is_through_with_a_board_is_counted_on_it_no_longer() -> None:
    units = units_of([on_board(f"m{n}", 1, 9) for n in range(4)])
    queue = WorkQueue(units, {"n150": 1})
    begun = [unit for _ in units if (unit := queue.take(None, 4))]
    assert len(begun) == 2
    queue.left_device(begun[0].key)
    queue.left_device(begun[0].key)
    queue.left_device("nobody's")
    assert queue.take(None, 4) is not None and queue.take(None, 4) is None
    queue.done(begun[0].key)
    assert queue.take(None, 4) is None, "it was off its board already"
    queue.give_back(begun[1].key)
    assert queue.take(None, 4) is not None


def test_with_boards_a_night_is_near_its_bound_and_models_are_loaded_once() -> None:
    """By the simulation of the benchmark; a board for the whole test took 2.4 and 2 loads."""
    played = [with_boards(seed, ("cpu", "n150"), 4) for seed in range(4)]
    assert max(ratio for ratio, _ in played) < 1.05
    assert max(loads for _, loads in played) < 1.05


def test_a_device_that_runs_several_at_a_time_needs_as_much_less() -> None:
    """A fourth of 260 s is less than 80 s on a device of one, more than 40 s on one of two."""
    tests = [a_test("board", "n150", seconds=80)]
    tests += [a_test("a", device, seconds=90) for device in ("cpu", "p150")]
    running = [a_test(f"other{i}", "cpu") for i in range(3)]
    assert chosen(tests, running, {"n150": 1}) == "board[full-eval]@n150"
    assert chosen(tests, running, {"n150": 2}) == "a[full-eval]@cpu"


def test_what_nothing_is_known_of_leaves_as_much_memory_for_each_worker() -> None:
    tests = [a_test(f"m{i}") for i in range(3)]
    large, small = (PlanScheduling(tests, Room(memory=gib * GIB, workers=2)) for gib in (9, 2))
    for scheduling in (large, small):
        assert all(ready(scheduling, tests).sent for _ in range(2))
        assert not ready(scheduling, tests).sent


def test_what_a_worker_died_of_beside_others_is_run_again_alone() -> None:
    tests = [a_test("a", seconds=9), a_test("b", seconds=5), a_test("c", seconds=1)]
    scheduling = PlanScheduling(tests)
    first, second = ready(scheduling, tests), ready(scheduling, tests)
    assert scheduling.again_alone(first)
    assert scheduling.remove_node(first) is None
    scheduling.mark_test_complete(second, 2)
    third = ready(scheduling, tests)
    assert (second.sent, third.sent) == ([[2, 3], [0, 1]], [])
    assert not scheduling.again_alone(second), "it was alone"
    scheduling.mark_test_complete(second, 0)
    assert [4, 5] in (second.sent[-1], *third.sent)


def test_a_test_of_two_boards_waits_until_two_are_free() -> None:
    pair, *singles = [replace(u, needs=Needs("n150")) for u in needing(0, 0, 0)]
    pair = replace(pair, needs=Needs("n150", chips=2))
    queue = WorkQueue([pair, *singles], {"n150": 2})
    first = queue.take(accepts=lambda unit: unit != pair)
    assert first is not None and queue.take(accepts=lambda unit: unit == pair) is None
    queue.done(first.key)
    assert queue.take(accepts=lambda unit: unit == pair) == pair
    assert queue.take() is None
