# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The parent's side of a device host: start it, ask it, outlive it.

A `Device` is opened lazily and may be started early, so that the host loads its plugin while this
process exports. Every way a request can end has its own exception: the compiler said no
(`DeviceRefusal`), the host died (`HostCrash`), it ran past its deadline and was killed
(`HostTimeout`), the device itself cannot be had (`DeviceError`). For an op (`run_op`) each of them
is a value instead.

A host leads a session of its own and is killed with all of it. It comes from a new interpreter, or
from a `ForkServer` in a fraction of the time.
"""

import atexit
import contextlib
import dataclasses
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import psutil

from harness.devices.arena import Arena, ArenaView
from harness.devices.catalog import is_exclusive, kind_of
from harness.devices.failures import DeviceFailure, DeviceRefusal, HostCrash, HostTimeout
from harness.devices.fork_server import ForkServer
from harness.devices.host import STACK_SIGNAL
from harness.devices.iree import read_phases
from harness.devices.op_run import (
    DEADLINE,
    OUT_OF_MEMORY,
    Ended,
    OpFailure,
    OpJob,
    OpRun,
    is_out_of_memory,
    stage_after,
)
from harness.devices.tenstorrent import COMMON_FOLDER_VARIABLE, read_levels
from harness.devices.wire import (
    Compile,
    Compiled,
    Inputs,
    Level,
    OpDone,
    Open,
    Opened,
    Ran,
    Reached,
    Refused,
    Release,
    Reply,
    Request,
    Run,
    RunOp,
    Usage,
    receive,
    send,
)
from harness.errors import DeviceError, HarnessError
from harness.records.schema import Stage

if TYPE_CHECKING:
    import torch

OPEN_TIMEOUT = 120.0
"""Seconds to open a device: a plugin may unpack half a gigabyte on its first use."""
_STALLED = struct.pack("@ll", int(OPEN_TIMEOUT), 0)
"""Seconds and microseconds until a message that stops half way is given up, as socket(7) takes it.

The kernel's own timeout: Python's costs two more system calls a message, and after each of them the
interpreter has to be waited for."""
_STDERR_TAIL = 64 * 1024
LOG_LIMIT = 64 << 20
"""Bytes of a host's output above which it is thrown away: noise must not fill the disk."""
_LOOK_S = 1.0
"""How often the output of a host that is waited for is looked at."""


class Binary:
    """A compiled program, alive in its host until released."""

    def __init__(self, device: "Device", reply: Compiled) -> None:
        self.device = device
        self.number = reply.binary
        self.levels = reply.levels
        self.usage = reply.usage
        self.serialized = reply.serialized
        self.generation = device.generation

    def release(self) -> None:
        """Free it in the host; harmless when the host is gone."""
        if self.device.generation == self.generation:
            with contextlib.suppress(HarnessError):
                self.device.request(Release(self.number))


