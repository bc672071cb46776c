# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The values of operands, by what they are like; the same for the same case on every machine."""

import hashlib
from collections.abc import Callable

import torch

from bringup.harness.errors import UsageError
from bringup.harness.sweep.rows import T

_SMALL = 9
"""Integers of normal operands are below it: products and sums of a few are exact everywhere."""
_SPECIAL = {
    "nan": (float("nan"),),
    "inf": (float("inf"), float("-inf")),
    "zeros": (0.0, -0.0),
}
"""Put at every third place, in turn."""
_HUGE = 3.0e4
"""Its square is beyond float16."""


def made(operand: T, name: str) -> torch.Tensor:
    """The tensor that an operand stands for; `name` is the case's, and its seed.

    Raises:
        UsageError: its values are called as none are.
    """
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    generator = torch.Generator().manual_seed(seed)
    kind, _, given = operand.values.partition(":")
    maker = _MAKERS.get(kind)
    if maker is None:
        raise UsageError(f"the sweep has no values {kind!r}: there are {', '.join(_MAKERS)}")
    return maker(operand, generator, given)


def _dtype(operand: T) -> torch.dtype:
    dtype = getattr(torch, operand.dtype)
    assert isinstance(dtype, torch.dtype)
    return dtype


def _normal(operand: T, generator: torch.Generator, _: str = "") -> torch.Tensor:
    dtype = _dtype(operand)
    if dtype is torch.bool:
        return torch.randint(2, operand.shape, generator=generator).bool()
    if dtype.is_floating_point:
        return torch.randn(operand.shape, generator=generator).to(dtype)
    low = 0 if dtype is torch.uint8 else -_SMALL
    return torch.randint(low, _SMALL + 1, operand.shape, generator=generator).to(dtype)


def _positive(operand: T, generator: torch.Generator, given: str) -> torch.Tensor:
    """Above `given`, which is 0 if nothing is said; integers at least one above."""
    dtype, least = _dtype(operand), float(given or 0)
    if dtype.is_floating_point:
        return (torch.rand(operand.shape, generator=generator) * 3 + least + 0.1).to(dtype)
    return torch.randint(int(least) + 1, _SMALL, operand.shape, generator=generator).to(dtype)


def _unit(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    """Between -1 and 1, the ends not among them."""
    return (torch.rand(operand.shape, generator=generator) * 1.9 - 0.95).to(_dtype(operand))


def _probability(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    return (torch.rand(operand.shape, generator=generator) * 0.9 + 0.05).to(_dtype(operand))


def _index(operand: T, generator: torch.Generator, given: str) -> torch.Tensor:
    """From 0 to below `given`."""
    return torch.randint(int(given), operand.shape, generator=generator).to(_dtype(operand))


def _signed_index(operand: T, generator: torch.Generator, given: str) -> torch.Tensor:
    """From -`given`, counted from the end, to below `given`."""
    bound = int(given)
    drawn = torch.randint(-bound, bound, operand.shape, generator=generator)
    return drawn.to(_dtype(operand))


def _distinct(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    """No value twice, in no order: what is sorted has one answer."""
    count = _count(operand.shape)
    order = torch.randperm(count, generator=generator) - count // 2
    return order.reshape(operand.shape).to(_dtype(operand))


def _rows_distinct(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    """Along the last dimension every index once."""
    *outer, size = operand.shape
    lines = [torch.randperm(size, generator=generator) for _ in range(_count(outer))]
    stacked = torch.stack(lines) if lines else torch.empty(0, size)
    return stacked.reshape(operand.shape).to(_dtype(operand))


def _edges(operand: T, generator: torch.Generator, given: str) -> torch.Tensor:
    """The least and the largest there are, and what is around 0; `nonzero` leaves 0 out."""
    dtype = _dtype(operand)
    if dtype is torch.bool:
        return _normal(operand, generator)
    info = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
    found = [info.min, info.max, -1, 0, 1, 2]
    tiny = [torch.finfo(dtype).tiny] if dtype.is_floating_point else []
    edges = [e for e in (*found, *tiny) if e >= info.min and not (given and e == 0)]
    return _in_turn(torch.tensor(edges, dtype=dtype), operand.shape)


def _special(operand: T, generator: torch.Generator, kind: str) -> torch.Tensor:
    values = _normal(operand, generator).flatten()
    special = torch.tensor(_SPECIAL[kind], dtype=values.dtype)
    values[::3] = _in_turn(special, values[::3].shape)
    return values.reshape(operand.shape)


def _nan_only(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    return torch.full(operand.shape, float("nan"), dtype=_dtype(operand))


def _minus_inf(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    """A mask as attention adds it: a half is minus infinity, the first of a row never."""
    values = torch.zeros(operand.shape)
    values[torch.rand(operand.shape, generator=generator) < 0.5] = float("-inf")
    values[..., :1] = 0
    return values.to(_dtype(operand))


def _huge(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    return (torch.randn(operand.shape, generator=generator) * _HUGE).to(_dtype(operand))


def _halves(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    """What rounding to even and rounding up tell apart."""
    drawn = torch.randint(-_SMALL, _SMALL, operand.shape, generator=generator)
    return (drawn + 0.5).to(_dtype(operand))


def _ties(operand: T, generator: torch.Generator, _: str) -> torch.Tensor:
    return torch.randint(3, operand.shape, generator=generator).to(_dtype(operand))


def _in_turn(values: torch.Tensor, shape: torch.Size | tuple[int, ...]) -> torch.Tensor:
    places = torch.arange(_count(shape)) % len(values)
    return values[places].reshape(shape)


def _count(shape: "torch.Size | list[int] | tuple[int, ...]") -> int:
    return int(torch.Size(shape).numel())


_MAKERS: dict[str, Callable[[T, torch.Generator, str], torch.Tensor]] = {
    "normal": _normal,
    "positive": _positive,
    "unit": _unit,
    "probability": _probability,
    "index": _index,
    "signed_index": _signed_index,
    "distinct": _distinct,
    "rows_distinct": _rows_distinct,
    "edges": _edges,
    "nan": lambda o, g, _: _special(o, g, "nan"),
    "inf": lambda o, g, _: _special(o, g, "inf"),
    "zeros": lambda o, g, _: _special(o, g, "zeros"),
    "nan_only": _nan_only,
    "minus_inf": _minus_inf,
    "huge": _huge,
    "halves": _halves,
    "ties": _ties,
}
ORDINARY = frozenset({"normal", "positive", "unit", "probability", "index", "distinct"})
"""Values such as models have; of all others the op is another on record, for its values' sake."""
