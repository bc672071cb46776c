# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Processes of a preloaded Python, as `subprocess.Popen` would start them from nothing.

    python = PreloadedPython(["torch"])
    process = python.start(["-m", "pytest", "-q"], environment=..., streams=(0, 1, 2))

The server is one process for as long as this object is open and its own process lives; it need not
have ended its imports to be asked.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from bringup.harness.errors import HarnessError
from bringup.harness.preloaded.messages import (
    LARGEST,
    PACKET,
    Preload,
    Reap,
    Reaped,
    Start,
    Started,
)
from bringup.harness.records.variable_names import THREADS_VARIABLE
from bringup.harness.storage.decoding import UNDECODABLE

ANSWER_S = 120.0
"""A server that gives no answer for so long hangs; the first one waits for its imports."""
_LATE = ("BRINGUP_", "PYTEST_")
_LATE_NAMES = frozenset(
    {"TMPDIR", "COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_", THREADS_VARIABLE}
)
"""Variables that nobody reads while he is imported, by their first letters and by name; or that
PyTorch alone does, which is told."""
_QUIET = {"OPENBLAS_NUM_THREADS": "1"}
"""Without it numpy's import starts threads. A process's environment is without it, but its numpy
goes on with one thread; PyTorch has threads of its own."""


class NotPreloadedError(HarnessError):
    """No process can be had of a preloaded Python; one from nothing can."""


class Process:
    """A process, with what is used of `subprocess.Popen`."""

    def __init__(self, python: "PreloadedPython", pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self._python = python
        self._pidfd = pidfd
        self._reaping = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not after so many seconds.
        """
        code = self._look(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it is gone."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """Kill it, unless it is gone."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            ended = select.poll()
            ended.register(self._pidfd, select.POLLIN)
            if ended.poll(None if timeout is None else 1e3 * timeout):
                with self._reaping:  # the server gives a code away once, and threads may both wait
                    if self.returncode is None:
                        self.returncode = self._python.reap(self.pid)
                        os.close(self._pidfd)
        return self.returncode


class _Child:
    """A child of this process that was started before what this process is now."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class PreloadedPython:
    """The parent's side. Close it, or let it end with this process."""

    def __init__(
        self, modules: Iterable[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start to import `modules`, each `MODULE` or `MODULE:NAME,NAME`.

        `environment` is whole; without it, this process's own.
        """
        self.environment = dict(os.environ if environment is None else environment)
        self._lock = threading.Lock()
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.settimeout(ANSWER_S)
        self._process: subprocess.Popen[bytes] | _Child
        with theirs:
            number = theirs.fileno()
            server = ["-m", "bringup.harness.preloaded.server", str(number)]
            self._process = subprocess.Popen(
                [sys.executable, *server, *modules],
                pass_fds=[number],
                env=self.environment | _QUIET,
                stdin=subprocess.DEVNULL,
            )

    @classmethod
    def inherited(cls, handed_over: str) -> "PreloadedPython":
        """That of the process that became this one, by what its `hand_over` said."""
        number, pid = map(int, handed_over.split(":"))
        python = cls.__new__(cls)
        python.environment = dict(os.environ)
        python._lock = threading.Lock()
        python._sock = socket.socket(fileno=number)
        python._sock.set_inheritable(False)
        python._sock.settimeout(ANSWER_S)
        python._process = _Child(pid)
        return python

    def hand_over(self) -> str:
        """What `inherited` is to be told after this process has called exec; `takes` holds of the
        environment that it goes on with. Only for what has no process of it left."""
        self._sock.set_inheritable(True)
        self._sock.setblocking(True)
        return f"{self._sock.fileno()}:{self._process.pid}"

    def preload(self, modules: Iterable[str], said: int) -> None:
        """Have it import more, before anything that is asked for later; it says what there is to be
        said on a descriptor from now on. Where it is gone, whoever asks for a process is told."""
        packet = msgspec.msgpack.encode(Preload(tuple(modules)))
        with self._lock, contextlib.suppress(OSError):
            socket.send_fds(self._sock, [packet], [said])

    @property
    def pid(self) -> int:
        """The server's process id: the parent of every process of it."""
        return self._process.pid

    def takes(self, environment: Mapping[str, str]) -> bool:
        """Would a process of this environment have imported the same, begun from nothing?"""
        names = {
            name
            for name, _ in environment.items() ^ self.environment.items()
            if name not in _LATE_NAMES and not name.startswith(_LATE)
        }
        return not names

    def start(
        self,
        arguments: Sequence[str],
        *,
        streams: tuple[int, int, int],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Process:
        """Start `python ARGUMENTS`, with three descriptors for its standard streams.

        `arguments` begin with `-m MODULE` or `-c CODE`. What is not given is this process's own.

        Raises:
            NotPreloadedError: the environment is another or too large, or the server is gone or
                never was.
        """
        whole = dict(os.environ if environment is None else environment)
        if not self.takes(whole):
            raise NotPreloadedError("modules might read another environment while imported")
        request = Start(tuple(arguments), str(folder or Path.cwd()), whole)
        if len(msgspec.msgpack.encode(request)) > LARGEST:
            raise NotPreloadedError("arguments and environment are too large for a packet")
        with self._lock:
            reply, pidfd = self._ask(request, Started, streams)
        assert pidfd is not None
        return Process(self, reply.pid, pidfd)

    def start_piped(self, arguments: Sequence[str]) -> Process:
        """Start it with pipes for its standard input and output, unbuffered at this end.

        Raises:
            NotPreloadedError: as `start`.
        """
        reads, stdin = os.pipe()
        stdout, writes = os.pipe()
        try:
            process = self.start(arguments, streams=(reads, writes, 2))
        except NotPreloadedError:
            os.close(stdin)
            os.close(stdout)
            raise
        finally:
            os.close(reads)
            os.close(writes)
        process.stdin = os.fdopen(stdin, "wb")
        process.stdout = os.fdopen(stdout, "rb")
        return process

    def reap(self, pid: int) -> int:
        """The exit code of a process that has ended; SIGKILL's if its server went with it."""
        with self._lock:
            try:
                return int(self._ask(Reap(pid), Reaped)[0].code)
            except NotPreloadedError:
                return -signal.SIGKILL

    def close(self) -> None:
        """End the server, and its processes with it."""
        self._process.kill()  # whoever waits for its answer, stops
        with self._lock:
            self._sock.close()
        self._process.wait()

    def _ask(
        self, request: Start | Reap, kind: Any, descriptors: Sequence[int] = ()
    ) -> tuple[Any, int | None]:
        try:
            socket.send_fds(self._sock, [msgspec.msgpack.encode(request)], list(descriptors))
            packet, received, _, _ = socket.recv_fds(self._sock, PACKET, 1)
            reply = msgspec.msgpack.decode(packet, type=kind)
        except (OSError, *UNDECODABLE) as error:
            # an answer that comes late would be taken for the next one's
            self._process.kill()
            raise NotPreloadedError(f"the preloaded Python is gone: {error}") from error
        return reply, received[0] if received else None
