# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The device host: a child process that opens one device and serves one parent.

`python -m bringup.harness.device_host.host FD [BYTES]` with FD one end of a socket pair and BYTES a
limit on its memory; or forked from a `fork_server`. It answers requests in order until the socket
closes, and is killed by the kernel when its parent dies. Nothing here imports torch: a host starts
in a third of a second, while its parent is still exporting.

The memory limit is RLIMIT_DATA: private writable memory, which is what an op eats. RLIMIT_AS would
count the half gigabyte a plugin maps from its file; watching the resident set would need a poll,
and an op that fills memory at 5 GB/s is past any limit between two looks. The kernel refuses the
allocation instead, and the library's own words about that name the failure.
"""

import ctypes
import faulthandler
import io
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec
import numpy as np

from bringup.harness.device_host.arena import Arena, ArenaView
from bringup.harness.device_host.faults import read_faults
from bringup.harness.device_host.op_stages import OpStageError, OpStages
from bringup.harness.device_host.stage_log import StageLog
from bringup.harness.device_host.usage import Meter
from bringup.harness.devices.backend import (
    AnalysingBackend,
    Array,
    Backend,
    CompileError,
    LoadingBackend,
    PlacingBackend,
    dtype_of,
)
from bringup.harness.devices.catalog import make_backend
from bringup.harness.devices.wire import (
    STACK_SIGNAL,
    Analysis,
    Compile,
    Compiled,
    Inputs,
    Load,
    OpDone,
    Open,
    Opened,
    Ran,
    Reached,
    Refused,
    Release,
    Released,
    Reply,
    Request,
    Run,
    RunOp,
    TensorSpec,
    Usage,
    create_memory,
    layout,
    mapped,
    receive,
    send,
    write_at,
)
from bringup.harness.errors import HarnessError
from bringup.harness.inner_process import words_of_parent
from bringup.harness.records.schema import Stage
from bringup.harness.storage.writable import said_by

_PR_SET_PDEATHSIG = 1
_IOLBF = 1


class Host:
    """Serves one device over one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._backend: Backend | None = None
        self._binaries: dict[int, Any] = {}
        self._next = 0
        self._ops: OpStages | None = None
        self._stage_log: StageLog | None = None
        self._inputs, self._outputs = ArenaView(), Arena()
        self._spent: Any = None
        """What was an op's; freeing it takes longer than answering."""
        self._faults = read_faults()
        self._log = os.dup(sys.stderr.fileno())  # wherever a plugin may turn its output to

    def serve(self) -> None:
        """Answer until the parent is gone."""
        while True:
            try:
                request, descriptor = receive(self._sock, Request)
            except EOFError:
                return
            reply, outgoing = self._answer(request, descriptor)
            send(self._sock, reply, outgoing)
            self._spent = None
            for owned in (descriptor, outgoing):
                if owned is not None:
                    os.close(owned)

    def _answer(self, request: Request, descriptor: int | None) -> tuple[Reply, int | None]:
        if isinstance(request, RunOp):
            return self._answer_op(request)
        meter = Meter()
        try:
            return self._dispatch(request, descriptor, meter)
        except CompileError as error:
            return _refusal(error, meter, error.levels), None
        except HarnessError as error:
            return _refusal(error, meter, fault=True), None
        except Exception as error:  # whatever the device's library raises is the answer
            traceback.print_exc()
            return _refusal(error, meter, fault=isinstance(request, Open)), None

    def _dispatch(
        self, request: Request, descriptor: int | None, meter: Meter
    ) -> tuple[Reply, int | None]:
        if isinstance(request, Open):
            assert descriptor is not None, "an Open comes with the stage log's memory"
            self._stage_log = StageLog(descriptor)
            return self._open(request, meter), None
        if isinstance(request, Compile):
            return self._compile(request, meter), None
        if isinstance(request, Load):
            return self._load(request, meter), None
        if isinstance(request, Release):
            self._binaries.pop(request.binary, None)
            return Released(), None
        assert isinstance(request, Run) and descriptor is not None, "a Run comes with its inputs"
        return self._run(request, descriptor, meter)

    def _open(self, request: Open, meter: Meter) -> Opened:
        self._backend = make_backend(request.device)
        found = self._backend.open()
        self._ops = OpStages(self._backend, found)
        return Opened(
            platform=found.platform,
            kind=found.kind,
            count=found.count,
            executes=found.executes,
            stablehlo_version=found.stablehlo_version,
            note=found.note,
            usage=Usage(*meter.read()),
            chips=found.chips or found.count,
            loads=found.executes and isinstance(self._backend, LoadingBackend),
        )

    @property
    def _opened(self) -> Backend:
        assert self._backend is not None, "Open comes first"
        return self._backend

    def _compile(self, request: Compile, meter: Meter) -> Compiled:
        backend, options = self._opened, request.options
        if request.placed is None:
            executable, levels = backend.compile(request.stablehlo, options)
        elif isinstance(backend, PlacingBackend):
            executable, levels = backend.compile_placed(request.stablehlo, options, request.placed)
        else:
            raise CompileError("this device runs a program on its first chip, and on no other")
        usage = Usage(*meter.read())
        number = self._numbered(executable)
        serialized = backend.serialize(executable) if request.keep_binary else b""
        said = backend.analysis(executable) if isinstance(backend, AnalysingBackend) else Analysis()
        return Compiled(number, levels, usage, serialized, said)

    def _load(self, request: Load, meter: Meter) -> Compiled:
        backend = self._opened
        assert isinstance(backend, LoadingBackend), "it said that it does not load"
        number = self._numbered(backend.load_binary(request.binary))
        return Compiled(number, (), Usage(*meter.read()))

    def _numbered(self, executable: Any) -> int:
        self._next += 1
        self._binaries[self._next] = executable
        return self._next

    def _answer_op(self, request: RunOp) -> tuple[Reply, int | None]:
        try:
            done, outgoing = self._run_op(request)
        except OpStageError as error:
            return msgspec.structs.replace(error.refused, log_end=self._log_end()), None
        except Exception as error:  # ours, then; the device is not at fault
            traceback.print_exc()
            return Refused(type(error).__name__, said_by(error), log_end=self._log_end()), None
        return msgspec.structs.replace(done, log_end=self._log_end()), outgoing

    def _log_end(self) -> int:
        return os.fstat(self._log).st_size

    def _run_op(self, request: RunOp) -> tuple[OpDone, int | None]:
        assert self._ops is not None and self._stage_log is not None, "Open comes first"
        self._stage_log.take(request.slot)
        given = _Given(self._sock, self._inputs, awaited=request.execute)
        try:
            compiled = None
            for compiled in self._ops.compile(request):
                self._reached(compiled.reached, request)
            if compiled is None or not self._ops.runs(request):
                return OpDone(), None
            outputs, ran = self._ops.run(compiled.executable, given.take())
            if self._faults is not None:
                outputs = self._faults.spoil(request.key, outputs)
            self._spent = compiled, outputs
            specs, _ = _store(outputs, self._outputs.reserve)
            self._strike(request, Stage.EXECUTE)
            return OpDone(tuple(specs), ran), self._outputs.announce()
        finally:
            given.discard()

    def _reached(self, reached: Reached, request: RunOp) -> None:
        assert self._stage_log is not None
        if not self._stage_log.note(reached):
            send(self._sock, reached)
        self._strike(request, reached.stage)

    def _strike(self, request: RunOp, passed: Stage) -> None:
        if self._faults is not None:
            self._faults.strike(request.key, passed)

    def _run(self, request: Run, descriptor: int, meter: Meter) -> tuple[Ran, int]:
        with mapped(descriptor) as memory:
            inputs = [_view(memory, spec) for spec in request.inputs]
            outputs = self._opened.run(self._binaries[request.binary], inputs)
            specs, outgoing = _store(outputs)
            del inputs, outputs
        return Ran(tuple(specs), Usage(*meter.read())), outgoing


