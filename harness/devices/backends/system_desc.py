# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tenstorrent system descriptors, made from short chip files.

A system descriptor lets the Tenstorrent compiler compile on a machine without the hardware. A
board is `chips/NAME.toml`; what all chips of an architecture share is `chips/arch/ARCH.toml`; the
hash that each version of a plugin wants is in `chips/schema_hashes.toml`. The format itself is
`ttsys`.
"""

import re
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from bringup.harness.devices.backends.ttsys import (
    Arch,
    Board,
    Channel,
    Chip,
    Coord,
    Header,
    SystemDescError,
    decode,
    encode,
)
from bringup.harness.errors import RecordError
from bringup.harness.storage.decoding import decode_toml, shown, why_not

__all__ = [
    "Arch",
    "Board",
    "Chip",
    "Header",
    "SystemDescError",
    "board_names",
    "decode",
    "differences",
    "encode",
    "load_board",
    "schema_hash_for",
    "write_descriptor",
]

CHIPS = files("bringup.harness.devices.backends") / "chips"
"""The chip files of this package."""

_HASHES = "schema_hashes.toml"
_MISNAMED = re.compile(
    r"Object (?:(?P<missing>missing required)|contains unknown) field `(?P<field>.*)`"
)


class _BoardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    arch: Arch
    hosts: tuple[str, ...]
    chips: Annotated[tuple[dict[str, Any], ...], msgspec.Meta(min_length=1)]
    coords: tuple[Coord, ...]
    channels: tuple[Channel, ...]


def board_names(folder: Traversable = CHIPS) -> tuple[str, ...]:
    """The boards that have a chip file, sorted."""
    names = (entry.name for entry in folder.iterdir() if entry.name != _HASHES)
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_board(name: str, folder: Traversable = CHIPS) -> Board:
    """Read a board and its architecture from their chip files.

    Raises:
        SystemDescError: no such board, or a file that is malformed; names file and field.
    """
    if name not in board_names(folder):
        boards = ", ".join(board_names(folder))
        raise SystemDescError(f"There is no board {name!r}; there are {boards}.")
    file = f"{name}.toml"
    with _naming(file):
        board = msgspec.convert(_read(folder, file), _BoardFile)
    arch_file = f"arch/{board.arch}.toml"
    shared = _read(folder, arch_file)
    chips = []
    for index, own in enumerate(board.chips):
        with _naming(file, f"chips[{index}]", shared.keys() - own.keys(), arch_file):
            chips.append(_chip({**shared, **own, "arch": board.arch}))
            if "arch" in own:
                raise _fault("arch", "belongs to the board, not to a chip")
    with _naming(file):
        for index, ends in enumerate(board.channels):
            last = max(end.chip for end in ends)
            if last >= len(chips):
                raise _fault(f"channels[{index}]", f"chip {last} is not among the {len(chips)}")
    return Board(board.hosts, tuple(chips), board.coords, board.channels)


def schema_hash_for(plugin: str, version: str, folder: Traversable = CHIPS) -> str:
    """The schema hash, 64 hexadecimal digits, that a plugin's version wants.

    Args:
        plugin: name of the distribution that carries it, such as `jax-tt-plugin`.
        version: its version.
        folder: where `schema_hashes.toml` is.

    Raises:
        SystemDescError: we have none; names those we have.
    """
    with _naming(_HASHES):
        hashes = msgspec.convert(_read(folder, _HASHES), dict[str, dict[str, str]])
    versions = hashes.get(plugin, {})
    if version not in versions:
        known = shown(", ".join(versions)) or "no version of it"
        raise SystemDescError(
            f"No system descriptor can be made for {plugin} {version}: we have the schema hash of "
            f"{known}; {_HASHES} says how to add one."
        )
    return versions[version]


def write_descriptor(name: str, path: Path, plugin: str, version: str) -> None:
    """Write board `name` to `path` as a descriptor that `plugin` of `version` takes.

    Raises:
        SystemDescError: an unknown board, plugin or version, or a malformed chip file.
    """
    path.write_bytes(encode(load_board(name), schema_hash_for(plugin, version)))


def differences(a: Board, b: Board) -> list[str]:
    """Where two boards differ, a line per field: `chips[0].l1_size: 1499136 != 1499000`."""
    return list(_differences("", a, b))


def _differences(path: str, a: object, b: object) -> Iterable[str]:
    if isinstance(a, msgspec.Struct):
        for field in a.__struct_fields__:
            inner = f"{path}.{field}" if path else field
            yield from _differences(inner, getattr(a, field), getattr(b, field))
    elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) != len(b):
        yield f"{path}: {len(a)} entries != {len(b)} entries"
    elif isinstance(a, tuple) and isinstance(b, tuple) and a and isinstance(a[0], msgspec.Struct):
        for index, pair in enumerate(zip(a, b, strict=True)):
            yield from _differences(f"{path}[{index}]", *pair)
    elif a != b:
        yield f"{path}: {_show(a)} != {_show(b)}"


def _show(value: object) -> str:
    """A value as a chip file writes it: no class names."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_show, value))}]"
    return str(value)


def _read(folder: Traversable, file: str) -> dict[str, Any]:
    try:
        return decode_toml(folder.joinpath(file).read_text(encoding="utf-8"), file)
    except FileNotFoundError as error:
        raise SystemDescError(f"The chip file {file} is missing.") from error
    except RecordError as error:
        raise SystemDescError(f"{error}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SystemDescError(f"{file} is not TOML: {why_not(error)}.") from error


def _chip(figures: dict[str, Any]) -> Chip:
    noc0, noc1 = "dram_bank_to_logical_worker_noc0", "dram_bank_to_logical_worker_noc1"
    if noc0 in figures:
        figures.setdefault(noc1, figures[noc0])
    chip = msgspec.convert(figures, Chip)
    banks = chip.dram_grid.y * chip.dram_grid.x
    for field in (noc0, noc1):
        served = len(getattr(chip, field))
        if served != banks:
            raise _fault(field, f"{served} banks, but dram_grid has {banks}")
    return chip


def _fault(field: str, what: str) -> msgspec.ValidationError:
    """A fault of ours, in msgspec's words."""
    return msgspec.ValidationError(f"{what} - at `$.{field}`")


@contextmanager
def _naming(
    file: str, where: str = "", elsewhere: Container[str] = (), other_file: str = ""
) -> Iterator[None]:
    """Turn msgspec's complaint into a sentence with file and field.

    Args:
        file: the file being read.
        where: the place in it that is being converted.
        elsewhere: fields that come from `other_file`.
        other_file: where the fields in `elsewhere` come from.
    """
    try:
        yield
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        path = path.strip("`.")
        named = _MISNAMED.fullmatch(what)
        if named:
            path = ".".join(filter(None, [path, named["field"]]))
            missing = f"is missing, also from {other_file}" if other_file else "is missing"
            what = missing if named["missing"] else "is not a field we know"
        if re.split(r"[.\[]", path)[0] in elsewhere:
            file, where = other_file, ""
        field = ".".join(filter(None, [where, path]))
        raise SystemDescError(f"{file}, {shown(field)}: {shown(what)}.") from error
