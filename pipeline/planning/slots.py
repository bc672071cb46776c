# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Slots: how many tests compute at a time, while others wait for a board.

A test needs a processor for its front end and for verification, and a board in between. While it
waits for its board it computes nothing, so it gives its slot back, and another test's front end
runs meanwhile, in a process of its own. Once it has its board it goes on at once, if need be over
the number of slots: a board that waits for a slot is lost, a processor that one more process shares
is not. Nothing new starts until fewer compute than there are slots. So nobody who holds anything
waits for anything else, and no order of events can lock up.

Pure functions; the session and the simulation of `nox -s bench -- scheduling` both follow them.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.planning.work import Group
from bringup.pipeline.planning.work_queue import WorkQueue

Worker = TypeVar("Worker")

WAITING_AHEAD = 2
"""Processes beside those that compute, for each board: that many wait for it with their front ends
through. By simulation of 60 models, see `nox -s bench`: with one a night takes 1.09 times the bound
where it takes 1.05 with two, and a third gains nothing."""


def may_start(running: Collection[str], waiting: Collection[str], slots: int) -> bool:
    """May one test more begin, beside those that run, of which some wait for a board?"""
    return sum(key not in waiting for key in running) < slots


def offered_to(idle: Mapping[Worker, Group | None], queue: WorkQueue) -> list[Worker]:
    """Idle workers, each with the model it has loaded, in the order in which they are asked: first
    whoever's model has tests that wait."""
    return sorted(idle, key=lambda worker: not queue.waits_of(idle[worker]))


def processes_for(
    slots: int,
    tests: Iterable[PlannedTest],
    boards: Mapping[str, int],
    memory: int | None,
    memory_each: int,
) -> int:
    """How many processes run tests where `slots` compute at a time.

    `boards` are how many of a device are leased, `memory` the bytes there are (None: unknown, and
    nobody runs ahead), `memory_each` what a process is reckoned with.
    """
    on_board = [t.identity.device for t in tests if t.identity.device in boards]
    useful = sum(min(boards[d] * WAITING_AHEAD, on_board.count(d)) for d in set(on_board))
    room = 0 if memory is None else memory // memory_each
    return slots + max(min(useful, room - slots), 0)
