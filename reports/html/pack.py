# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a page's script unpacks: JSON and typed columns in one deflated block.

A block is the length of its JSON as a little-endian uint32, the JSON, and the columns one after
the other. The JSON is `{"meta": ..., "columns": {name: [bytes of an entry, entries]}}`. Of
columns wider than a byte first all low bytes come, then all next ones: high bytes hardly differ,
and so shrink to nothing.

Measures are kept on a logarithmic scale, 0.5 % a step: a chart of a page's height shows no more,
and 300,000 of them take a fifth of what numbers take. The spreadsheet has every digit.
"""

import math
import struct
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from bringup.harness.storage.writable import encoded
from bringup.reports.html.environment import packed

Numbers = npt.NDArray[Any]

STEP = 0.005
"""Of the natural logarithm."""
LEAST = 1e-9
"""What code 1 stands for."""
ABSENT = 0
_MOST = 0xFFFF


class Pack:
    """Columns on their way into a block."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[int, int]] = {}
        self._data: list[bytes] = []

    def add(self, name: str, values: Iterable[int] | Numbers) -> None:
        """A column of whole numbers from 0 to 2**32 - 1, as wide as the largest needs."""
        found = np.asarray(values if isinstance(values, np.ndarray) else list(values), np.uint32)
        largest = int(found.max()) if found.size else 0
        width = 1 if largest < 1 << 8 else 2 if largest < 1 << 16 else 4
        planes = found.astype("<u4").view("u1").reshape(-1, 4)[:, :width]
        self._columns[name] = width, int(found.size)
        self._data.append(planes.T.tobytes())

    def text(self, meta: object) -> str:
        """The block, as text for a `<script type="text/plain">`."""
        head = encoded({"meta": meta, "columns": self._columns})
        return packed(b"".join([struct.pack("<I", len(head)), head, *self._data]))


def steps(values: Iterable[float | None] | Numbers) -> Numbers:
    """uint32: numbers above 0 on the scale; 0 for what is none, 1 for 0 and less."""
    if not isinstance(values, np.ndarray):
        values = np.array([np.nan if v is None else v for v in values], np.float64)
    with np.errstate(all="ignore"):
        codes = np.rint(np.log(np.maximum(values, LEAST) / LEAST) / STEP) + 1
    known = np.isfinite(values)
    return np.where(known, np.minimum(np.where(known, codes, 0), _MOST), ABSENT).astype(np.uint32)


def from_one(correlations: Numbers) -> Numbers:
    """How far correlations are from 1, on the scale: there the digits are that matter."""
    off = 1.0 - correlations.astype(np.float64)
    codes = steps(np.maximum(off, 0.0))
    return np.where(off > 0, np.maximum(codes, 2), codes)  # what is nearly 1 is not 1


class Words:
    """Texts, each kept once; 0 stands for none."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """The text's position."""
        return self._known.setdefault(text, len(self._known))

    @property
    def texts(self) -> list[str]:
        """By position."""
        return list(self._known)


def short(value: float | None, digits: int = 4) -> float | None:
    """A number to a few significant digits; None of what is no number."""
    if value is None or not math.isfinite(value):
        return None
    found = float(f"{value:.{digits}g}")
    return int(found) if found.is_integer() and abs(found) < 1e15 else found


def blocks_of(values: list[object], each: int) -> list[str]:
    """JSON of so many values a block."""
    return [packed(msgspec.json.encode(values[i : i + each])) for i in range(0, len(values), each)]