class HostProcess(Protocol):
    """What a `Device` needs of its host's process, however it was started."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it lives."""

    def wait(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless it is gone."""


_dying: list[HostProcess] = []
"""Hosts that were killed and not yet waited for."""


class Device:
    """One device, served by a host process that is started again after a crash.

    Without a fork server the host lives at most as long as the thread that started it.
    """

    def __init__(
        self, name: str, *, fork_server: ForkServer | None = None, memory_limit: int = 0
    ) -> None:
        """`memory_limit` is in bytes of private memory of the host, 0 for none."""
        self.name = kind_of(name).name
        self.generation = 0
        self.memory_limit = memory_limit
        self._fork_server = fork_server
        self._inputs, self._outputs = Arena(), ArenaView()
        self._process: HostProcess | None = None
        self._opened: Opened | None = None
        atexit.register(self.close)

    def start(self) -> None:
        """Start the host without waiting for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile(prefix="bringup-host-")  # noqa: SIM115 - lives on
        fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)  # for `_bound_log`, in the host too
        self._scratch = tempfile.TemporaryDirectory(
            prefix="bringup-host-", ignore_cleanup_errors=True
        )
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, _import_path())),
            "TMPDIR": self._scratch.name,
            COMMON_FOLDER_VARIABLE: tempfile.gettempdir(),
        }
        with theirs:
            self._process = self._launch(theirs, environment)
        self._sock = ours
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):  # of a message that has begun
            ours.setsockopt(socket.SOL_SOCKET, option, _STALLED)
        self._watch(self._process.pid)
        self.generation += 1
        with contextlib.suppress(OSError):  # it died already; `open` finds out how
            send(self._sock, Open(self.name))

    def _watch(self, pid: int) -> None:
        """Wait for the socket and for the process: its children may hold the socket open."""
        self._events = select.poll()
        self._events.register(self._sock, select.POLLIN)
        try:
            self._pidfd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # gone with its fork server
            self._pidfd = None
        else:
            self._events.register(self._pidfd, select.POLLIN)

    def _launch(self, sock: socket.socket, environment: dict[str, str]) -> HostProcess:
        if self._fork_server is not None:
            log = self._log.fileno()
            return self._fork_server.fork(sock, log, environment, self.memory_limit)
        command = [sys.executable, "-m", "harness.devices.host", str(sock.fileno())]
        return subprocess.Popen(
            [*command, str(self.memory_limit)],
            pass_fds=[sock.fileno()],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def open(self) -> Opened:
        """Wait until the device is open.

        Raises:
            DeviceError: it cannot be had here; one sentence says why.
        """
        self.start()
        if self._opened is None:
            try:
                reply = self._await(Opened, OPEN_TIMEOUT)
            except DeviceFailure as error:
                self.close()
                if isinstance(error, DeviceRefusal):
                    raise DeviceError(str(error)) from error
                last = error.diagnostic.strip().splitlines()[-1:] or ["it said nothing"]
                raise DeviceError(f"opening {self.name}: {error}: {last[0]}") from error
            self._opened = reply
        return self._opened

    def compile(
        self,
        stablehlo: bytes,
        options: dict[str, str],
        *,
        timeout: float | None = None,
        keep_binary: bool = False,
    ) -> Binary:
        """Compile a portable StableHLO artifact.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        self.open()
        reply, _ = self._ask(Compile(stablehlo, options, keep_binary), Compiled, timeout)
        return Binary(self, reply)

    def run(
        self, binary: Binary, inputs: "Sequence[torch.Tensor]", *, timeout: float | None = None
    ) -> "tuple[list[torch.Tensor], Usage]":
        """Run a program on CPU tensors and fetch its outputs, in the program's order.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        from harness.devices.tensors import read_tensors, write_tensors

        if not self.open().executes:
            raise DeviceError(f"{self.name} only compiles on this machine; nothing can run on it")
        if binary.generation != self.generation:
            raise DeviceError(f"the program was compiled in a host of {self.name} that is gone")
        specs, descriptor = write_tensors(inputs)
        try:
            reply, returned = self._ask(
                Run(binary.number, tuple(specs)), Ran, timeout, descriptor=descriptor
            )
        finally:
            os.close(descriptor)
        assert returned is not None
        return read_tensors(reply.outputs, returned), reply.usage

    def run_op(
        self, job: OpJob, deadline: float = DEADLINE, clear: Callable[[], None] | None = None
    ) -> OpRun:
        """Take one op through lowering, the device's compiler and, where it executes, the device.

        Every end the op itself can bring about is a value; `deadline` is in seconds. With `clear`,
        an op is not run before that has returned; it may wait, which does not count. The outputs
        are good until then: they lie where those of the next op will.

        Raises:
            DeviceError: the device cannot be opened.
        """
        executes = self.open().executes and job.execute
        started = time.monotonic()
        progress: list[Reached] = []
        request = RunOp(job.torch_ir, job.stablehlo, dict(job.options), executes, job.key)
        try:
            if not self._delivered(request):
                return self._bystander(time.monotonic() - started)
            waited = self._give(job.inputs, clear) if executes else 0.0
            done = self._follow(progress, started + deadline + waited)
        except DeviceFailure as error:
            wall = time.monotonic() - started
            return _op_failed(error, job, progress, wall, limited=self.memory_limit > 0)
        outputs = None
        if done.ran is not None:
            from harness.devices.tensors import view_tensors

            views = view_tensors(done.outputs, self._outputs.memory)
            outputs = tuple(views if clear is not None else [view.clone() for view in views])
        wall = time.monotonic() - started
        return _op_run(Ended.DONE, progress, outputs=outputs, wall_s=wall, stderr=self._tail())

    def _delivered(self, request: Request) -> bool:
        """Send a request to a host that lives; False when it was dead before."""
        assert self._process is not None
        self._mark_log()
        if self._process.poll() is not None:
            return False
        try:
            send(self._sock, request)
        except OSError:
            return False
        return True

    def _give(self, tensors: "Sequence[torch.Tensor]", clear: Callable[[], None] | None) -> float:
        """Write an op's inputs, while its host compiles it, and hand them over when it is clear.

        Returns the seconds it took to be clear.
        """
        from harness.devices.tensors import write_tensors

        try:
            specs, _ = write_tensors(tensors, self._inputs.reserve)
            written = time.monotonic()
            if clear is not None:
                clear()
            waited = time.monotonic() - written
        except BaseException:
            self.close()  # it would wait for them for ever
            raise
        descriptor = self._inputs.announce()
        with contextlib.suppress(OSError):  # it died; who waits for its answer finds out how
            send(self._sock, Inputs(tuple(specs)), descriptor)
        if descriptor is not None:
            os.close(descriptor)
        return waited

    def _follow(self, progress: list[Reached], end: float) -> OpDone:
        """Collect what an op reaches, until it is done; `end` is on the monotonic clock."""
        while True:
            remaining = max(end - time.monotonic(), 0.001)
            reply, returned = self._await_with_descriptor((Reached, OpDone), remaining)
            if isinstance(reply, OpDone):
                break
            progress.append(reply)
        if reply.ran is not None:
            progress.append(Reached(Stage.EXECUTE, (), reply.ran))
        self._outputs.take(returned)
        return reply

    def _bystander(self, wall: float) -> OpRun:
        try:
            self._raise_crash()
        except HostCrash as error:
            failure = OpFailure(
                error.kind, f"{error} before it took the op", error.diagnostic, None
            )
            return OpRun(Ended.INFRA, failure=failure, wall_s=wall)

    def request(self, message: Request) -> None:
        """Send a request whose reply carries nothing."""
        self._ask(message, object, 10.0)

    def memory(self) -> int:
        """Bytes resident in the host; 0 without one."""
        if self._process is None:
            return 0
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def close(self, *, wait: bool = True) -> None:
        """End the host. Without waiting, a large one frees its memory while we go on."""
        self._opened = None
        process, self._process = self._process, None
        if process is None:
            return
        self.generation += 1  # its programs are gone with it
        self._sock.close()
        self._inputs.close()
        self._outputs = ArenaView()
        if self._pidfd is not None:
            os.close(self._pidfd)
        _kill_session(process)
        if wait or is_exclusive(self.name):
            process.wait()
        else:
            _dying[:] = [p for p in (*_dying, process) if p.poll() is None]
        self._log.close()
        self._scratch.cleanup()

    def _ask(
        self, message: Request, kind: type, timeout: float | None, descriptor: int | None = None
    ) -> tuple[Any, int | None]:
        self._mark_log()
        try:
            send(self._sock, message, descriptor)
        except OSError:
            self._raise_crash()
        return self._await_with_descriptor(kind, timeout)

    def _await(self, kind: type, timeout: float | None) -> Any:
        self._mark = 0
        return self._await_with_descriptor(kind, timeout)[0]

    def _await_with_descriptor(
        self, kind: type | tuple[type, ...], timeout: float | None
    ) -> tuple[Any, int | None]:
        started = time.monotonic()
        try:
            self._wait(timeout)
            reply, descriptor = receive(self._sock, Reply)
        except (TimeoutError, BlockingIOError):
            self._raise_timeout(time.monotonic() - started)
        except (EOFError, OSError):
            self._raise_crash()
        if isinstance(reply, Refused):
            self._raise_refusal(reply)
        assert isinstance(reply, kind), f"{type(reply).__name__} in answer, not {kind}"
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

    def _mark_log(self) -> None:
        """What is written from now on belongs to the next request."""
        self._mark = self._bound_log()

    def _bound_log(self) -> int:
        """Keep the log small; its size in bytes."""
        size = os.fstat(self._log.fileno()).st_size
        if size > LOG_LIMIT:
            self._log.truncate(0)
            size = self._mark = 0
        return size

    def _raise_refusal(self, reply: Refused) -> NoReturn:
        if reply.device_fault:
            raise DeviceRefusal(
                reply.message, kind=reply.kind, diagnostic=reply.message, usage=reply.usage
            )
        log = self._tail()
        diagnostic = f"{reply.diagnostic or reply.message}\n\n{log}".strip()
        raise DeviceRefusal(
            reply.message,
            kind=reply.kind,
            diagnostic=diagnostic,
            levels=reply.levels,
            usage=reply.usage,
            stage=reply.stage,
        )

    def _raise_crash(self) -> NoReturn:
        assert self._process is not None
        _kill_session(self._process)  # its children; a process that is exiting keeps its code
        code = self._process.wait()
        log, levels = self._tail(), self._levels_left()
        self.close()
        kind = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise HostCrash(
            f"the process that serves {self.name} died ({kind})",
            kind=kind,
            diagnostic=log,
            levels=levels,
        )

    def _raise_timeout(self, seconds: float) -> NoReturn:
        assert self._process is not None
        self._process.send_signal(STACK_SIGNAL)
        time.sleep(0.3)  # the handler writes at once, GIL or not
        log, levels = self._tail(), self._levels_left()
        self.close()
        raise HostTimeout(
            f"{self.name} gave no answer in {seconds:.0f} s and was stopped",
            kind="TIMEOUT",
            diagnostic=log,
            levels=levels,
        )

    def _levels_left(self) -> tuple[Level, ...]:
        """Levels a compiler had written when its host was stopped."""
        scratch = Path(self._scratch.name)
        found: tuple[Level, ...] = ()
        for folder in scratch.glob("bringup-iree-*"):
            found += read_phases(folder)
        for folder in scratch.glob("bringup-tt-*"):
            found += read_levels(folder)
        return found

    def _tail(self) -> str:
        """What the host wrote to standard output and error since the request."""
        size = os.fstat(self._log.fileno()).st_size
        start = max(self._mark, size - _STDERR_TAIL)
        if size <= start:
            return ""
        return os.pread(self._log.fileno(), size - start, start).decode("utf-8", "replace").strip()


def _op_failed(
    error: DeviceFailure, job: OpJob, progress: Sequence[Reached], wall: float, *, limited: bool
) -> OpRun:
    """The failure as a value; `limited`: its host had a memory limit."""
    ended, message = Ended.CRASH, str(error)
    if isinstance(error, DeviceRefusal):
        ended = Ended.REFUSED
    elif isinstance(error, HostTimeout):
        ended, message = Ended.TIMEOUT, f"the op was not through in {wall:.0f} s and was stopped"
    stage = error.stage or stage_after(progress[-1].stage if progress else None, job)
    limited = limited and ended is not Ended.TIMEOUT  # the stacks may name anything
    kind = OUT_OF_MEMORY if limited and is_out_of_memory(error.diagnostic) else error.kind
    failure = OpFailure(kind, message, error.diagnostic, stage)
    run = _op_run(ended, progress, failure=failure, wall_s=wall, stderr=error.diagnostic)
    last = {} if error.usage is None else {stage: error.usage}
    return dataclasses.replace(run, levels=run.levels + error.levels, usages={**run.usages, **last})


def _op_run(ended: Ended, progress: Sequence[Reached], **rest: Any) -> OpRun:
    return OpRun(
        ended,
        progress[-1].stage if progress else None,
        tuple(level for reached in progress for level in reached.levels),
        {reached.stage: reached.usage for reached in progress},
        **rest,
    )


def _left(end: float | None) -> float:
    """Seconds to wait now, until a moment of the monotonic clock."""
    return _LOOK_S if end is None else min(max(end - time.monotonic(), 0.0), _LOOK_S)


def _kill_session(process: HostProcess) -> None:
    """Kill a host and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:  # also when it has no group yet
        process.send_signal(signal.SIGKILL)


def _import_path() -> tuple[str, str]:
    """Where the host finds this very package, installed or not."""
    root = Path(__file__).resolve().parents[2]
    return str(root), os.environ.get("PYTHONPATH", "")
