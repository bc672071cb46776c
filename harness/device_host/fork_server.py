# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A small process that has imported what a host needs, and forks hosts on request.

A host from here has its device open some ten milliseconds after it was asked for; one started
from nothing imports for a second. Forking is safe because the server has one thread and keeps it
so: it imports, but never makes a client, an MLIR context or a session, and never compiles (a fork
after a compile hangs). It counts its threads before serving, and refuses to serve with more than
one. Hosts are killed by the kernel when the server dies; the server ends when its parent does,
whichever of the parent's threads started it. What a dead host leaves behind falls to the server,
which ends it.

Messages are single packets on a UNIX socket of kind SOCK_SEQPACKET, with descriptors beside them.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from bringup.harness.errors import DeviceError
from bringup.harness.inner_process import words_of_parent
from bringup.harness.records.variable_names import (
    JAX_PLATFORMS_VARIABLE,
    PYTHONPATH_VARIABLE,
    THREADS_VARIABLE,
    XLA_LOG_LEVEL_VARIABLE,
)
from bringup.harness.storage.decoding import UNDECODABLE, why_not

PRELOADED = (
    *("numpy", "msgspec", "ml_dtypes", "filelock"),
    *("bringup.harness.mlir", "torch_mlir.dialects.torch", "bringup.harness.device_host.op_stages"),
    "bringup.harness.device_host.host",
)
"""Modules for any host; a kind of device has more (`DeviceKind.preload`)."""

_PACKET = 1 << 20
_ANSWER_S = 120.0
"""A server that gives no answer for so long hangs; the first one waits for its imports."""
_PR_SET_CHILD_SUBREAPER = 36
_ENVIRONMENT = {
    JAX_PLATFORMS_VARIABLE: "cpu",  # plugins register at import otherwise
    XLA_LOG_LEVEL_VARIABLE: "2",
    "OPENBLAS_NUM_THREADS": "1",  # else numpy's import starts threads
    THREADS_VARIABLE: "1",
}


class Fork(msgspec.Struct, frozen=True, tag=True):
    """Fork a host; its socket and its log come along. Answered by `Forked`."""

    environment: dict[str, str]
    """Added to the server's own, in the host alone."""
    memory_limit: int


class Forked(msgspec.Struct, frozen=True, tag=True):
    """A host lives; its pidfd comes along."""

    pid: int


class Reap(msgspec.Struct, frozen=True, tag=True):
    """Wait for a host that has ended. Answered by `Reaped`."""

    pid: int


class Reaped(msgspec.Struct, frozen=True, tag=True):
    """A host's exit code, negative for a signal."""

    code: int


