# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A Python that imports, and then forks processes which have all of it imported.

Such a process is what `python -m MODULE` would be: arguments, environment, working directory,
standard streams, signals, search path and seeds are its own, it ends as any Python does, and what
it crashes with or is killed by reaches no other. It differs in two things: it is killed when the
server dies, and variables that modules read while they are imported were read before it was asked
for (`PreloadedPython.takes` says which may differ). Forking is safe because the server has one
thread and no device open, and serves nobody otherwise.

Run as `python -m bringup.harness.preloaded.server SOCKET [MODULE[:NAME,NAME] ...]`.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bringup.harness.inner_process import words_of_parent
from bringup.harness.preloaded.messages import PACKET, Preload, Reap, Reaped, Start, Started
from bringup.harness.records.variable_names import THREADS_VARIABLE

_SET_PDEATHSIG = 1
_HARMLESS = (
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/pts/",
    "/dev/shm/",
)
"""Files below /dev that are no device of anybody's."""


def preload(wanted: Iterable[str]) -> None:
    """Import modules, and names of modules that import on first use; pass over what fails.

    Whoever imports it in a process of its own says better why it cannot be had.
    """
    for each in wanted:
        module, _, names = each.partition(":")
        with contextlib.suppress(Exception, SystemExit):
            imported = importlib.import_module(module)
            for name in filter(None, names.split(",")):
                with contextlib.suppress(Exception, SystemExit):
                    getattr(imported, name)


def make_ready(wanted: Iterable[str]) -> None:
    """Import what is wanted, and be fit to fork after it.

    Raises:
        SystemExit: importing did what a fork does not survive.
    """
    preload(wanted)
    if why := unsafe():
        sys.exit(f"preloaded Python: importing {why}, so processes come from nothing")
    gc.freeze()  # a collection in a process does not copy every page


def unsafe() -> str:
    """What importing did that a fork does not survive, in words; empty if it did nothing such."""
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        return f"started {threads - 1} threads"
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that reads the folder
            opened = str(descriptor.readlink())
            # a driver that was begun is none in a fork: CUDA says so, others crash
            if opened.startswith("/dev/") and not opened.startswith(_HARMLESS):
                return f"opened {opened}"
    return ""


def serve(sock: socket.socket) -> Start | None:
    """Fork processes until the parent is gone; returns in each of them too, with what it is to be.

    None when the server's own work is over.
    """
    parent = os.pidfd_open(os.getppid())
    while True:
        ready, _, _ = select.select([sock.fileno(), parent], [], [])
        if parent in ready:
            return None
        packet, descriptors, _, _ = socket.recv_fds(sock, PACKET, 3)
        if not packet:
            return None
        request = msgspec.msgpack.decode(packet, type=Start | Reap | Preload)
        if isinstance(request, Preload):
            for number in (1, 2):
                os.dup2(descriptors[0], number)
            os.close(descriptors[0])
            make_ready(request.modules)
            continue
        if isinstance(request, Reap):
            sock.send(msgspec.msgpack.encode(Reaped(_exit_code(request.pid))))
            continue
        server, pid = os.getpid(), os.fork()
        if pid == 0:
            sock.close()
            os.close(parent)
            _detach(server, descriptors)
            return request
        pidfd = os.pidfd_open(pid)  # not reaped yet, so the pid is still its own
        for descriptor in descriptors:
            os.close(descriptor)
        socket.send_fds(sock, [msgspec.msgpack.encode(Started(pid))], [pidfd])
        os.close(pidfd)


def _exit_code(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return -signal.SIGKILL


def _detach(server: int, descriptors: Sequence[int]) -> None:
    """Take the process's own standard streams, before anything can be said on the server's."""
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it died before the call
        os._exit(1)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)


def become(request: Start, path: Sequence[str]) -> None:
    """Be the process that was asked for, to its end; `path` is where modules are found."""
    kind, what, *rest = request.arguments
    os.chdir(request.folder)
    threads = os.environ.get(THREADS_VARIABLE)
    os.environ.clear()
    os.environ.update(request.environment)
    tempfile.tempdir = None  # TMPDIR is its own
    if (random := sys.modules.get("numpy.random")) is not None:  # Python's own is seeded by a fork
        random.seed()
    _take_threads(threads)
    sys.orig_argv = [sys.executable, *request.arguments]
    _take_streams()
    sys.argv = [kind if kind == "-c" else what, *rest]
    sys.path[:] = ["" if kind == "-c" else request.folder, *path]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    main: Any = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(compile(what, "<string>", "exec"), main.__dict__)


def _take_threads(before: str | None) -> None:
    """Have PyTorch compute with as many threads as the process's own environment says: it read the
    variable while it was imported, and has started none yet."""
    wanted, torch = os.environ.get(THREADS_VARIABLE), sys.modules.get("torch")
    if torch is not None and wanted != before:
        first = (wanted or "").partition(",")[0]  # the others are of loops within loops
        torch.set_num_threads(int(first) if first.isdecimal() else len(os.sched_getaffinity(0)))


def _take_streams() -> None:
    """Have Python's standard streams like the interpreter's, on descriptors that have changed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        like = getattr(sys, name)
        opened = open(  # noqa: SIM115 - it lives as long as the process
            number,
            mode,
            # a line at a time to a person and to the error log, as the interpreter has it
            buffering=1 if number == 2 or os.isatty(number) else -1,
            encoding=getattr(like, "encoding", None) or "utf-8",
            errors=getattr(like, "errors", None),
            closefd=False,
        )
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)


def main() -> None:
    """Import what the command line names, then serve the socket that it names."""
    descriptor, *wanted = words_of_parent(1)
    path = sys.path[1:]  # the first is this process's working directory
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    gc.disable()  # imports make a million objects and little garbage: a fifth of their time
    make_ready(wanted)
    request = serve(socket.socket(fileno=int(descriptor)))
    if request is None:
        os._exit(0)  # its imports have nothing to put away
    gc.enable()
    signal.signal(signal.SIGINT, interrupt)
    become(request, path)


if __name__ == "__main__":
    main()
