# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A small process between the supervisor and pytest, so that no process outlives a run.

    supervisor -> watchdog -> pytest -> workers -> whatever the tests start

It adopts every orphan below it (a worker that dies leaves its children) and ends it after a
short grace. When the supervisor asks by SIGTERM, or is gone by SIGKILL (the kernel then sends
the SIGTERM), it ends everything below: first politely, then by SIGKILL, until nothing is left
that can be ended.

It is started before the run is known (`bringup.pipeline.early_python`); where its log is, and what
it is to hold until the end, comes later on a socket.

Run as `python -m bringup.pipeline.running.watchdog SUPERVISOR_PID SOCKET COMMAND...`; exits as the
command did, with 128 + n when a signal n ended it.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence

import psutil

from bringup.harness.inner_process import words_of_parent
from bringup.harness.records.variable_names import PARENT_VARIABLE
from bringup.pipeline.lifeline import adopt_orphans, die_with_parent, let_interrupts_in

ORPHAN_GRACE_S = 3.0
"""An orphan may tidy up this long (multiprocessing's resource tracker needs a moment)."""
STOP_GRACE_S = 5.0
"""Between SIGTERM and SIGKILL when the run is stopped."""
GIVE_UP_S = 30.0
"""A process that SIGKILL did not end by then hangs in a driver; nobody can wait for it."""
_BEAT_S = 0.5
_LOOK_S = 1.0


class Watchdog:
    """Starts one command and outlives everything that comes of it."""

    def __init__(self, told: socket.socket) -> None:
        self.stop_asked = 0
        self._telling = [told]
        """Until it has told."""
        self._held: list[int] = []
        self._pid = 0
        self._status: int | None = None
        self._orphans: dict[int, float] = {}
        self._next_look = 0.0

    def ask_to_stop(self, number: int, _: object) -> None:
        """Signal handler: SIGINT means now, any other politely, unless it is repeated."""
        self.stop_asked += 2 if number == signal.SIGINT else 1

    def start(self, command: list[str]) -> None:
        """Start the command in a session of its own."""
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        self._pid = os.posix_spawnp(
            command[0], command, environment, setsid=True, setsigdef=[signal.SIGPIPE]
        )

    def run(self, wake: int) -> int:
        """Watch until nothing is left; return the command's exit code.

        `wake` is a descriptor that becomes readable when a signal arrived.
        """
        ending: float | None = None
        while self._reap():
            now = time.monotonic()
            if ending is None and (self.stop_asked or self._status is not None):
                ending = now
                _signal_all(signal.SIGTERM)
            if ending is not None:
                grace = STOP_GRACE_S if self._status is None else ORPHAN_GRACE_S
                if self.stop_asked > 1 or now - ending > grace:
                    _signal_all(signal.SIGKILL)
                if now - ending > grace + GIVE_UP_S:
                    print("watchdog: some processes cannot be killed", file=sys.stderr)
                    break
            elif now >= self._next_look:
                self._next_look = now + _LOOK_S
                self._end_orphans(now)
            if _sleep(wake, self._telling, _BEAT_S if ending is None else 0.05):
                self._take_over()
        return _exit_code(self._status)

    def _take_over(self) -> None:
        """Speak into the log from now on, and hold what else comes; once."""
        told = self._telling.pop()
        _, self._held, _, _ = socket.recv_fds(told, 1, 2)  # nothing: the supervisor is gone
        for stream in (1, 2) if self._held else ():
            os.dup2(self._held[0], stream)
        told.close()

    def _reap(self) -> bool:
        """Collect the dead; False when no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self._orphans.pop(pid, None)
            if pid == self._pid:
                self._status = status

    def _end_orphans(self, now: float) -> None:
        for child in psutil.Process().children():
            if child.pid != self._pid:
                since = self._orphans.setdefault(child.pid, now)
                if now - since > ORPHAN_GRACE_S:
                    print(f"watchdog: ending {child}, left behind by its parent", file=sys.stderr)
                    _signal(child, signal.SIGKILL)


def end_all_below(patience_s: float = 5.0) -> None:
    """Kill and reap every descendant of this process, adopted ones included."""
    end = time.monotonic() + patience_s
    while (children := psutil.Process().children()) and time.monotonic() < end:
        _signal_all(signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)
        time.sleep(0.02)


def _signal_all(number: signal.Signals) -> None:
    for process in psutil.Process().children(recursive=True):
        _signal(process, number)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)


def _sleep(wake: int, others: Sequence[socket.socket], seconds: float) -> list[socket.socket]:
    """Wait for a signal, or for one of the others to have something to read; those that have."""
    watched = {wake: None, **{other.fileno(): other for other in others}}
    ready, _, _ = select.select(list(watched), [], [], seconds)
    if wake in ready:
        os.read(wake, 4096)
    return [other for number in ready if (other := watched[number])]


def _exit_code(status: int | None) -> int:
    if status is None:  # the command itself cannot be killed
        return 128 + signal.SIGKILL
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def wake_on_signals() -> int:
    """Have any handled signal make a descriptor readable; return that descriptor."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def main() -> int:
    """Entry point of `python -m bringup.pipeline.running.watchdog`."""
    pid, told, *command = words_of_parent(3)
    supervisor = int(pid)
    os.set_inheritable(int(told), False)
    watchdog = Watchdog(socket.socket(fileno=int(told)))
    wake = wake_on_signals()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, watchdog.ask_to_stop)
    let_interrupts_in()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    adopt_orphans()
    die_with_parent(supervisor, signal.SIGTERM)
    if watchdog.stop_asked:
        return 128 + signal.SIGTERM
    watchdog.start(command)
    return watchdog.run(wake)


if __name__ == "__main__":
    sys.exit(main())