class ForkedHost:
    """A host as the parent holds it; the part of `subprocess.Popen` that `Device` uses."""

    def __init__(self, server: "ForkServer", pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        self._pidfd = pidfd

    def poll(self) -> int | None:
        """The exit code, or None while it lives."""
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self._reap()
        return self.returncode

    def wait(self) -> int:
        """Wait until it has ended; its exit code."""
        if self.returncode is None:
            select.select([self._pidfd], [], [])
            self._reap()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it is gone."""
        if self.returncode is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def _reap(self) -> None:
        self.returncode = self._server.reap(self.pid)
        os.close(self._pidfd)


class ForkServer:
    """The parent's side; shared by any number of devices and threads.

    A server that was killed is started again at the next fork; its hosts went with it.
    """

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._modules = (*PRELOADED, *preload)
        self._lock = threading.Lock()
        self._closed = False
        self._start()

    def _start(self) -> None:
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.settimeout(_ANSWER_S)
        root = str(Path(__file__).absolute().parents[3])
        path = os.pathsep.join(filter(None, (root, os.environ.get(PYTHONPATH_VARIABLE, ""))))
        command = [
            sys.executable,
            "-m",
            "bringup.harness.device_host.fork_server",
            str(theirs.fileno()),
        ]
        with theirs:
            self._process = subprocess.Popen(
                [*command, *self._modules],
                pass_fds=[theirs.fileno()],
                env=os.environ | _ENVIRONMENT | {PYTHONPATH_VARIABLE: path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def fork(
        self, sock: socket.socket, log: int, environment: Mapping[str, str], memory_limit: int
    ) -> ForkedHost:
        """A new host that serves `sock` and writes its output to the descriptor `log`.

        Raises:
            DeviceError: the server is closed, or died twice.
        """
        request = Fork(dict(environment), memory_limit)
        descriptors = [sock.fileno(), log]
        with self._lock:
            try:
                reply, pidfd = self._ask(request, Forked, descriptors)
            except DeviceError:
                self._restart()
                reply, pidfd = self._ask(request, Forked, descriptors)
        assert pidfd is not None
        return ForkedHost(self, reply.pid, pidfd)

    def reap(self, pid: int) -> int:
        """The exit code of a host that has ended; SIGKILL's if its server went with it."""
        with self._lock:
            try:
                return int(self._ask(Reap(pid), Reaped)[0].code)
            except DeviceError:
                return -signal.SIGKILL

    def close(self) -> None:
        """End the server, and its hosts with it."""
        self._closed = True
        self._process.kill()  # whoever waits for its answer, stops
        with self._lock:
            self._end()

    def _restart(self) -> None:
        if self._closed:
            raise DeviceError("the fork server is closed")
        self._end()
        self._start()

    def _end(self) -> None:
        self._sock.close()
        self._process.kill()
        self._process.wait()

    def _ask(
        self, request: Fork | Reap, kind: Any, descriptors: Sequence[int] = ()
    ) -> tuple[Any, int | None]:
        try:
            socket.send_fds(self._sock, [msgspec.msgpack.encode(request)], list(descriptors))
            packet, received, _, _ = socket.recv_fds(self._sock, _PACKET, 1)
        except OSError as error:
            self._process.kill()  # an answer that comes late would be taken for the next one's
            raise DeviceError(f"the fork server is gone: {error}") from error
        if not packet:
            raise DeviceError("the fork server died; its standard error says why")
        try:
            reply = msgspec.msgpack.decode(packet, type=kind)
        except UNDECODABLE as error:
            self._process.kill()
            raise DeviceError(f"the fork server answers nonsense: {why_not(error)}") from error
        return reply, received[0] if received else None


def threads() -> int:
    """How many threads this process has, Python's and others'."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def run_server(sock: socket.socket) -> None:
    """Fork hosts until the parent is gone."""
    parent = os.pidfd_open(os.getppid())
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    hosts: set[int] = set()
    while True:
        ready, _, _ = select.select([sock.fileno(), parent], [], [])
        if parent in ready:
            return
        packet, descriptors, _, _ = socket.recv_fds(sock, _PACKET, 2)
        if not packet:
            return
        request = msgspec.msgpack.decode(packet, type=Fork | Reap)
        if isinstance(request, Reap):
            sock.send(msgspec.msgpack.encode(Reaped(_exit_code(request.pid))))
            hosts.discard(request.pid)
            _end_strays(hosts)
            continue
        hosts.add(_fork_one(sock, parent, request, descriptors))


def _exit_code(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:  # the host of a server before this one
        return -signal.SIGKILL


def _end_strays(hosts: set[int]) -> None:
    """End what dead hosts had started, also what left their process group."""
    while strays := [pid for pid in _children() if not {pid, _session(pid)} & hosts]:
        for pid in strays:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _children() -> list[int]:
    """This process's children (proc(5): a process's parent is the second field after its name)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def _session(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def _fork_one(sock: socket.socket, parent: int, request: Fork, descriptors: Sequence[int]) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        sock.close()
        os.close(parent)
        _become_host(request, server, *descriptors)
    pidfd = os.pidfd_open(pid)  # not reaped yet, so the pid is still its own
    for descriptor in descriptors:
        os.close(descriptor)
    socket.send_fds(sock, [msgspec.msgpack.encode(Forked(pid))], [pidfd])
    os.close(pidfd)
    return pid


def _become_host(request: Fork, server: int, host_socket: int, log: int) -> NoReturn:
    # in the server alone: this module is in every process that has a device, and a host's is numpy
    from bringup.harness.device_host.host import serve

    try:
        os.setsid()  # a group of its own, which is killed as a whole
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.environ.update(request.environment)
        tempfile.tempdir = None  # TMPDIR is the host's own
        serve(socket.socket(fileno=host_socket), server, request.memory_limit)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def main() -> None:
    """Serve the socket named on the command line, with the modules named after it imported."""
    descriptor, *modules = words_of_parent(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError):  # the host says so better
            importlib.import_module(module)
    if threads() != 1:
        sys.exit(f"fork server: {threads()} threads after importing {', '.join(modules)}; unsafe")
    gc.collect()
    gc.freeze()  # a collection in a host does not copy every page
    run_server(socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main()
