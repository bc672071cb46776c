# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What passes between a test process and a device host.

Messages are msgpack with a length in front, over a UNIX socket pair. Tensors of any size go
beside them, in one anonymous memory file whose descriptor is passed along: nothing is pickled,
nothing has a name, and the kernel frees it when both sides are gone.
"""

import array
import contextlib
import mmap
import os
import signal
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from bringup.harness.records.schema import Stage
from bringup.harness.storage.decoding import UNDECODABLE, why_not
from bringup.harness.storage.writable import plain

ALIGNMENT = 64
"""Bytes; XLA's CPU client takes host memory without a copy from this alignment on."""
STACK_SIGNAL = signal.SIGRTMIN + 5
"""Asks a host that hangs where it is: it writes its stacks to standard error, GIL or not.

A real-time signal, since LLVM takes SIGUSR1 and SIGUSR2 for itself."""

_LENGTH = struct.Struct("<Q")
_LARGEST, _AT_ONCE = 8 << 30, 64 << 20
"""Bytes of one message, tensors lying beside it, and of what is set aside before it comes."""


class TensorSpec(msgspec.Struct, frozen=True, array_like=True):
    """A tensor in a memory file."""

    dtype: str
    """numpy's (or ml_dtypes') name, e.g. `float32`, `bfloat16`, `bool`."""
    shape: tuple[int, ...]
    offset: int
    """Bytes from the file's start, a multiple of `ALIGNMENT`."""
    size: int
    """Bytes."""


class Level(msgspec.Struct, frozen=True):
    """One level of the device's own IR."""

    name: str
    text: str


