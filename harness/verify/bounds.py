# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How large the errors of rows, slices and elements may be, where a test does not say.

A block (`blocks`) of norm G whose golden is off by N through rounding alone may be off by

    resolution x G  +  8 N  +  min(8 M, G / 2)  +  8 s sqrt(8)

The resolution is half a percent, or a few units of the device's arithmetic or the dtype where
those are coarser. N is measured: golden against the same model in float64 (`reference`). Two right
computations of one thing are each off by about N, but N may be small by chance, as the errors of a
row can all come of one number before it (a row of the gradient of attention's queries was off by 9
N on iree-cpu): hence M, the median of N over all blocks. And a row may be as short as one number:
hence 8 s sqrt(8), where s is the median over the rows of the RMS of what elements are off by.

A block in which golden has no digit right, N > G / 4, is zero by mathematics: the gradient of a
bias before a normalisation, the mean of what was centred. There 64 N is allowed, or rounding noise
on the scale of the whole tensor (of the largest gradient, for gradients).

Without a reference nobody can tell a block that is small by cancellation from one that is small:
rounding noise on the scale of the whole tensor is allowed in each, and the record says so.

A device of coarser arithmetic is also allowed golden's error in units of that arithmetic, up to a
quarter of the block.
"""

import math
from dataclasses import dataclass

import torch

from harness.verify.arithmetic import quantum, storage_unit, unit_of
from harness.verify.blocks import BlockSums, Family, block_sums
from harness.verify.chunks import unravel
from harness.verify.moments import power_of_two
from harness.verify.tolerances import Tolerances

ELEMENT_TIMES = 4
"""So many times the resolution one element may be off: of 2,500 it is not seen in its row."""
NATURAL_TIMES = 8.0
_NOISE_TIMES = 64.0
_NOISE_SHARE = 0.25
_SHORT = 8
_SHARED_MOST = 0.5
_COARSER_TIMES = 2.0
_COARSER_MOST = 0.25


@dataclass(frozen=True)
class Bound:
    """The block nearest to its limit, or farthest beyond."""

    measured: float
    """Its error as a part of its own norm (of the tensor's scale, where it is zero)."""
    required: float
    """The limit, likewise."""
    where: str

    @property
    def ok(self) -> bool:
        """Is it within?"""
        return self.measured <= self.required


def judged(
    golden: torch.Tensor,
    actual: torch.Tensor,
    natural: torch.Tensor | None,
    peak: float,
    tolerances: Tolerances,
    *,
    known: bool,
) -> tuple[Bound, Bound]:
    """The worst row or slice, and the worst element.

    `peak` is max|golden|, `natural` golden's own error, `known` whether that is known: without
    `natural` it is zero then.
    """
    dtypes = golden.dtype, actual.dtype
    unit = power_of_two((-peak, peak))
    sums = block_sums(golden, actual, natural, unit, quantum(*dtypes), NATURAL_TIMES)
    scale = scale_of(tolerances, sums, peak, dtypes, known)
    return row_bound(sums, scale, golden.shape), element_bound(sums, scale, golden.shape)


@dataclass(frozen=True)
class Scale:
    """The units of one comparison."""

    resolution: float
    zero: float
    """What an element may be off in a block of zeros, in the tensor's unit."""
    noise: float
    """The same in a block that is zero by mathematics, of which golden has no digit right."""
    floor: float
    """The same in any block: 0 where golden's own error is known."""
    stored: float
    """What an element of a short block may be off where values are stored in 16 bits or less: by
    what it was added up from, which may be as large as anything in the tensor."""
    least: float
    """Below this magnitude numbers are flushed to zero."""
    coarser: float
    """How many times golden's unit the device's is; 1 where it is as fine. What is off from float64
    was computed in float32 at best, though it may be stored in float64."""
    elements: float
    """What one element may be off, as a part of its or its row's size."""


def scale_of(
    tolerances: Tolerances,
    sums: BlockSums,
    peak: float,
    dtypes: tuple[torch.dtype, torch.dtype],
    known: bool,
) -> Scale:
    """The units for one pair; `peak` is max|golden|, `known` whether golden's error is."""
    device, stored = unit_of(tolerances.arithmetic), storage_unit(*dtypes)
    resolution = tolerances.resolution(*dtypes, known=known)
    own = sums.bulk * sums.unit
    base = max(own, tolerances.scale or 0.0)
    rounds = max(16 * unit_of("f32"), device)  # sums are kept in float32 by coarse devices too
    noise = (4 if known else 1) * rounds * base
    zero = rounds * own if own else tolerances.noise(*dtypes)
    if not known:
        zero = max(zero, noise)
    if math.isfinite(sums.apart) and not sums.masked:
        noise = max(noise, 8 * device * peak)
    return Scale(
        resolution=resolution,
        zero=zero,
        noise=max(noise, zero),
        floor=0.0 if known else noise,
        stored=2 * stored * own if quantum(*dtypes)[0] else 0.0,
        least=quantum(*dtypes)[1],
        coarser=max(1.0, device / max(stored, unit_of("f32"))),
        elements=ELEMENT_TIMES * resolution,
    )


def row_bound(sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    """The worst row or slice."""
    pool = _pool(sums)
    bounds = [_worst_block(family, sums, scale, pool, shape) for family in sums.families]
    bounds.append(_worst_scaled(sums, scale, pool, shape))
    return max(bounds, key=lambda bound: _ratio(bound.measured, bound.required))


def element_bound(sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    """The worst element."""
    pool = _pool(sums)
    row = sums.families[0]
    noisy = _is_noise(row)
    allowed = (
        scale.elements
        + _ratios(_shared(row), row.golden)
        + ELEMENT_TIMES * _natural(sums.scaled_natural, torch.ones_like(row.golden), noisy, scale)
        + ELEMENT_TIMES * _absolute(row, sums, scale, pool, noisy) / _typical(sums)
    )
    ratio = sums.scaled_worst / allowed
    at = int(ratio.argmax())
    index = at * shape[-1] + int(sums.worst_at[at]) if shape else 0
    measured = max(0.0, float(sums.scaled_worst[at]))
    return Bound(measured, float(allowed[at]), f"element {list(unravel(index, shape))}")


def _worst_block(
    family: Family, sums: BlockSums, scale: Scale, pool: float, shape: torch.Size
) -> Bound:
    noisy = _is_noise(family)
    allowed = (
        scale.resolution * family.golden
        + _natural(family.natural, family.golden, noisy, scale)
        + _shared(family)
        + _absolute(family, sums, scale, pool, noisy) * family.size.sqrt()
    )
    ratio = _ratios(family.error, allowed)
    at = int(ratio.argmax())
    norm = float(family.golden[at])
    if not norm:  # a share of what the noise would be measured by
        norm = (sums.bulk or 1.0) * math.sqrt(max(float(family.size[at]), 1.0))
    return Bound(
        float(family.error[at]) / norm, float(allowed[at]) / norm, _named(family.axis, at, shape)
    )


def _worst_scaled(sums: BlockSums, scale: Scale, pool: float, shape: torch.Size) -> Bound:
    row = sums.families[0]
    noisy = _is_noise(row)
    allowed = (
        scale.resolution
        + _natural(sums.scaled_natural, torch.ones_like(row.golden), noisy, scale)
        + _ratios(_shared(row), row.golden)
        + _absolute(row, sums, scale, pool, noisy) / _typical(sums)
    )
    at = int((sums.scaled_error / allowed).argmax())
    where = f"{_named(None, at, shape)}, each element by its own size"
    return Bound(float(sums.scaled_error[at]), float(allowed[at]), where)


def _is_noise(family: Family) -> torch.Tensor:
    """Which blocks golden has no digit right in; a block of zeros is one."""
    return (family.natural > _NOISE_SHARE * family.golden) | (family.golden == 0)


def _natural(
    natural: torch.Tensor, golden: torch.Tensor, noisy: torch.Tensor, scale: Scale
) -> torch.Tensor:
    """What golden's own error allows a block."""
    allowed = natural * NATURAL_TIMES
    allowed[noisy] *= _NOISE_TIMES / NATURAL_TIMES
    if scale.coarser > 1:
        coarse = (_COARSER_TIMES * scale.coarser * natural).minimum(_COARSER_MOST * golden)
        allowed = allowed.maximum(coarse)
    return allowed


def _shared(family: Family) -> torch.Tensor:
    """What the median block's error allows the others, up to half of a block."""
    found = family.natural[family.natural > 0]
    usual = float(found.median()) if len(found) else 0.0
    return (_SHARED_MOST * family.golden).clamp(max=NATURAL_TIMES * usual)


def _absolute(
    family: Family, sums: BlockSums, scale: Scale, pool: float, noisy: torch.Tensor
) -> torch.Tensor:
    """What each element of a block may be off (as an RMS), whatever the block's norm."""
    floor = torch.full_like(family.golden, (scale.floor + scale.least) / sums.unit)
    floor = floor.masked_fill_(noisy, (scale.noise + scale.least) / sums.unit)
    exact = (family.golden == 0) & (family.natural == 0)
    floor = floor.masked_fill_(exact, (scale.zero + scale.least) / sums.unit)
    short = _SHORT / family.size.clamp(min=_SHORT)
    return floor + scale.stored / sums.unit * short + NATURAL_TIMES * pool * short.sqrt()


def _pool(sums: BlockSums) -> float:
    """What an element that golden is off in is off by: the median over rows of the RMS."""
    off = sums.noisy > 0
    errors = sums.families[0].natural[off] / sums.noisy[off].sqrt()
    return float(errors.median()) if len(errors) else 0.0


def _typical(sums: BlockSums) -> torch.Tensor:
    return torch.where(sums.typical > 0, sums.typical, math.inf)


# --- ratios and places ----------------------------------------------------------------------


def _ratio(measured: float, allowed: float) -> float:
    if measured == 0:
        return 0.0
    return measured / allowed if allowed else math.inf


def _ratios(error: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    return torch.where(error == 0, 0.0, error / allowed)


def _named(axis: int | None, at: int, shape: torch.Size) -> str:
    if axis is not None:
        return f"slice {at} along axis {axis}"
    lead = shape[:-1]
    if not lead or math.prod(lead) <= 1:
        return "the only row"
    if at >= math.prod(lead):
        return f"part {at} of the tensor"
    return f"row {list(unravel(at, lead))}"
