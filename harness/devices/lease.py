# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Leases: a real device serves one process at a time, on the whole machine.

A lease is a lock that all users of the machine share; the kernel drops it when its holder dies,
however it dies. Devices that live in memory (CPU, compile-only) need none. Of several boards any
will do: one that is believed, and not the one that a test failed on before.

Opening a board takes seconds, so whoever is done with one keeps it until somebody else wants it:
who waits says so by a second lock, which all who wait share.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bringup.harness.devices import device_history
from bringup.harness.devices.board import Board, boards_of
from bringup.harness.devices.machine_lock import Wait, is_wanted, machine_lock, wanting
from bringup.harness.records.variable_names import AVOID_VARIABLE
from bringup.harness.records.variables import VARIABLES

_LOOK_S = 0.1
"""Between two looks at several boards by one who waits for any of them."""
Waiting = Callable[[str], AbstractContextManager[None]]
"""Entered, with the device's name, while a lease is waited for."""


@contextlib.contextmanager
def no_waiting(_: str) -> Iterator[None]:
    """Nobody is told that a lease is waited for."""
    yield


def capacity(name: str) -> int | None:
    """How many processes may use the device at once; None for as many as like."""
    return len(boards_of(name)) or None


@dataclass
class Lease:
    """A board that this process holds until it lets it go."""

    board: Board
    _names: tuple[str, ...]
    _locks: contextlib.ExitStack

    def wanted(self) -> bool:
        """Does anybody wait for it, or for any of its kind?"""
        return any(is_wanted(name) for name in self._names)

    def release(self) -> None:
        """Let others have it."""
        self._locks.close()


def avoided() -> frozenset[str]:
    """The titles of boards that the test which runs is to be kept off."""
    return frozenset((VARIABLES[AVOID_VARIABLE].read() or "").split(","))


def take(name: str, waiting: Waiting = no_waiting) -> Lease | None:
    """Hold a board of the device; None for a device that needs no lease.

    Waits, within `waiting`, until whoever holds one, of whatever user, is done or dead. A board
    that the environment has to be avoided is taken only if no other is free.

    Raises:
        DeviceError: it cannot be leased.
    """
    boards = boards_of(name)
    if not boards:
        return None
    avoid = avoided()
    ranked = sorted(boards, key=lambda board: board.title in avoid)
    well = [b for b in ranked if not device_history.drained(b)] or ranked
    if (found := _any_free(well)) is not None:
        return found
    with waiting(name), contextlib.ExitStack() as wants:
        for one in sorted({n for board in well for n in board.names}):
            wants.enter_context(wanting(one))
        while (found := _any_free(well, patient=len(well) == 1)) is None:
            time.sleep(_LOOK_S)
    return found


def _any_free(boards: Iterable[Board], *, patient: bool = False) -> Lease | None:
    """A lease of the first that is free; `patient`: wait for it."""
    for board in boards:
        with contextlib.ExitStack() as locks:
            for one in board.names:
                if not locks.enter_context(machine_lock(one, Wait.LONG if patient else Wait.NOT)):
                    break
            else:
                return Lease(board, board.names, locks.pop_all())
    return None


@contextlib.contextmanager
def lease(name: str) -> Iterator[Board | None]:
    """Hold a board of the device for a while; waits until there is one. None: it has none.

    Raises:
        DeviceError: it cannot be leased.
    """
    held = take(name)
    try:
        yield held.board if held else None
    finally:
        if held is not None:
            held.release()
