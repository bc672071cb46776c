# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The `.ttsys` format: what the Tenstorrent compiler is told about the system it compiles for.

A size-prefixed flatbuffer with the identifier TTSY. Slots, structs and widths below were read off
four captures from hardware (`tests/data/system_desc`); there is no generated code. The plugin
verifies nothing but the schema hash, and that only when it compiles: a file cut short kills its
process, so what is damaged is refused here.
"""

import enum
import struct
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import flatbuffers
import flatbuffers.table
import msgspec
from flatbuffers import number_types

from bringup.harness.errors import HarnessError
from bringup.harness.storage.decoding import UNDECODABLE

IDENTIFIER = b"TTSY"

U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
U64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # as far as TOML's integers go


class SystemDescError(HarnessError):
    """A chip file, a descriptor or a plugin version we cannot use."""


class Arch(enum.StrEnum):
    """A chip architecture, in the order of its number in the format."""

    WORMHOLE_B0 = "wormhole_b0"
    BLACKHOLE = "blackhole"


class DataType(enum.StrEnum):
    """A data type of the chip, in the order of its number in the format."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    BFP_F8 = "bfp_f8"
    BFP_BF8 = "bfp_bf8"
    BFP_F4 = "bfp_f4"
    BFP_BF4 = "bfp_bf4"
    BFP_F2 = "bfp_f2"
    BFP_BF2 = "bfp_bf2"
    U32 = "u32"
    U16 = "u16"
    U8 = "u8"
    SI32 = "si32"


class YX(NamedTuple):
    """Rows and columns, or a row and a column; cores, banks or elements."""

    y: U32
    x: U32


class Coord(NamedTuple):
    """Where a chip sits in a cluster."""

    rack: U32
    shelf: U32
    y: U32
    x: U32


class Port(NamedTuple):
    """One end of an Ethernet link: a chip's index and its Ethernet core."""

    chip: U32
    y: U32
    x: U32


class Channel(NamedTuple):
    """An Ethernet link between two chips."""

    first: Port
    second: Port


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One chip. Fields bear the names TTNN text prints and lie in the order of their slots."""

    arch: Arch
    grid: YX
    """Worker cores, rows and columns."""
    coord_translation_offsets: YX
    """Cores: the first translated worker coordinate."""
    l1_size: U64
    """Bytes of L1 per worker core."""
    num_dram_channels: U32
    dram_channel_size: U64
    """Bytes per channel."""
    noc_l1_address_align_bytes: U32
    pcie_address_align_bytes: U32
    noc_dram_address_align_bytes: U32
    l1_unreserved_base: U32
    """First free byte of a worker core's L1."""
    erisc_l1_unreserved_base: U32
    """First free byte of an Ethernet core's L1."""
    dram_unreserved_base: U32
    """First free byte of a DRAM channel."""
    dram_unreserved_end: U32
    """End of the free bytes of a DRAM channel."""
    supported_data_types: tuple[DataType, ...]
    supported_tile_sizes: tuple[YX, ...]
    """Elements."""
    dst_physical_size_tiles: U32
    """Tiles in the destination register."""
    num_cbs: U32
    """Circular buffers per worker core."""
    num_compute_threads: U32
    num_datamovement_threads: U32
    dram_grid: YX
    """DRAM banks."""
    dram_bank_to_logical_worker_noc0: tuple[YX, ...]
    """For each DRAM bank the worker core that serves it over NoC 0."""
    dram_bank_to_logical_worker_noc1: tuple[YX, ...]
    """The same over NoC 1."""
    host_attached: bool
    """On the host's PCIe, rather than reached through another chip."""


class Board(msgspec.Struct, frozen=True):
    """A system as a compiler sees it: a host and its chips, devices in this order."""

    hosts: tuple[str, ...]
    """Target triples of the host's CPUs."""
    chips: tuple[Chip, ...]
    coords: tuple[Coord, ...]
    """One for the whole board in all captures, also in that of eight chips."""
    channels: tuple[Channel, ...]

    @property
    def arch(self) -> Arch:
        """The architecture of its chips, which all have the same."""
        return self.chips[0].arch


class Header(msgspec.Struct, frozen=True):
    """What a descriptor says about itself. Only the schema hash matters to the plugin."""

    version: str
    """Of the compiler that made it; ours says 0.0.0."""
    schema_hash: str
    """64 hexadecimal digits."""
    git_hash: str
    product: str


