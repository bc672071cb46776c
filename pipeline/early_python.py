# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The Python that a run's processes come from, begun while the run is still planned.

    command line -> watchdog -> early process -> preloaded Python, which imports torch
                                    |                 └─ what collects the tests
                                    becomes pytest    └─ the workers

It knows nothing of the run at first. A command that will run tests holds one (`harness.session`);
whoever collects asks it for a process that has PyTorch imported, and the first session of the run
takes it: then the early process becomes pytest's controller, and what it preloaded forks the
workers. Whoever holds none, or one that is gone, starts from nothing, with the same result.

`bringup.pipeline.running.early_process` is the other side.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from bringup.harness.session import current
from bringup.harness.storage.decoding import UNDECODABLE
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lifeline import without_interrupts

_WATCHDOG = "bringup.pipeline.running.watchdog"
_EARLY = "bringup.pipeline.running.early_process"
_DESCRIPTORS = 3
_MOST_SAID = 1 << 20
M = TypeVar("M")


class Collect(msgspec.Struct, frozen=True, tag=True):
    """Run a command to its end in a process that has imported what tests do. Answered by
    `Ended`."""

    arguments: tuple[str, ...]
    """As after `python`."""
    root: str
    """Where it runs."""
    folder: str
    """Whose test files say what is imported before; relative to `root`."""
    environment: dict[str, str]
    timeout_s: float


class Ended(msgspec.Struct, frozen=True, tag=True):
    """How it ended."""

    code: int | None = None
    """Negative for a signal; None: it had to be killed."""
    refused: bool = False
    """It has to come from nothing."""


class Become(msgspec.Struct, frozen=True, tag=True):
    """Become a process of pytest; the descriptors of its log, and of what it is to hold, come
    along. Not answered."""

    arguments: tuple[str, ...]
    root: str
    files: tuple[str, ...]
    """Those that its workers collect."""
    environment: dict[str, str]


class NotEarlyError(PipelineError):
    """No process can be had of an early Python; one from nothing can."""


class EarlyPython:
    """The command line's side."""

    def __init__(self, folder: str = "") -> None:
        """Start it; it imports from now on, and what the tests below `folder` have in common, where
        that is known."""
        self.is_used = False
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._watching, watched = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = os.memfd_create("said before there is a log")
        numbers = watched.fileno(), theirs.fileno()
        with theirs, watched, without_interrupts():
            self.watchdog = subprocess.Popen(
                [
                    *(sys.executable, "-m", _WATCHDOG, str(os.getpid()), str(numbers[0])),
                    *(sys.executable, "-m", _EARLY, str(numbers[1]), folder),
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                start_new_session=True,
                pass_fds=numbers,
            )

    def collect(
        self,
        arguments: Sequence[str],
        root: Path,
        folder: str,
        environment: Mapping[str, str],
        timeout_s: float,
    ) -> int | None:
        """Run `python ARGUMENTS` to its end in `root`; its exit code, None if it took too long.

        Raises:
            NotEarlyError: it has to come from nothing.
        """
        wanted = Collect(tuple(arguments), str(root), folder, dict(environment), timeout_s)
        try:
            send(self._asked, wanted)
            ended, _ = received(self._asked, Ended)
        except (OSError, *UNDECODABLE) as error:
            raise NotEarlyError(f"the early Python is gone: {error}") from error
        if ended is None or ended.refused:
            raise NotEarlyError("the early Python cannot collect")
        return ended.code

    def become(
        self,
        arguments: Sequence[str],
        root: Path,
        files: Sequence[str],
        environment: Mapping[str, str],
        log: int,
        held: int | None,
    ) -> None:
        """Be `python ARGUMENTS` in `root` from now on, below `watchdog`.

        What is said goes to `log`; `held` is kept open by it and by the watchdog as long as either
        lives. If it is gone, so is the watchdog, and its exit code says so.
        """
        os.write(log, os.pread(self._said, _MOST_SAID, 0))
        descriptors = [log] if held is None else [log, held]
        wanted = Become(tuple(arguments), str(root), tuple(files), dict(environment))
        try:
            socket.send_fds(self._watching, [b"\0"], descriptors)
            send(self._asked, wanted, descriptors)
        except OSError:
            self.watchdog.kill()
        self._let_go()

    def close(self) -> None:
        """End it, unless it has become something else."""
        if not self.is_used:
            self.watchdog.send_signal(signal.SIGINT)  # at once, with all that is below
            self.watchdog.wait()
            self._let_go()

    def _let_go(self) -> None:
        self.is_used = True
        self._asked.close()
        self._watching.close()
        os.close(self._said)


def early_python() -> EarlyPython | None:
    """The one that the current command holds, unless it is used or gone."""
    held = current().find(EarlyPython)
    return held if held and not held.is_used and held.watchdog.poll() is None else None


def send(sock: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Send a message of any size: a packet holds a file that has it.

    Raises:
        OSError: nobody is at the other end.
    """
    with os.fdopen(os.memfd_create("message"), "w+b") as file:
        file.write(msgspec.msgpack.encode(message))
        file.flush()
        socket.send_fds(sock, [b"\0"], [file.fileno(), *descriptors])


def received(sock: socket.socket, kind: type[M]) -> tuple[M | None, list[int]]:
    """The next message, and what came beside it; None when the other end is gone.

    Raises:
        OSError: the socket is broken.
        msgspec.DecodeError: it is something else.
    """
    packet, descriptors, _, _ = socket.recv_fds(sock, 1, _DESCRIPTORS)
    if not packet:
        return None, []
    content, *others = descriptors
    with os.fdopen(content, "rb") as file:
        file.seek(0)
        return msgspec.msgpack.decode(file.read(), type=kind), others
