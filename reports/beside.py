# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is written by a process of its own, while this one goes on with the rest.

The cells of 200,000 ops, and half of 100,000 pages, need nothing of the rest of a large night's
report, so two cores halve it. The process is forked: it has what was read, and what it sends back
is what came of it, never what it read.
"""

import os
import pickle
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_S = 900.0
"""A process that has not answered for so long after all else was written hangs."""
WORTH_IT = 20_000
"""Op rows, or pages, from which on a process is begun; below, that is most of the work."""


def is_worth_it(rows: int) -> bool:
    """Is there enough to do, a core to do it on, and no thread that a fork would cut off?"""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return rows >= WORTH_IT and cores > 1 and threading.active_count() == 1


class ProcessEnded(Exception):
    """A process beside this one died or was ended before it gave what it made; says how."""


class Beside(Generic[T]):
    """Something that is made in a process forked off this one."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Begin; what `make` gives has a pickle."""
        self._reader, writer = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._reader)
            _make(make, writer)
        os.close(writer)

    def result(self, longest_s: float = LONGEST_S) -> T:
        """Wait for it.

        Raises:
            ProcessEnded: its process died, or gave no answer for so many seconds and was killed.
        """
        said = self._said(longest_s)
        if said is None:
            self.give_up()
            raise ProcessEnded(f"its process gave no answer for {longest_s:g} s, and was ended")
        os.close(self._reader)
        _, status = os.waitpid(self._process, 0)
        code = os.waitstatus_to_exitcode(status)
        if said and not code:
            found: T = pickle.loads(said)  # of our own process
            return found
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise ProcessEnded(f"its process ended with {how}")

    def _said(self, longest_s: float) -> bytes | None:
        """All that it sends until it ends; None if that takes longer."""
        parts: list[bytes] = []
        until = time.monotonic() + longest_s
        while select.select([self._reader], [], [], max(until - time.monotonic(), 0.0))[0]:
            part = os.read(self._reader, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
        return None

    def give_up(self) -> None:
        """End it; whoever wanted it is gone."""
        os.close(self._reader)
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _make(make: Callable[[], object], writer: int) -> None:
    """What the new process does, up to its end."""
    code = 1
    try:
        found = pickle.dumps(make())
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(found)
        code = 0
    finally:
        os._exit(code)  # nothing that belongs to the first process is closed or flushed