_HOST_ATTACHED = 1  # bit 0 of a chip's capabilities, the only one that captures set
_MOST_ROWS, _MOST_CHIPS = 4096, 256
"""Entries may share their bytes, so a small file could claim work without end."""
_SLOTS = [(field.name, field.type) for field in msgspec.structs.fields(Chip)][:-1]
"""Names and types of a chip's fields in slot order; the last lies outside the chip's table."""
_U16, _U32 = number_types.Uint16Flags, number_types.Uint32Flags
_U64 = number_types.Uint64Flags


def encode(board: Board, schema_hash: str, git_hash: str = "") -> bytes:
    """The board as a descriptor.

    Args:
        board: what to describe.
        schema_hash: 64 hexadecimal digits, see `schema_hash_for`.
        git_hash: of the compiler it is for, if that is to be recorded.
    """
    builder = flatbuffers.Builder(4096)
    system = _table(
        builder,
        _tables(builder, [_write_host(builder, triple) for triple in board.hosts]),
        _tables(builder, [_write_chip(builder, chip) for chip in board.chips]),
        _rows(builder, [[index] for index in range(len(board.chips))]),
        _rows(builder, [[_HOST_ATTACHED * chip.host_attached] for chip in board.chips]),
        _rows(builder, board.coords),
        _rows(builder, [[*first, *second] for first, second in board.channels]),
    )
    texts = [_Ref(builder.CreateString(text)) for text in (schema_hash, git_hash, "unknown")]
    root = _table(builder, YX(0, 0), *texts, system)
    builder.FinishSizePrefixed(root.offset, IDENTIFIER)
    return bytes(builder.Output())


def decode(data: bytes) -> tuple[Header, Board]:
    """A descriptor's own words and the board it describes.

    Raises:
        SystemDescError: not a descriptor, damaged, or with a value we have no name for.
    """
    if len(data) < 12 or data[8:12] != IDENTIFIER:
        raise SystemDescError("This is not a Tenstorrent system descriptor: no TTSY at byte 8.")
    if int.from_bytes(data[:4], "little") != len(data) - 4:
        raise SystemDescError(
            f"The system descriptor is damaged: it is not {len(data)} bytes long."
        )
    try:
        root = _Reader(data, 4 + int.from_bytes(data[4:8], "little"))
        version = ".".join(map(str, root.numbers(0, "HHI")))
        header = Header(version, root.text(1), root.text(2), root.text(3))
        return header, _read_board(root.table(4))
    except (struct.error, IndexError, *UNDECODABLE) as error:
        raise SystemDescError(f"The system descriptor is damaged: {error}.") from error


class _Ref(NamedTuple):
    """A table, vector or string already written."""

    offset: int


_Slot = _Ref | YX | tuple[Any, int]
"""What fills a slot: a reference, a struct in line, or a number and its width."""


def _table(builder: Any, *slots: _Slot) -> _Ref:
    builder.StartObject(len(slots))
    for slot, value in enumerate(slots):
        match value:
            case _Ref(offset):
                builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
            case YX(y, x):
                builder.Prep(4, 8)
                builder.PrependUint32(x)
                builder.PrependUint32(y)
                builder.PrependStructSlot(slot, builder.Offset(), 0)
            case (width, number):
                builder.PrependSlot(width, slot, number, 0)
    return _Ref(builder.EndObject())


def _tables(builder: Any, tables: Sequence[_Ref]) -> _Ref:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table.offset)
    return _Ref(builder.EndVector())


def _rows(builder: Any, rows: Sequence[Sequence[int]], width: Any = _U32) -> _Ref:
    """Write a vector of numbers, or of structs that are a run of equal numbers."""
    columns = len(rows[0]) if rows else 1
    builder.StartVector(width.bytewidth * columns, len(rows), width.bytewidth)
    for row in reversed(rows):
        for number in reversed(row):
            builder.Prepend(width, number)
    return _Ref(builder.EndVector())


def _write_host(builder: Any, triple: str) -> _Ref:
    text = _Ref(builder.CreateString(triple))
    return _table(builder, (_U32, 0), text)  # role 0, the default, is a host and never stored


def _write_chip(builder: Any, chip: Chip) -> _Ref:
    return _table(builder, *[_lower(builder, kind, getattr(chip, name)) for name, kind in _SLOTS])


