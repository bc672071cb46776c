# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How large the errors of rows, slices and elements may be, where a test does not say.

A block (`blocks`) of norm G whose golden is off by N through rounding alone may be off by

    resolution x G  +  max(8 N, min(8 M, G / 2))  +  8 s sqrt(4)

The resolution is half a percent, or a few units of the device's arithmetic or the dtype where
those are coarser. N is measured: golden against the same model in float64 (`reference`). Two right
computations of one thing are each off by about N, but N may be small by chance, as the errors of a
row can all come of one number before it (a row of the gradient of attention's queries was off by 9
N on iree-cpu): hence M, the median of N over all blocks. And a row may be as short as one number:
hence 8 s sqrt(4), where s is the median over the rows of the RMS of what elements are off by.

A block in which golden has no digit right, N > G / 4, is zero by mathematics: the gradient of a
bias before a normalisation, the mean of what was centred. There 64 N is allowed, or rounding noise
on the scale of the whole tensor (of the largest gradient, for gradients).

Without a reference nobody can tell a block that is small by cancellation from one that is small:
rounding noise on the scale of the whole tensor is allowed in each, more where an op adds many
numbers up, and the record says so.

A device of coarser arithmetic is also allowed golden's error in units of that arithmetic, up to a
quarter of the block. In what arithmetic golden itself was computed its dtype does not say: a model
in bfloat16 may give its outputs as float32. An output that is off by more than float32 could ever
be was not computed in float32.

M and s are of blocks as large as most, and a block may be smaller for two reasons. What is left of
larger numbers by cancellation is off as they are: N is a large part of G. What was computed apart
from them (a channel that is scaled by 1e-9) is off by the same part of G as other blocks. So where
golden's own error is known, M and s allow a block what they would if all blocks were of its size,

    R x (8 G  +  8 s / S x sqrt(4)),  R the median of N / G, S the size of elements that goes with s

and what N may be too small by, by chance: that the norm of n errors is less than 10^(-4 / n) of the
usual one is as rare as 1 in 10,000, whatever n. Whichever is less counts, the absolute or this.

Rounding moves the elements of a row in many directions, a wrong factor all in one. So the part of
an error that is golden times a factor is held to less: beyond the resolution only to as much of the
above as is left when errors of n elements are averaged, and to golden's own such part.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from bringup.harness.verify.arithmetic import quantum, storage_unit, unit_of
from bringup.harness.verify.blocks import BlockSums, Family, block_sums
from bringup.harness.verify.chunks import unravel
from bringup.harness.verify.moments import power_of_two
from bringup.harness.verify.sharing import NATURAL_TIMES, Sharing, is_noise
from bringup.harness.verify.tolerances import Tolerances