class Analysis(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a compiler says of a program that it compiled; None where it says nothing."""

    arguments: int | None = None
    """Bytes of its arguments, weights included."""
    outputs: int | None = None
    """Bytes of its outputs."""
    aliased: int = 0
    """Bytes of outputs that lie where arguments did."""
    temporaries: int | None = None
    """Bytes of what lies between."""
    allocated: int | None = None
    """Bytes of outputs and temporaries together, where that is all it says."""
    code: int | None = None
    """Bytes of the program itself, constants included."""
    flops: float | None = None
    """Arithmetic operations, a multiplication and an addition being two."""
    bytes: float | None = None
    """Bytes read and written in the device's memory."""


class Usage(msgspec.Struct, frozen=True):
    """What a request cost inside the host."""

    wall_s: float
    cpu_s: float
    peak_rss: int
    """Bytes."""


class Open(msgspec.Struct, frozen=True, tag=True):
    """Open the device; the first request a host gets. The memory of its `StageLog` comes along."""

    device: str


class Placed(msgspec.Struct, frozen=True):
    """Which of a device's chips a program runs on, where it is not the first one alone."""

    chips: tuple[int, ...]
    """By ordinal; of more than one, every chip computes its part of one program."""
    split: tuple[int, ...] = ()
    """Arguments of `main`, by place, whose first dimension is divided over the first axis."""
    mesh: tuple[tuple[str, int], ...] = ()
    """Axes that the chips are arranged in, each with its size; none: all are one axis, `batch`."""
    shards: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Arguments that are divided otherwise, by place: the axis of each dimension; empty: whole."""

    @property
    def axes(self) -> tuple[tuple[str, int], ...]:
        """The axes of the mesh, each with its size; the last one counts fastest."""
        return self.mesh or (("batch", len(self.chips)),)

    def axes_of(self, place: int, rank: int) -> tuple[str, ...]:
        """The axis that each dimension of an argument is divided over; empty: it is whole."""
        for other, axes in self.shards:
            if other == place:
                return axes
        first = self.axes[0][0] if place in self.split and rank else ""
        return ((first,) + ("",) * (rank - 1))[:rank]


class Compile(msgspec.Struct, frozen=True, tag=True):
    """Compile a portable StableHLO artifact whose entry point is `main`."""

    stablehlo: bytes
    options: dict[str, str] = {}
    placed: Placed | None = None
    keep_binary: bool = False
    """Send the serialised binary back, for TT_TORCH_SAVE_BINARY, or to be loaded another time."""


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load what `Compile` sent back before, instead of compiling it again."""

    binary: bytes


class Run(msgspec.Struct, frozen=True, tag=True):
    """Run a compiled program on inputs in the memory file that comes along."""

    binary: int
    inputs: tuple[TensorSpec, ...]


class RunOp(msgspec.Struct, frozen=True, tag=True):
    """Lower, compile and run one op: one request, one `Reached` per stage, then `OpDone`.

    It may be sent while the host is at the op before, which has all its `Inputs`.

    Exactly one of `torch_ir` and `stablehlo` is given. Either may be text or bytecode with `main`
    as its entry point; `stablehlo` may be a portable artifact too.
    """

    torch_ir: bytes = b""
    """Torch dialect, as the FX importer leaves it."""
    stablehlo: bytes = b""
    options: dict[str, str] = {}
    execute: bool = False
    """True: `Inputs` follow, whatever becomes of the op meanwhile."""
    key: str = ""
    """The op's, for `faults`."""
    slot: int = 0
    """The op's on the stage log."""


class Inputs(msgspec.Struct, frozen=True, tag=True):
    """An op's inputs, written while the op is compiled.

    They are in the memory file that comes along, or else in the one that came along last; it is the
    parent's to write again when the op is done.
    """

    inputs: tuple[TensorSpec, ...]


class Release(msgspec.Struct, frozen=True, tag=True):
    """Forget a compiled program."""

    binary: int


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The device is open."""

    platform: str
    kind: str
    """What the device says it is, e.g. `Wormhole_b0`."""
    count: int
    executes: bool
    """False: compiles against a description, cannot run."""
    stablehlo_version: str
    """Newest StableHLO the device takes, empty for the newest there is."""
    note: str
    usage: Usage
    chips: int = 1
    """How many a program may run on, virtual ones too."""
    loads: bool = False
    """Does it load, and run, what it compiled in another process of this machine?"""


class Compiled(msgspec.Struct, frozen=True, tag=True):
    """The program compiled."""

    binary: int
    levels: tuple[Level, ...]
    usage: Usage
    serialized: bytes = b""
    analysis: Analysis = Analysis()


class Ran(msgspec.Struct, frozen=True, tag=True):
    """The program ran; its outputs are in the memory file that comes along."""

    outputs: tuple[TensorSpec, ...]
    usage: Usage


class Reached(msgspec.Struct, frozen=True, tag=True):
    """An op is through a stage: in the stage log, or a message where that has no room for it."""

    stage: Stage
    levels: tuple[Level, ...]
    usage: Usage


class OpDone(msgspec.Struct, frozen=True, tag=True):
    """The op is through.

    Its outputs, if it ran, are in the memory file that comes along, or else in the one that came
    along last; it is the host's to write again when the next op's `Inputs` have come.
    """

    outputs: tuple[TensorSpec, ...] = ()
    ran: Usage | None = None
    """What running it cost, if it ran."""
    log_end: int | None = None
    """Bytes in the host's log by now."""


class Released(msgspec.Struct, frozen=True, tag=True):
    """Done."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The request failed and the host lives on."""

    kind: str
    """Exception class."""
    message: str
    levels: tuple[Level, ...] = ()
    """IR levels that were reached before the failure."""
    device_fault: bool = False
    """True: the device or its plugin is at fault, not the program."""
    usage: Usage | None = None
    stage: Stage | None = None
    """The stage of an op it happened in; None for other requests."""
    diagnostic: str = ""
    """All the compiler said, where that is more than the message."""
    log_end: int | None = None
    """As `OpDone`'s, for an op."""


Request = Open | Compile | Load | Run | RunOp | Inputs | Release
Reply = Opened | Compiled | Ran | Reached | OpDone | Released | Refused


_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[Any, msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (Request, Reply)
}
_ROOM = socket.CMSG_SPACE(array.array("i").itemsize)


def send(sock: socket.socket, message: Request | Reply, descriptor: int | None = None) -> None:
    """Send one message, and at most one file descriptor with it."""
    payload = _encoded(message)
    ancillary = []
    if descriptor is not None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
    sent = sock.sendmsg([_LENGTH.pack(len(payload)), payload], ancillary) - _LENGTH.size
    if sent < len(payload):  # never less than the length: the buffer has room for that or none
        sock.sendall(memoryview(payload)[sent:])


def _encoded(message: Request | Reply) -> bytes:
    """A message, whatever texts of a compiler are in it."""
    try:
        return _ENCODER.encode(message)
    except UnicodeEncodeError:
        data = msgspec.to_builtins(message, builtin_types=(bytes, bytearray, memoryview))
        return _ENCODER.encode(plain(data))


def receive(sock: socket.socket, kind: Any) -> tuple[Any, int | None]:
    """Receive one message, `Request` or `Reply`, and the descriptor that came with it, if any.

    Raises:
        EOFError: the other side is gone, or what it sends is no message.
        TimeoutError: the socket's timeout ran out.
    """
    head, ancillary, _, _ = sock.recvmsg(_LENGTH.size, _ROOM)
    if not head:
        raise EOFError
    descriptor = None
    for _, _, data in ancillary:
        descriptor = array.array("i", data[:4])[0]
    if len(head) < _LENGTH.size:
        head += _exactly(sock, _LENGTH.size - len(head))
    (size,) = _LENGTH.unpack(head)
    try:
        if size > _LARGEST:
            raise ValueError(f"a message of {size} bytes")
        return _DECODERS[kind].decode(_exactly(sock, size)), descriptor
    except UNDECODABLE as error:  # memory that a library wrote over, most likely
        if descriptor is not None:
            os.close(descriptor)
        raise EOFError(f"no message: {why_not(error)}") from None


def _exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes; room is made as they come, for the size may be nonsense."""
    first = sock.recv(min(size, _AT_ONCE), socket.MSG_WAITALL)
    if len(first) == size:
        return first
    parts, missing = [first], size - len(first)
    while missing:
        part = sock.recv(min(missing, _AT_ONCE), socket.MSG_WAITALL)
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def layout(tensors: Sequence[tuple[str, tuple[int, ...], int]]) -> tuple[list[TensorSpec], int]:
    """Lay (dtype, shape, bytes) tensors out in one file; the specs and the file's size."""
    specs, offset = [], 0
    for dtype, shape, size in tensors:
        specs.append(TensorSpec(dtype, shape, offset, size))
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return specs, offset


def create_memory(size: int) -> int:
    """An anonymous memory file of `size` bytes; the caller closes the descriptor."""
    descriptor = os.memfd_create("bringup-tensors")
    os.ftruncate(descriptor, max(size, 1))
    return descriptor


def write_at(descriptor: int, data: memoryview, offset: int) -> None:
    """Copy bytes into a memory file; the kernel does it several times faster than a new mapping."""
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def read_at(descriptor: int, data: memoryview, offset: int) -> None:
    """Fill `data` from a memory file that reaches as far.

    Raises:
        EOFError: it does not.
    """
    while data:
        got = os.preadv(descriptor, [data], offset)
        if not got:
            raise EOFError
        data, offset = data[got:], offset + got


@contextlib.contextmanager
def mapped(descriptor: int) -> Iterator[mmap.mmap]:
    """Map a whole memory file, shared; unmapped on leaving unless views of it still live."""
    memory = mmap.mmap(descriptor, 0)
    try:
        yield memory
    finally:
        with contextlib.suppress(BufferError):
            memory.close()
