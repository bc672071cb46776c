# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From bytes that anybody may have written to a value, or to one sentence: one function a format.

Every reader of a file, a row or a message decodes here. Whatever is wrong with the bytes (damage,
nesting without end, a number of five thousand digits, a frame that unpacks to the size of the
disk, an encoding that nobody knows) is a `RecordError` that names the file, and the field where
the format knows one; nothing else is raised, and the work is bounded by the size of the input.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.storage.writable import writable

T = TypeVar("T")

UNDECODABLE = (ValueError, TypeError, RecursionError, MemoryError, OverflowError, LookupError)
"""What decoders raise on bytes that are not theirs; msgspec's and tomllib's errors are ValueErrors,
an encoding that nobody knows is a LookupError, a depth of nesting a RecursionError."""
LARGEST_UNPACKED = 512 << 20
"""Bytes: a frame that unpacks to more is not unpacked, unless its reader says otherwise."""
_STEP = 1 << 12
"""Bytes unpacked at a time: four may stand for 128 KiB."""
_LARGEST_TOML = 4 << 20
_DEEPEST = 64
"""Levels of nesting of a TOML key, ours having two."""
_KEY_PART = r"""\.[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_DEEP_KEY = re.compile(f"(?:{_KEY_PART}){{{_DEEPEST}}}")
_LINE = re.compile(rb"[^\n]+")
_SHOWN = 300


def why_not(error: BaseException) -> str:
    """In a few words, why something cannot be decoded."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    return shown(str(error)) or type(error).__name__


def shown(text: str) -> str:
    """A text out of a file as a sentence has room for it: one line, at most 300 characters."""
    said = writable(" ".join(text.split()))
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]} ..."


def lines_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers, however many empty ones are between."""
    number, end = 1, 0
    for match in _LINE.finditer(data):
        start, next_end = match.span()
        number += start - end  # between two lines there is nothing but their ends
        end = next_end
        yield number, match[0]


class Json(Generic[T]):
    """Decodes JSON of one type; `what` is what a sentence calls it, e.g. `a record`."""

    def __init__(self, kind: Any, what: str) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._what = what

    def decode(self, data: bytes, where: object) -> T:
        """The value.

        Raises:
            RecordError: it is none; the sentence says `where` and which field.
        """
        try:
            return self._decoder.decode(data)
        except UNDECODABLE as error:
            raise RecordError(f"{where}: not {self._what}: {why_not(error)}") from None

    def decode_or_none(self, data: bytes) -> T | None:
        """The value; None where it is none, and no time is spent on saying why."""
        try:
            return self._decoder.decode(data)
        except UNDECODABLE:
            return None


def decode_json(data: bytes, kind: type[T], where: object, what: str) -> T:
    """JSON of a type, decoded once; see `Json`.

    Raises:
        RecordError: it is none.
    """
    return Json[T](kind, what).decode(data, where)


def decode_toml(text: str, where: object) -> dict[str, Any]:
    """A TOML document.

    Raises:
        RecordError: it is none, or larger or deeper than any of ours (4 MiB, 64 levels of keys:
            the parser takes minutes for a key of many parts).
    """
    if len(text) > _LARGEST_TOML:
        raise RecordError(f"{where} is not TOML of ours: it is larger than {_LARGEST_TOML} bytes")
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise RecordError(f"{where} is not TOML of ours: a key of line {line} is too deep")
    try:
        return tomllib.loads(text)
    except UNDECODABLE as error:
        raise RecordError(f"{where} is not TOML: {why_not(error)}") from None


def unpacked(data: bytes, where: object, largest: int = LARGEST_UNPACKED) -> bytes:
    """What zstd packed, whether or not its frames say how large they are.

    Raises:
        RecordError: damaged, cut short, or more than `largest` bytes.
    """
    parts, size, start = [], 0, 0
    try:
        while start < len(data) or not start:
            frame = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            for at in range(start, max(len(data), start + 1), _STEP):
                parts.append(frame.decompress(data[at : at + _STEP]))
                size += len(parts[-1])
                if size > largest:
                    raise RecordError(f"{where}: it unpacks to more than {largest} bytes")
                if frame.eof:
                    start = min(at + _STEP, len(data)) - len(frame.unused_data)
                    break
            else:
                raise RecordError(f"{where}: cannot be unpacked: it is cut short")
    except (zstandard.ZstdError, *UNDECODABLE) as error:
        raise RecordError(f"{where}: cannot be unpacked: {why_not(error)}") from None
    return b"".join(parts)


def read_bytes(path: Path, what: str = "", start: int = 0) -> bytes:
    """A file's bytes from `start` on; `what` is what a sentence calls it, e.g. `the list `.

    Raises:
        RecordError: it cannot be read, or is no file (reading a pipe would never end).
    """
    try:
        if path.exists() and not path.is_file():
            raise RecordError(f"cannot read {what}{path}: it is not a regular file")
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except (OSError, ValueError) as error:
        raise RecordError(f"cannot read {what}{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or why_not(error)