ELEMENT_TIMES = 4
"""So many times the resolution one element may be off: of 2,500 it is not seen in its row."""
_SHORT_ROW = 64
"""Rows of fewer numbers are joined where that is asked for."""
_NOISE_TIMES = 64.0
_COARSER_TIMES = 2.0
_COARSER_TIMES_OF_16_BITS = 4.0
"""Of golden's error in units of the device. In float32 most of it is from sums, which no device
keeps in less; in 16 bits it is from storing values, which costs block float twice what the unit of
its largest says."""
_COARSER_MOST = 0.25
_NOT_FLOAT32 = 2.0**-14
"""What the median row of a float32 golden is never off by. Measured: 1e-6 to 1e-5, and 1e-4 in the
worst of rows; one rounding to float16 is 2^-12.5 on average."""
_NOT_FLOAT16 = 2.0**-10
"""One rounding to bfloat16 is 2^-9.5 on average; only deep float16 is off as much."""
_NOT_FLOAT32_BESIDE = 2.0**-20
"""The same where the model is known to compute in 16 bits somewhere: what it averages over 4,000
numbers is off by 2^-14 no more."""
_LONG_SUM = 16.0
"""What is small by cancellation in an op that adds many numbers up may be off by this part of what
a number of usual size may be: with float32 sums of n products, one after another, most are off by
0.3 sqrt(n) units, and the worst of 30,000 was off by 2.4 sqrt(n) where 4 sqrt(n) are allowed."""
_ONE_BY_ONE = 512.0
"""The resolution, in units, of an op that adds 64 products up. Golden adds in pairs and lanes, and
a device may add one after another: of n products it is off by sqrt(n) / 8 times as much then."""
_AVERAGED_TIMES = 4.0
"""So many standard deviations an average may be off."""


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

    Args:
        golden: floats or complex numbers with one finite pair at least; any shape.
        actual: of the same shape.
        natural: golden's own error (golden less reference), of the same shape, or None.
        peak: max|golden|, in golden's unit.
        tolerances: whose arithmetic, resolution and scale count.
        known: whether golden's own error is known: without `natural` it is zero then.

    Raises:
        UsageError: `tolerances` names no arithmetic that is known.
    """
    dtypes = golden.dtype, actual.dtype
    unit = power_of_two((-peak, peak))
    shape = golden.shape
    if tolerances.joins_short_rows:
        golden, actual = joined(golden), joined(actual)
        natural = None if natural is None else joined(natural)
    sums = block_sums(golden, actual, natural, unit, quantum(*dtypes), NATURAL_TIMES)
    scale = scale_of(tolerances, sums, peak, dtypes, known)
    return row_bound(sums, scale, golden.shape), element_bound(sums, scale, shape)


def joined(kernels: torch.Tensor) -> torch.Tensor:
    """A tensor of three axes and more whose last ones are one axis, as far as rows are short.

    The last axis of a convolution's kernels is three numbers wide, or one; what makes one output
    are all the numbers of its channel, as they are of a matrix.
    """
    axis, size = kernels.dim() - 1, kernels.shape[-1] if kernels.dim() else 0
    while axis > 1 and size < _SHORT_ROW:
        axis -= 1
        size *= kernels.shape[axis]
    return kernels.flatten(axis) if axis < kernels.dim() - 1 else kernels


@dataclass(frozen=True)
class Scale:
    """The units of one comparison; "the tensor's unit" is golden's, not divided by anything."""

    resolution: float
    """What part of its own norm a block may be off whatever was rounded."""
    zero: float
    """What an element may be off in a block of zeros, in the tensor's unit."""
    noise: float
    """The same in a block that is zero by mathematics, of which golden has no digit right."""
    floor: float
    """The same in any block: 0 where golden's own error is known."""
    sharing: Sharing
    """What other blocks' errors allow a block. Where values are stored in 16 bits or less, a short
    one also what it was added up from, which may be as large as anything in the tensor."""
    least: float
    """Below this magnitude numbers are flushed to zero."""
    coarser: float
    """How many times what golden is off by a device of coarser arithmetic may be; 0 where it is as
    fine."""
    elements: float
    """What one element may be off, as a part of its or its row's size."""


def scale_of(
    tolerances: Tolerances,
    sums: BlockSums,
    peak: float,
    dtypes: tuple[torch.dtype, torch.dtype],
    known: bool,
) -> Scale:
    """The units for one pair.

    Args:
        tolerances: whose arithmetic, resolution and scale count.
        sums: of the pair.
        peak: max|golden|, in golden's unit.
        dtypes: golden's and actual's.
        known: whether golden's own error is known.

    Raises:
        UsageError: `tolerances` names no arithmetic that is known.
    """
    device, stored = unit_of(tolerances.arithmetic), storage_unit(*dtypes)
    resolution = tolerances.resolution(*dtypes, known=known)
    own = sums.bulk * sums.unit
    base = max(own, tolerances.scale or 0.0)
    rounds = max(16 * unit_of("f32"), device)  # sums are kept in float32 by coarse devices too
    if not known:
        rounds = max(rounds, (tolerances.ulps or 0.0) / _LONG_SUM * unit_of("f32"))
    noise = (4 if known else 1) * rounds * base
    zero = rounds * own if own else tolerances.noise(*dtypes)
    if not known:
        zero = max(zero, noise)
    times = NATURAL_TIMES
    if stored <= unit_of("f32"):  # sums of less are kept in float32, and rounded once
        times *= max(1.0, (tolerances.ulps or 0.0) / _ONE_BY_ONE)
    if math.isfinite(sums.apart) and not sums.masked:
        noise = max(noise, 8 * device * peak)
    return Scale(
        resolution=resolution,
        zero=zero,
        noise=max(noise, zero),
        floor=0.0 if known else noise,
        sharing=Sharing.of(
            sums, 2 * stored if quantum(*dtypes)[0] else 0.0, dtypes, times, known=known
        ),
        least=quantum(*dtypes)[1],
        coarser=_coarser(tolerances, sums, stored),
        elements=ELEMENT_TIMES * resolution,
    )


