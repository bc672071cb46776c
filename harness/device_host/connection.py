# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One device host from its start to its end: its process, its socket, what it writes and leaves.

A host leads a session of its own and is killed with all of it. It comes from a new interpreter, or
from a `ForkServer` in a fraction of the time. Whatever ends a request ends it by an exception
(`failures`), with what the host had written; a host that died or was killed for being late is gone
with all it had, and its connection is closed.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

import psutil

from bringup.harness.device_host.arena import Arena, ArenaView
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.device_host.stage_log import STAGE_LOG_SIZE, StageLog
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import DeviceRefusal, HostCrash, HostTimeout
from bringup.harness.devices.wire import (
    STACK_SIGNAL,
    Level,
    Open,
    Opened,
    Refused,
    Reply,
    Request,
    create_memory,
    receive,
    send,
)
from bringup.harness.records.variable_names import COMMON_FOLDER_VARIABLE, PYTHONPATH_VARIABLE
from bringup.harness.stacks import stacks_below
from bringup.harness.storage.scratch import Scratch

STALLED_S = 120
"""Seconds until a message that stops half way is given up."""
LOG_LIMIT = 64 << 20
"""Bytes of a host's output above which it is thrown away: noise must not fill the disk."""
_LOG_TAIL = 64 * 1024
_LOOK_S = 1.0
"""How often the output of a host that is waited for is looked at."""