class _Given:
    """The inputs that follow a request for an op, whether the op gets as far as that or not."""

    def __init__(self, sock: socket.socket, arena: ArenaView, *, awaited: bool) -> None:
        self._sock = sock
        self._arena = arena
        self._awaited = awaited

    def take(self) -> list[Array]:
        """Wait for them; they are good until the request is answered."""
        self._awaited = False
        message, descriptor = receive(self._sock, Request)
        assert isinstance(message, Inputs)
        self._arena.take(descriptor)
        return [_view(self._arena.memory, spec) for spec in message.inputs]

    def discard(self) -> None:
        """Take them off the socket, if nobody has."""
        if self._awaited:
            self.take()


def _view(memory: Any, spec: TensorSpec) -> Array:
    flat = np.frombuffer(memory, dtype=np.uint8, count=spec.size, offset=spec.offset)
    view = flat.view(dtype_of(spec.dtype)).reshape(spec.shape)
    view.flags.writeable = False
    return view


def _store(
    outputs: Sequence[Array], reserve: Callable[[int], int] = create_memory
) -> tuple[list[TensorSpec], int]:
    contiguous = [np.ascontiguousarray(o).reshape(np.shape(o)) for o in outputs]
    specs, size = layout([(o.dtype.name, o.shape, o.nbytes) for o in contiguous])
    descriptor = reserve(size)
    for spec, value in zip(specs, contiguous, strict=True):
        write_at(descriptor, value.reshape(-1).view(np.uint8).data, spec.offset)
    return specs, descriptor


def _refusal(
    error: Exception, meter: Meter, levels: Sequence[Any] = (), *, fault: bool = False
) -> Refused:
    name = type(error).__name__
    return Refused(name, said_by(error), tuple(levels), fault, Usage(*meter.read()))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


def write_line_by_line() -> None:
    """Have Python's and C's standard output written at each line's end.

    Into a file both wait for some kilobytes: a crash would lose them, and lines would be taken for
    a later op's (setvbuf(3)).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    libc = ctypes.CDLL(None)
    libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _IOLBF, 0)


def serve(sock: socket.socket, parent: int, memory_limit: int) -> NoReturn:
    """Be a host of process `parent` on this socket; `memory_limit` in bytes, 0 for none."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if memory_limit:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit, memory_limit))
    write_line_by_line()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is a result here, not a surprise
    faulthandler.enable()
    faulthandler.register(STACK_SIGNAL)
    Host(sock).serve()
    sys.stderr.flush()
    os._exit(0)  # plugins crash in their static destructors


def main() -> None:
    """Serve the socket named on the command line."""
    descriptor, *limit = map(int, words_of_parent(1))
    serve(socket.socket(fileno=descriptor), os.getppid(), limit[0] if limit else 0)


if __name__ == "__main__":
    main()