def _coarser(tolerances: Tolerances, sums: BlockSums, stored: float) -> float:
    """By what to multiply golden's error for a device of coarser arithmetic; 0 for one as fine.

    What is off from float64 was computed in float32 at best, though it may be stored in float64;
    and perhaps in 16 bits, though it is stored in float32.
    """
    row, device, known = sums.families[0], unit_of(tolerances.arithmetic), unit_of("f32")
    off = (row.natural > 0) & (row.golden > 0)
    usual = float((row.natural[off] / row.golden[off]).median()) if bool(off.any()) else 0.0
    if tolerances.golden_arithmetic and usual > _NOT_FLOAT32_BESIDE:
        known = unit_of(tolerances.golden_arithmetic)
    elif usual > _NOT_FLOAT32:
        known = unit_of("bf16" if usual > _NOT_FLOAT16 else "f16")
    golden = max(stored, known)
    if device <= golden:
        return 0.0
    times = _COARSER_TIMES if golden == unit_of("f32") else _COARSER_TIMES_OF_16_BITS
    return times * device / golden


def row_bound(sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    """The worst row or slice: the one whose error is the most of its limit.

    Args:
        sums: of the pair, by `block_sums`.
        scale: of the same pair, by `scale_of`.
        shape: golden's, for the place that is named.
    """
    bounds = [_worst_block(family, sums, scale, shape) for family in sums.families]
    bounds.append(_worst_scaled(sums, scale, shape))
    worst = max(bounds, key=_nearness)
    # a block that is off beyond rounding is named before what it may be off by in common
    if worst.ok:
        for common in _commons(sums):
            bounds += _together(common, sums, scale, shape)
    return max(bounds, key=_nearness)


def element_bound(sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    """The worst element, beside its own size or its row's typical size, whichever is larger.

    Arguments as `row_bound`.
    """
    row = sums.families[0]
    noisy = is_noise(row)
    natural = ELEMENT_TIMES * _natural(
        sums.scaled_natural, torch.ones_like(row.golden), noisy, scale
    )
    allowed = (
        scale.elements
        + natural.maximum(_ratios(scale.sharing.norms(row), row.golden))
        + ELEMENT_TIMES * _absolute(row, sums, scale, noisy) / _typical(sums)
    )
    ratio = sums.scaled_worst / allowed
    at = int(ratio.argmax())
    index = at * (math.prod(shape) // len(ratio)) + int(sums.worst_at[at]) if shape else 0
    measured = max(0.0, float(sums.scaled_worst[at]))
    return Bound(measured, float(allowed[at]), f"element {list(unravel(index, shape))}")


def _worst_block(family: Family, sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    noisy = is_noise(family)
    allowed = (
        scale.resolution * family.golden
        + _natural(family.natural, family.golden, noisy, scale).maximum(scale.sharing.norms(family))
        + _absolute(family, sums, scale, noisy) * family.size.sqrt()
    )
    ratio = _ratios(family.error, allowed)
    at = int(ratio.argmax())
    norm = float(family.golden[at])
    if not norm:  # a share of what the noise would be measured by
        norm = (sums.bulk or 1.0) * math.sqrt(max(float(family.size[at]), 1.0))
    return Bound(
        float(family.error[at]) / norm, float(allowed[at]) / norm, _named(family.axis, at, shape)
    )


def _worst_scaled(sums: BlockSums, scale: Scale, shape: torch.Size) -> Bound:
    allowed = scale.resolution + _rest(sums, scale)
    at = int((sums.scaled_error / allowed).argmax())
    where = f"{_named(None, at, shape)}, each element by its own size"
    return Bound(float(sums.scaled_error[at]), float(allowed[at]), where)


def _rest(sums: BlockSums, scale: Scale) -> torch.Tensor:
    """What a row's elements may be off beyond the resolution, by their own size (an RMS)."""
    row = sums.families[0]
    noisy = is_noise(row)
    natural = _natural(sums.scaled_natural, torch.ones_like(row.golden), noisy, scale)
    shared = _ratios(scale.sharing.norms(row), row.golden)
    absolute = _absolute(row, sums, scale, noisy) / _typical(sums)
    return natural.maximum(shared) + absolute


@dataclass(frozen=True)
class _Common:
    """What one number for all of a row is off by: by a factor, or by something added."""

    weight: torch.Tensor
    error: torch.Tensor
    natural: torch.Tensor
    said: str


def _commons(sums: BlockSums) -> Iterator[_Common]:
    yield _Common(sums.weight, sums.along, sums.natural_along, "as by a factor")
    yield _Common(sums.level, sums.offset, sums.natural_offset, "as by something added to all")


def _together(common: _Common, sums: BlockSums, scale: Scale, shape: torch.Size) -> Iterator[Bound]:
    """The worst row by what its numbers are off in common, and all rows that golden has digits of.

    What the elements may be off beyond the resolution averages out, but for what golden itself is
    off by in common.
    """
    digits = ~is_noise(sums.families[0]) & (common.weight > 0)
    if not bool(digits.any()):
        return
    rows = torch.arange(len(digits))[digits]
    weight, rest = common.weight[digits], _rest(sums, scale)[digits]
    error, natural = common.error[digits], common.natural[digits]
    times = max(scale.sharing.times, scale.coarser)
    part, own = (error / weight).abs(), times * (natural / weight).abs()
    averaged = _AVERAGED_TIMES * rest / weight.sqrt()
    allowed = scale.resolution + rest.minimum(averaged + own + own.median())
    at = int((part / allowed).argmax())
    where = f"{_named(None, int(rows[at]), shape)}, {common.said},"
    yield Bound(float(part[at]), float(allowed[at]), where)
    total = float(weight.sum())
    usual = math.sqrt(float((weight * rest.square()).sum()) / total)
    spread = math.sqrt(float((weight * own.square()).sum()) / total / len(weight))
    spread += _AVERAGED_TIMES * usual / math.sqrt(total)
    spread += times * abs(float(natural.sum())) / total
    required = scale.resolution + min(usual, spread)
    yield Bound(abs(float(error.sum())) / total, required, f"the whole, {common.said},")


def _natural(
    natural: torch.Tensor, golden: torch.Tensor, noisy: torch.Tensor, scale: Scale
) -> torch.Tensor:
    """What golden's own error allows a block."""
    allowed = natural * scale.sharing.times
    allowed[noisy] *= _NOISE_TIMES / NATURAL_TIMES
    off = (natural > 0) & (golden > 0)
    if scale.coarser and bool(off.any()):
        # by chance a block of few numbers is off by less than the others
        part = torch.where(off, natural / golden, 0.0)
        part = part.clamp(min=float(part[off].median())).mul_(scale.coarser)
        allowed = allowed.maximum(golden * part.clamp_(max=_COARSER_MOST))
    return allowed


def _absolute(family: Family, sums: BlockSums, scale: Scale, noisy: torch.Tensor) -> torch.Tensor:
    """What each element of a block may be off (as an RMS), whatever the block's norm."""
    floor = torch.full_like(family.golden, (scale.floor + scale.least) / sums.unit)
    floor = floor.masked_fill_(noisy, (scale.noise + scale.least) / sums.unit)
    exact = (family.golden == 0) & (family.natural == 0)
    floor = floor.masked_fill_(exact, (scale.zero + scale.least) / sums.unit)
    return floor + scale.sharing.elements(family)


def _typical(sums: BlockSums) -> torch.Tensor:
    return torch.where(sums.typical > 0, sums.typical, math.inf)


# --- ratios and places ----------------------------------------------------------------------


def _nearness(bound: Bound) -> float:
    return _ratio(bound.measured, bound.required)


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
