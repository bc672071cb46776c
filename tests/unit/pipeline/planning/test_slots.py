# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Who may start while others wait for a board, and how many processes that is worth."""

import pytest

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.planning.slots import may_start, offered_to, processes_for
from bringup.pipeline.planning.work import group_of, units_of
from bringup.pipeline.planning.work_queue import WorkQueue

GIB = 1024**3


def a_test(model: str, device: str) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[full-eval]"
    return PlannedTest(identity_of(entry, device), nodeid_on(entry, device), estimate_s=10.0)


def test_who_waits_for_a_board_has_no_slot() -> None:
    assert may_start([], [], 1)
    assert not may_start(["a", "b"], [], 2)
    assert may_start(["a", "b"], ["a"], 2)
    assert not may_start(["a", "b", "c"], ["a"], 2)
    assert not may_start(["a"], ["gone"], 1), "who waits and does not run holds nothing either"


@pytest.mark.parametrize(
    ("boards", "gib", "expected"),
    [
        ({}, 64, 2),
        ({"n150": 1}, 64, 4),
        ({"n150": 1, "n300": 2}, 64, 5),  # of which one test waits, and not four
        ({"n150": 4}, 64, 8),
        ({"p150": 1}, 64, 2),
        ({"n150": 4}, 13, 3),
        ({"n150": 4}, 3, 2),
        ({"n150": 4}, None, 2),
    ],
)
def test_front_ends_run_ahead_of_boards_within_memory(
    boards: dict[str, int], gib: int | None, expected: int
) -> None:
    tests = [a_test(f"m{n}", device) for n in range(6) for device in ("cpu", "n150")]
    tests.append(a_test("other", "n300"))
    memory = None if gib is None else gib * GIB
    assert processes_for(2, tests, boards, memory, 4 * GIB) == expected


def test_whoever_has_loaded_what_waits_is_asked_first() -> None:
    first, second = a_test("a", "cpu"), a_test("b", "cpu")
    queue = WorkQueue(units_of([first]))
    idle = {"new": None, "other": group_of(second.identity), "own": group_of(first.identity)}
    assert offered_to(idle, queue) == ["own", "new", "other"]
    queue.take()
    assert offered_to(idle, queue) == ["new", "other", "own"]
