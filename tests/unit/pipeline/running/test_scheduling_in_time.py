# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests are handed out while there is time for them, and what was left out after the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import PlannedTest, Turn
from bringup.pipeline.running.xdist_scheduling import PlanScheduling, Room


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class RecordingNode:
    sent: list[int] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.sent.append(indices[0])

    def shutdown(self) -> None:
        self.shutting_down = True


def a_test(model: str, seconds: float, place: int, *, in_time: bool) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[full-eval]"
    return PlannedTest(
        identity=identity_of(entry, "cpu"),
        nodeid=nodeid_on(entry, "cpu"),
        estimate_s=seconds,
        turn=Turn(place, in_time, seconds, "new: nobody ran it"),
    )


def told(
    tests: Sequence[PlannedTest], clock: Clock, until: float | None, takes: float
) -> tuple[list[str], PlanScheduling]:
    """The models that one worker is given, each of which takes so long."""
    scheduling = PlanScheduling(tests, Room(until=until), clock=clock)
    node = RecordingNode()
    scheduling.add_node(node)
    scheduling.add_node_collection(
        node, [each for t in tests for each in (t.nodeid, f"{t.nodeid} (rest)")]
    )
    scheduling.schedule()
    done: list[str] = []
    while len(done) < len(node.sent):
        index = node.sent[len(done)]
        done.append(tests[index // 2].identity.model)
        clock.now += takes
        scheduling.mark_test_complete(node, index)
    assert node.shutting_down and scheduling.tests_finished
    return done, scheduling


TESTS = [
    a_test("short", 10.0, 1, in_time=True),
    a_test("long", 60.0, 2, in_time=True),
    a_test("second", 20.0, 4, in_time=False),
    a_test("first", 20.0, 3, in_time=False),
    a_test("huge", 500.0, 5, in_time=False),
]


def test_what_was_left_out_runs_after_the_others_in_its_turn_if_time_is_left() -> None:
    done, _ = told(TESTS, Clock(), 100.0, takes=5.0)
    assert done == ["long", "short", "first", "second"], "and nothing that cannot be done in time"


def test_a_test_that_cannot_be_done_in_time_is_not_begun() -> None:
    done, _ = told(TESTS, Clock(), 100.0, takes=85.0)
    assert done == ["long", "short"], "85 s are over, and 10 s fit into 15 s"
    done, _ = told(TESTS, Clock(), 100.0, takes=95.0)
    assert done == ["long"]
    done, _ = told(TESTS, Clock(200.0), 100.0, takes=1.0)
    assert done == []


def test_without_a_limit_a_turn_is_no_reason_to_wait() -> None:
    done, _ = told(TESTS, Clock(), None, takes=5.0)
    assert sorted(done) == ["first", "huge", "long", "second", "short"]
    plain = [msgspec.structs.replace(test, turn=None) for test in TESTS]
    assert len(told(plain, Clock(), 100.0, takes=5.0)[0]) == 5, "of these no time is known"


def test_a_worker_that_dies_leaves_the_rest_to_the_others() -> None:
    clock = Clock()
    scheduling = PlanScheduling(TESTS, Room(until=100.0, workers=2), clock=clock)
    nodes = [RecordingNode(), RecordingNode()]
    for node in nodes:
        scheduling.add_node(node)
        names = [each for t in TESTS for each in (t.nodeid, f"{t.nodeid} (rest)")]
        scheduling.add_node_collection(node, names)
    scheduling.schedule()
    assert all(len(node.sent) == 1 for node in nodes)
    assert scheduling.remove_node(nodes[0]) and scheduling.anything_left
    scheduling.mark_test_complete(nodes[1], nodes[1].sent[0])
    assert len(nodes[1].sent) == 2, "one that was left out"