def _lower(builder: Any, kind: Any, value: Any) -> _Slot:
    """A chip's field as it lies in its table; vectors are written at once."""
    if kind is Arch:
        return _U32, list(Arch).index(value)
    if kind in (U32, U64):
        return _U32 if kind == U32 else _U64, value
    if kind is YX:
        return YX(*value)
    if kind == tuple[DataType, ...]:
        return _rows(builder, [[list(DataType).index(entry)] for entry in value], _U16)
    return _rows(builder, value)


class _Reader:
    """A table of a descriptor; what was left out reads as zero or empty."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._table = flatbuffers.table.Table(data, position)

    def _at(self, slot: int) -> int:
        """Where a slot lies within the table; 0: left out."""
        return int(self._table.Offset(4 + 2 * slot))

    def numbers(self, slot: int, widths: str) -> tuple[int, ...]:
        """A number or struct, `widths` as in `struct`."""
        at = self._at(slot)
        if not at:
            return (0,) * len(widths)
        return struct.unpack_from(f"<{widths}", self._data, self._table.Pos + at)

    def text(self, slot: int) -> str:
        at = self._at(slot)
        return bytes(self._table.String(self._table.Pos + at)).decode() if at else ""

    def rows(self, slot: int, widths: str) -> list[tuple[int, ...]]:
        """A vector of numbers or structs."""
        at = self._at(slot)
        if not at:
            return []
        start, size = int(self._table.Vector(at)), struct.calcsize(f"<{widths}")
        count = int(self._table.VectorLen(at))
        if count > _MOST_ROWS:
            raise IndexError(f"a vector claims {count} entries, more than any board has")
        end = start + size * count
        if end > len(self._data):
            raise IndexError(f"a vector ends at byte {end} of {len(self._data)}")
        return list(struct.iter_unpack(f"<{widths}", self._data[start:end]))

    def table(self, slot: int) -> "_Reader":
        at = self._at(slot)
        if not at:
            raise IndexError(f"a table is missing from slot {slot}")
        return _Reader(self._data, int(self._table.Indirect(self._table.Pos + at)))

    def tables(self, slot: int) -> list["_Reader"]:
        at = self._at(slot)
        start = int(self._table.Vector(at)) if at else 0
        offsets = self.rows(slot, "I")
        return [_Reader(self._data, start + 4 * n + offset) for n, (offset,) in enumerate(offsets)]


def _read_board(system: _Reader) -> Board:
    """A vector of descriptions and one of indices into it: chips may share a description."""
    chips = system.tables(1)
    flags = system.rows(3, "I")
    indices = system.rows(2, "I")
    if not 0 < len(indices) <= _MOST_CHIPS:
        raise IndexError(f"it has {len(indices)} chips")
    return Board(
        hosts=tuple(_read_host(cpu) for cpu in system.tables(0)),
        chips=tuple(
            _read_chip(chips[index], attached)
            for (index,), (attached,) in zip(indices, flags, strict=True)
        ),
        coords=tuple(Coord(*row) for row in system.rows(4, "IIII")),
        channels=tuple(Channel(Port(*row[:3]), Port(*row[3:])) for row in system.rows(5, "IIIIII")),
    )


def _read_host(cpu: _Reader) -> str:
    if cpu.numbers(0, "B") != (0,):
        raise SystemDescError(
            "The system descriptor has a CPU that is no host; we know only hosts."
        )
    return cpu.text(1)


def _read_chip(chip: _Reader, capabilities: int) -> Chip:
    if capabilities & ~_HOST_ATTACHED:
        raise SystemDescError(
            f"The system descriptor has capabilities {capabilities:#x}; we know 1."
        )
    figures = {name: _read_field(chip, slot, kind) for slot, (name, kind) in enumerate(_SLOTS)}
    return Chip(**figures, host_attached=bool(capabilities))


def _read_field(chip: _Reader, slot: int, kind: Any) -> Any:
    if kind is Arch:
        return _member(Arch, *chip.numbers(slot, "I"))
    if kind in (U32, U64):
        return chip.numbers(slot, "I" if kind == U32 else "Q")[0]
    if kind is YX:
        return YX(*chip.numbers(slot, "II"))
    if kind == tuple[DataType, ...]:
        return tuple(_member(DataType, *row) for row in chip.rows(slot, "H"))
    return tuple(YX(*row) for row in chip.rows(slot, "II"))


def _member(kind: type[enum.StrEnum], number: int) -> enum.StrEnum:
    members = tuple(kind)
    if number >= len(members):
        raise SystemDescError(
            f"The system descriptor has {kind.__name__} number {number}; we know {len(members)}."
        )
    return members[number]
