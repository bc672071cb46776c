# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How a row of the sweep's table is written: an op, and the calls of it that are made.

A row holds no tensor and imports no torch: a table of thousands of cases is read in no time. An
operand is a `T`: shape, dtype, what its values are like, and how it comes to lie in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FLOATS = ("float32", "bfloat16", "float16", "float64")
SHORT = {
    "float32": "f32",
    "float64": "f64",
    "float16": "f16",
    "bfloat16": "bf16",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint8": "u8",
    "bool": "i1",
}
"""Dtypes as cases are called by them."""


@dataclass(frozen=True)
class T:
    """An operand."""

    shape: tuple[int, ...] = (3, 5)
    dtype: str = "float32"
    values: str = "normal"
    """A maker's name in `values`, behind a colon what it is given: `index:7`."""
    layout: str = ""
    """Empty: as it is. `flip`, `transpose`, `step`, `expand`: an op before it, in the same
    program, gives it; a compiler sees negative, exchanged, larger and no strides."""


@dataclass(frozen=True)
class Call:
    """One call of an op."""

    name: str
    """Among those of its op, and for as long as the table is kept: `f32-odd-nan`."""
    args: tuple[Any, ...] = ()
    """As the op takes them, with a `T` wherever a tensor stands, also within a list. A dtype is
    `torch.float32` as a text."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """An op and its calls."""

    op: str
    """Without `aten.`: `add.Tensor`."""
    calls: tuple[Call, ...]

    @property
    def category(self) -> str:
        """Its packet, that overloads have in common."""
        return self.op.partition(".")[0]


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    """A call, as it is written."""
    return Call(name, args, kwargs)


def rows(table: Mapping[str, Iterable[Call]]) -> tuple[Row, ...]:
    """Rows of ops by name."""
    return tuple(Row(op, tuple(calls)) for op, calls in table.items())


def but(calls: Iterable[Call], *names: str) -> tuple[Call, ...]:
    """Calls without those of some names, which eager PyTorch refuses of an op."""
    return tuple(one for one in calls if one.name not in names)
