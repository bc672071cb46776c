# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Faults in a right output, each at least as large as the resolution that is promised.

Whether a fault is that large is found here from outputs and reference, not by what judges them:
some row (along the last axis) or slice of the faulty leaf differs by the promised part of its own
norm, by ten times what golden itself is off there, and by 25 times what one element of golden
usually is; in dtypes of 16 bits and less it also lies above what rounding to them costs in the
tensor. Of a row or slice of 16 numbers or more, in which golden is off by the same part as in
others, the last two count as parts of its own size.
"""

import random
from collections.abc import Callable, Mapping

import torch

from tests.benchmarks.verdicts.right_pairs import F8, Outputs, RightPair

Fault = Callable[[torch.Tensor, random.Random], torch.Tensor]
_TIMES_OWN, _TIMES_USUAL = 10, 25
_SLICE = 16
"""Numbers in a slice, or in a row that is held to its own scale, at least."""
_FLUSHED = 100 * torch.finfo(torch.float32).tiny
"""What is smaller a device may take for zero, or what is made of it."""
_DIGITS = 0.2
"""Where golden is off by more of a row's norm, the row is zero by mathematics or next to it."""


def promised(dtype: torch.dtype) -> float:
    """The part of a row's own norm that a fault must come to, by the dtype it is stored in."""
    if dtype in F8:  # one rounding may be off by so much, and twice is not told from that
        return 5 * torch.finfo(dtype).eps
    return 0.01 if dtype.itemsize > 2 else max(0.015, 4 * torch.finfo(dtype).eps)


def spoil(pair: RightPair, rng: random.Random) -> tuple[str, Outputs] | None:
    """The pair's actual with one leaf at fault, and which fault; None where none is to be seen."""
    for _ in range(8):
        leaf, kind = rng.choice(list(pair.golden)), rng.choice(list(FAULTS))
        right = pair.actual[leaf]
        wrong = FAULTS[kind](right.to(torch.float64), rng).to(right.dtype)
        golden, reference = (t[leaf].to(torch.float64) for t in (pair.golden, pair.reference))
        if visible(golden, wrong.to(torch.float64), reference, right.dtype):
            return f"{leaf}: {kind}", {**pair.actual, leaf: wrong}
    return None


def visible(
    golden: torch.Tensor, wrong: torch.Tensor, reference: torch.Tensor, dtype: torch.dtype
) -> bool:
    """Does some row, or some slice of several numbers, differ by more than is promised?"""
    if not torch.equal(golden.isfinite(), wrong.isfinite()):
        return True
    usual = golden.isfinite() & wrong.isfinite() & reference.isfinite()
    usual &= (golden.abs() >= _FLUSHED) | (golden == 0)
    unit = _unit(golden)
    tables = [
        torch.where(usual, t, 0.0).div(unit) for t in (golden, wrong - golden, golden - reference)
    ]
    return _rows_visible(dtype, *map(_rows, tables)) or any(
        _rows_visible(dtype, *(t.movedim(axis, 0).flatten(1) for t in tables))
        for axis in range(golden.ndim)
        if golden.numel() >= _SLICE * golden.shape[axis] and golden.shape[axis] > 1
    )


def _rows_visible(
    dtype: torch.dtype, golden: torch.Tensor, error: torch.Tensor, own: torch.Tensor
) -> bool:
    norms, errors, owns = (t.norm(dim=1) for t in (golden, error, own))
    length, off = golden.shape[1], own.abs()
    usual_error = float(off[off > 0].median()) if bool((off > 0).any()) else 0.0
    beside = _TIMES_USUAL * usual_error * torch.ones_like(norms)
    if dtype.itemsize <= 2:  # rows are sums of values that were rounded to the dtype
        size = float(golden.square().mean().sqrt())
        least = 10 * torch.finfo(dtype).eps * size * 8 / max(length, 8) * length**0.5
        beside = beside.clamp(min=least)
    digits = (norms > 0) & (owns <= _DIGITS * norms)
    if length >= _SLICE and bool(digits.any()):
        # what is small is not by cancellation: it is off by the same part of itself as the others
        part = float((owns[digits] / norms[digits]).median())
        same = (owns <= 4 * part * norms).logical_or(owns <= torch.finfo(dtype).eps * norms / 2)
        relative = _TIMES_USUAL * (part + torch.finfo(dtype).eps / 2) * norms
        beside = torch.where(same, beside.minimum(relative), beside)
    limit = (promised(dtype) * norms).maximum(_TIMES_OWN * owns + beside)
    return bool((digits & (errors >= limit)).any())


