# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Formats that write in a process of their own, while this one goes on with the others.

The cells of 200,000 ops are two thirds of a large night's report and need nothing of the rest, so
two cores halve it. The process is forked: it has what was read, and what it sends back is what came
of its formats (`Attempts`), never what they read.
"""

import os
import pickle
import select
import signal
import threading
import time
from collections.abc import Callable

from bringup.reports.attempts import Attempts

LONGEST_S = 900.0
"""A process that has not answered for so long after all else was written hangs."""
WORTH_IT = 20_000
"""Op rows from which on a process of its own is begun; below, that is most of the work."""


def is_worth_it(rows: int) -> bool:
    """Is there enough to do, a core to do it on, and no thread that a fork would cut off?"""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return rows >= WORTH_IT and cores > 1 and threading.active_count() == 1


class Beside:
    """Something that is made in a process forked off this one."""

    def __init__(self, make: Callable[[Attempts], None]) -> None:
        """Begin; `make` has formats write."""
        self._reader, writer = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._reader)
            _make(make, writer)
        os.close(writer)

    def result(self, name: str, longest_s: float = LONGEST_S) -> Attempts:
        """Wait for it; a process that died, or that gives no answer for so many seconds and is
        killed, is a failure of the format called `name`."""
        said = self._said(longest_s)
        if said is None:
            self.give_up()
            why = f"its process gave no answer for {longest_s:g} s, and was ended"
            return Attempts(failures=[f"format {name} failed: {why}"])
        os.close(self._reader)
        _, status = os.waitpid(self._process, 0)
        if said:
            found = pickle.loads(said)  # of our own process
            if isinstance(found, Attempts):
                return found
        code = os.waitstatus_to_exitcode(status)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Attempts(failures=[f"format {name} failed: its process ended with {how}"])

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


def _make(make: Callable[[Attempts], None], writer: int) -> None:
    """What the new process does, up to its end."""
    code = 1
    try:
        attempts = Attempts()
        make(attempts)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(attempts))
        code = 0
    finally:
        os._exit(code)  # nothing that belongs to the first process is closed or flushed