class HostProcess(Protocol):
    """What is needed of a host's process, however it was started."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it lives."""

    def wait(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless it is gone."""


class Connection:
    """A host that was started, and how to talk with it."""

    def __init__(
        self,
        name: str,
        fork_server: ForkServer | None,
        memory_limit: int,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start a host for the device `name`, which opens meanwhile; `memory_limit` in bytes,
        `variables` are set in the host."""
        self.name = name
        self._variables = dict(variables or {})
        self.closed = False
        self._owner = os.getpid()
        self.opened: Opened | None = None
        """The host's answer, once it was waited for."""
        self.inputs, self.outputs = Arena(), ArenaView()
        """Where an op's inputs and outputs are."""
        self.answered = 0.0
        """When the last reply came, on the monotonic clock."""
        self._mark = 0
        self._log = tempfile.TemporaryFile(prefix="bringup-host-")  # noqa: SIM115 - lives on
        fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)  # for `_bound_log`, in the host too
        self._scratch = Scratch("host")
        self._sock, theirs = socket.socketpair()
        _give_up_when_stalled(self._sock)
        with theirs:
            self.process = self._launch(theirs, fork_server, memory_limit)
        self._watch()
        descriptor = create_memory(STAGE_LOG_SIZE)
        self.stage_log = StageLog(descriptor)
        with contextlib.suppress(OSError):  # it died already; who waits for it finds out how
            send(self._sock, Open(name), descriptor)
        os.close(descriptor)

    def _launch(
        self, sock: socket.socket, fork_server: ForkServer | None, memory_limit: int
    ) -> HostProcess:
        environment = {
            **self._variables,
            PYTHONPATH_VARIABLE: os.pathsep.join(filter(None, _import_path())),
            "TMPDIR": str(self._scratch.path),
            COMMON_FOLDER_VARIABLE: tempfile.gettempdir(),
        }
        if fork_server is not None:
            return fork_server.fork(sock, self._log.fileno(), environment, memory_limit)
        command = [sys.executable, "-m", "bringup.harness.device_host.host", str(sock.fileno())]
        return subprocess.Popen(
            [*command, str(memory_limit)],
            pass_fds=[sock.fileno()],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _watch(self) -> None:
        """Wait for the socket and for the process: its children may hold the socket open."""
        self._events = select.poll()
        self._events.register(self._sock, select.POLLIN)
        try:
            self._pidfd: int | None = os.pidfd_open(self.process.pid)
        except ProcessLookupError:  # gone with its fork server
            self._pidfd = None
        else:
            self._events.register(self._pidfd, select.POLLIN)

    @property
    def ours(self) -> bool:
        """Did this process start the host? One that was forked off later has a copy of all this,
        and is to leave host, folder and socket to its parent."""
        return self._owner == os.getpid()

    @property
    def alive(self) -> bool:
        """Is there a host at the other end?"""
        return not self.closed and self.process.poll() is None

    def memory(self) -> int:
        """Bytes resident in the host; 0 when it is gone."""
        if self.closed:
            return 0
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def close(self) -> None:
        """End the host, and wait until it has ended."""
        self._end(wait=True)

    def kill(self) -> HostProcess | None:
        """End the host; a large one frees its memory while we go on.

        Returns its process if that is yet to be waited for.
        """
        self._end(wait=False)
        return self.process if self.ours and self.process.poll() is None else None

    def _end(self, *, wait: bool) -> None:
        if self.closed or not self.ours:
            return
        self.closed = True
        self._sock.close()
        self.inputs.close()
        self.outputs = ArenaView()
        if self._pidfd is not None:
            os.close(self._pidfd)
        self._kill()
        if wait or kind_of(self.name).exclusive():  # such a device is free only then
            self.process.wait()
        self._log.close()
        self._scratch.cleanup()

    def _kill(self) -> None:
        """Kill the host and everything it started; one that is exiting keeps its code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.poll() is None:  # also when it has no group yet
            self.process.send_signal(signal.SIGKILL)

    # --- talking --------------------------------------------------------------------------------

    def begin(self, request: Request, descriptor: int | None = None) -> bool:
        """Send a request to a host that is idle; False: nobody takes it.

        What is written from now on belongs to it.
        """
        self._mark = self._bound_log()
        if self.process.poll() is not None:
            return False
        return self.send(request, descriptor)

    def send(self, message: Request, descriptor: int | None = None) -> bool:
        """Send a message, also to a host that is busy; False: nobody takes it."""
        try:
            send(self._sock, message, descriptor)
        except OSError:
            return False
        return True

    def receive(
        self, kind: type | tuple[type, ...], timeout: float | None
    ) -> tuple[Any, int | None]:
        """The next reply, which must be of a kind, and the descriptor that came with it.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: the reply is a refusal, or there is none.
        """
        started = time.monotonic()
        try:
            self._wait(timeout)
            reply, descriptor = receive(self._sock, Reply)
        except (TimeoutError, BlockingIOError):
            self._raise_timeout(time.monotonic() - started)
        except (EOFError, OSError):
            self.raise_crash()
        if isinstance(reply, Refused):
            self._raise_refusal(reply)
        if not isinstance(reply, kind):
            self.raise_crash()
        return reply, descriptor

    def _wait(self, timeout: float | None) -> None:
        """Until there is a message.

        Raises:
            TimeoutError: there is none in time.
            EOFError: the host has ended.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not (ready := self._events.poll(1e3 * _left(end))):
            self._bound_log()
            if end is not None and time.monotonic() >= end:
                raise TimeoutError
        if self._sock.fileno() not in dict(ready):
            raise EOFError
        self.answered = time.monotonic()

    def _raise_refusal(self, reply: Refused) -> NoReturn:
        if reply.device_fault:
            raise DeviceRefusal(
                reply.message, kind=reply.kind, diagnostic=reply.message, usage=reply.usage
            )
        log = self.written(reply.log_end)
        diagnostic = f"{reply.diagnostic or reply.message}\n\n{log}".strip()
        raise DeviceRefusal(
            reply.message,
            kind=reply.kind,
            diagnostic=diagnostic,
            levels=reply.levels,
            usage=reply.usage,
            stage=reply.stage,
        )

    def raise_crash(self) -> NoReturn:
        """The host is dead or about to be: say how it died.

        Raises:
            HostCrash: always.
        """
        self._kill()
        code = self.process.wait()
        log, levels = self.written(), self._levels_left()
        self.close()
        kind = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise HostCrash(
            f"the process that serves {self.name} died ({kind})",
            kind=kind,
            diagnostic=log,
            levels=levels,
        )

    def _raise_timeout(self, seconds: float) -> NoReturn:
        self.stage_log.freeze()
        self.process.send_signal(STACK_SIGNAL)
        time.sleep(0.3)  # the handler writes at once, GIL or not
        log, levels = self.written(), self._levels_left()
        log = f"{log}\n\n{stacks_below(self.process.pid)}".strip()
        self.close()
        raise HostTimeout(
            f"{self.name} gave no answer in {seconds:.0f} s and was stopped",
            kind="TIMEOUT",
            diagnostic=log,
            levels=levels,
        )

    # --- what it writes and leaves ---------------------------------------------------------------

    def _bound_log(self) -> int:
        """Keep the log small; its size in bytes."""
        size = os.fstat(self._log.fileno()).st_size
        if size > LOG_LIMIT:
            self._log.truncate(0)
            size = self._mark = 0
        return size

    def written(self, until: int | None = None) -> str:
        """What the host wrote to standard output and error since the request began; its end.

        `until` is the log's size when the host was done with the request, and the next one begins
        there; without it everything is the request's.
        """
        if until == self._mark:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        end = size if until is None else min(until, size)
        start = max(self._mark, end - _LOG_TAIL)
        text = os.pread(self._log.fileno(), max(end - start, 0), start)
        self._mark = end
        self._bound_log()
        return text.decode("utf-8", "replace").strip()

    def _levels_left(self) -> tuple[Level, ...]:
        """Levels a compiler had written when its host was stopped."""
        return kind_of(self.name).left(self._scratch.path)


def _give_up_when_stalled(sock: socket.socket) -> None:
    """Have the kernel time a message that has begun (socket(7)).

    Python's own timeout takes two more system calls a message, and after each of them a thread
    has to wait for the interpreter.
    """
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", STALLED_S, 0))


def _left(end: float | None) -> float:
    """Seconds to wait now, until a moment of the monotonic clock."""
    return _LOOK_S if end is None else min(max(end - time.monotonic(), 0.0), _LOOK_S)


def _import_path() -> tuple[str, str]:
    """Where the host finds this very package, installed or not."""
    root = Path(__file__).absolute().parents[3]
    return str(root), os.environ.get(PYTHONPATH_VARIABLE, "")