def _unit(golden: torch.Tensor) -> float:
    finite = golden[golden.isfinite()]
    return float(finite.abs().max()) or 1.0 if len(finite) else 1.0


def _scaled(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    return x * rng.choice([1.011, 1.02, 1.04, 1.049, 0.96, 0.985, 1.1, 0.5, 2.0, 100.0])


def _shifted(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    finite = x[x.isfinite()]
    step = rng.choice([-0.05, -0.02, 0.02, 0.049]) * float(finite.abs().max())
    return torch.where(x.isfinite(), x + step, x)


def _rows(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)


def _in_row(change: Fault) -> Fault:
    """A fault of one row only."""

    def fault(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
        rows = _rows(x).clone()
        at = rng.randrange(len(rows))
        rows[at] = change(rows[at], rng)
        return rows.reshape(x.shape)

    return fault


def _in_column(change: Fault) -> Fault:
    def fault(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
        rows = _rows(x).clone()
        at = rng.randrange(rows.shape[1])
        rows[:, at] = change(rows[:, at], rng)
        return rows.reshape(x.shape)

    return fault


def _beside_the_largest(change: Fault) -> Fault:
    """A fault of all but the largest tenth: masks and large values stay right."""

    def fault(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
        finite = x[x.isfinite()].abs()
        limit = float(finite.quantile(0.9)) if 0 < len(finite) < 2**24 else 0.0
        keep = (x.abs() > limit) | ~x.isfinite()
        return torch.where(keep, x, change(x, rng))

    return fault


def _of_the_small(change: Fault) -> Fault:
    """A fault of the slices along one axis that are smaller than a tenth of the largest."""

    def fault(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
        if not x.ndim:
            return x
        axis = rng.randrange(x.ndim)
        others = [other for other in range(x.ndim) if other != axis]
        finite = torch.where(x.isfinite(), x, 0.0)
        sizes = finite.abs().amax(others, keepdim=True) if others else finite.abs()
        return torch.where(sizes < 0.1 * sizes.max(), change(x, rng), x)

    return fault


def _to_zero(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    return torch.where(x.isfinite(), 0.0, x)


def _negated(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    return torch.where(x.isfinite(), -x, x)


def _rolled(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    return x.roll(rng.choice([-1, 1]), rng.randrange(x.ndim)) if x.ndim else -x


def _shuffled(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    order = list(range(x.numel()))
    rng.shuffle(order)
    return x.reshape(-1)[order].reshape(x.shape)


def _last_row(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    rows = _rows(x).clone()
    rows[-1] = 0
    return rows.reshape(x.shape)


def _row_for_row(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    rows = _rows(x).clone()
    rows[rng.randrange(len(rows))] = rows[rng.randrange(len(rows))].clone()
    return rows.reshape(x.shape)


def _one_nan(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    flat = x.reshape(-1).clone()
    flat[rng.randrange(len(flat))] = float("nan")
    return flat.reshape(x.shape)


FAULTS: Mapping[str, Fault] = {
    "zeroed": _to_zero,
    "negated": _negated,
    "scaled": _scaled,
    "shifted": _shifted,
    "rolled": _rolled,
    "shuffled": _shuffled,
    "last row zero": _last_row,
    "a row for another": _row_for_row,
    "one NaN": _one_nan,
    "a row zeroed": _in_row(_to_zero),
    "a row negated": _in_row(_negated),
    "a row scaled": _in_row(_scaled),
    "a row shuffled": _in_row(_shuffled),
    "a column zeroed": _in_column(_to_zero),
    "a column negated": _in_column(_negated),
    "the small negated": _of_the_small(_negated),
    "the small zeroed": _of_the_small(_to_zero),
    "the small scaled": _of_the_small(_scaled),
    "all but the largest negated": _beside_the_largest(_negated),
    "all but the largest scaled": _beside_the_largest(_scaled),
    "all but the largest zeroed": _beside_the_largest(_to_zero),
}
