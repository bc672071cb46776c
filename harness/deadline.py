# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""When a test is ended that does not end by itself, and what does not count towards that."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bringup.harness.records.variable_names import DEADLINE_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.session import current

LONGEST_WAIT_S = 6 * 3600.0
"""A lease that takes longer has a holder that hangs where nobody can end it."""


class Timer:
    """What ends this process at its test's deadline, if anything does; its session has it."""

    def __init__(self) -> None:
        self._arm: Callable[[float], None] | None = None
        self._ends = 0.0

    def arm(self, arm: Callable[[float], None], seconds: float) -> None:
        """Have the process ended in so many seconds by `arm`, which may be called again."""
        self._arm, self._ends = arm, time.monotonic() + seconds
        arm(seconds)

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """What happens within does not count."""
        arm, left = self._arm, self._ends - time.monotonic()
        if arm is None:
            yield
            return
        self.arm(arm, LONGEST_WAIT_S + left)
        try:
            yield
        finally:
            self.arm(arm, left)


@dataclass
class Deadline:
    """Of one test, for all its testers."""

    moment: float | None
    """On the monotonic clock; None for never."""
    uncounted: float = 0.0
    """Seconds that did not count."""

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """What happens within does not count."""
        began = time.monotonic()
        try:
            with current().get(Timer).put_off():
                yield
        finally:
            waited = time.monotonic() - began
            self.uncounted += waited
            if self.moment is not None:
                self.moment += waited

    def left(self) -> float | None:
        """Seconds until it; None without one."""
        return None if self.moment is None else self.moment - time.monotonic()


def deadline_now() -> Deadline:
    """That of the test that begins now.

    The variable is a moment of the day, and is looked at once: what counts from then on is a clock
    that nobody sets and that stands still while the machine sleeps (clock_gettime(2),
    CLOCK_MONOTONIC, and not CLOCK_BOOTTIME: no test works meanwhile).
    """
    moment: float | None = VARIABLES[DEADLINE_VARIABLE].read()
    return Deadline(time.monotonic() + moment - time.time() if moment else None)
