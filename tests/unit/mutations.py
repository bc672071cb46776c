# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Bytes as damage and malice make them: a valid file with something done to it."""

import random
import re
from collections.abc import Callable

import zstandard

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_WORD = re.compile(rb'"[^"]*"')
NUMBERS = (
    b"9" * 5000,
    b"-1",
    b"1e999",
    b"NaN",
    b"-0",
    b"1e308",
    b"0.1e-400",
    b"18446744073709551616",
)
WORDS = (
    b'"\\ud800"',
    b'""',
    b'"\\u0000"',
    b"null",
    b"[]",
    b"{}",
    b"true",
    b'"' + b"x" * 9000 + b'"',
)
NESTS = (b"[", b"{", b'{"a":', b"<a>", b"\x91", b"a={a=", b"[[", b'[{"b":[')


def flipped(data: bytes, dice: random.Random) -> bytes:
    """A few bits the other way."""
    bent = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if bent:
            bent[dice.randrange(len(bent))] ^= 1 << dice.randrange(8)
    return bytes(bent)


def cut(data: bytes, dice: random.Random) -> bytes:
    """The beginning, or all but a piece."""
    at, to = sorted(dice.randrange(len(data) + 1) for _ in "ab")
    return dice.choice((data[:at], data[:at] + data[to:], data[at:]))


def spliced(data: bytes, dice: random.Random) -> bytes:
    """A piece of itself, or noise, somewhere in it."""
    at, to = sorted(dice.randrange(len(data) + 1) for _ in "ab")
    piece = dice.choice((data[at:to], dice.randbytes(dice.choice((1, 4, 64)))))
    place = dice.randrange(len(data) + 1)
    return data[:place] + piece * dice.choice((1, 1, 3)) + data[place:]


def nested(data: bytes, dice: random.Random) -> bytes:
    """Nested without end, in place of something or in front."""
    nest = dice.choice(NESTS) * dice.choice((50, 1_000, 30_000))
    found = list(_WORD.finditer(data)) + list(_NUMBER.finditer(data))
    if not found or dice.random() < 0.2:
        return nest + data
    hit = dice.choice(found)
    return data[: hit.start()] + nest + data[hit.end() :]


def numbered(data: bytes, dice: random.Random) -> bytes:
    """Another number, one that nobody expects."""
    return _replaced(data, _NUMBER, NUMBERS, dice)


def worded(data: bytes, dice: random.Random) -> bytes:
    """Something else in a text's place."""
    return _replaced(data, _WORD, WORDS, dice)


def recoded(data: bytes, dice: random.Random) -> bytes:
    """In another encoding, with or without a word on that."""
    text = data.decode("latin-1")
    name = dice.choice(("utf-16", "utf-32", "utf-7", "cp037", "utf-8-sig", "idna", "no-such"))
    if dice.random() < 0.5:
        text = f"<?xml version='1.0' encoding='{name}'?>{text}"
    try:
        return text.encode(name, "replace")
    except (LookupError, UnicodeError):
        return text.encode("latin-1", "replace")


def packed(data: bytes, dice: random.Random) -> bytes:
    """As zstd packs it, or a frame that unpacks to much more."""
    if dice.random() < 0.9:
        return zstandard.compress(data)
    fill = dice.choice((b"\0", b"\n", data[:64] or b"x"))
    return zstandard.compress(fill * ((24 << 20) // len(fill)))


def unpacked(
    data: bytes, change: Callable[[bytes, random.Random], bytes], dice: random.Random
) -> bytes:
    """What zstd packed, changed inside and packed again."""
    return zstandard.compress(change(zstandard.decompress(data), dice))


CHANGES = (flipped, cut, spliced, nested, numbered, worded, recoded, packed)


def _replaced(
    data: bytes, what: re.Pattern[bytes], others: tuple[bytes, ...], dice: random.Random
) -> bytes:
    found = list(what.finditer(data))
    if not found:
        return spliced(data, dice)
    hit = dice.choice(found)
    return data[: hit.start()] + dice.choice(others) + data[hit.end() :]


def mutated(seed: bytes, number: int) -> bytes:
    """A valid file with one to three things done to it; the same for the same number."""
    dice = random.Random(number)
    data = seed
    is_packed = seed.startswith(b"\x28\xb5\x2f\xfd")
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        change = dice.choice(CHANGES)
        if is_packed and dice.random() < 0.7:
            try:
                data = unpacked(data, change, dice)
                continue
            except (zstandard.ZstdError, MemoryError):  # it is damaged already
                pass
        data = change(data, dice)
    return data
