# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far two tensors are apart: pure functions, in float64, in bounded memory.

Tensors of any floating, complex or integer dtype are read `CHUNK` numbers at a time and
upcast to float64 (exact for everything but 64-bit integers); a complex tensor is read as
its real and imaginary parts. Two passes: the first finds extremes, the second adds up
moments of values divided by a power of two near the extreme, so that sums neither overflow
at 1e300 nor vanish at 1e-320, and shifted by the smallest value, so that a large mean does
not cancel a small variance.

Positions where both tensors hold NaN, or the same infinity, agree and are left out of the
metrics; where they disagree in that, every metric is NaN. The largest finite number of
golden's dtype is how models fill masked positions (`torch.finfo(dtype).min`); it is treated
as the infinity it stands for, or every other number would vanish beside it.
"""

import math
from dataclasses import dataclass
from operator import itemgetter

import torch

from bringup.harness.errors import HarnessError
from bringup.harness.verify.chunks import FILL_MARGIN, chunks, comparable, fill_of, slices, unravel
from bringup.harness.verify.moments import Moments, moments


class ShapeMismatchError(HarnessError):
    """Two tensors of different shapes: nothing is broadcast."""


@dataclass(frozen=True)
class Measurement:
    """Everything known of a pair of tensors of one shape.

    The metrics are None where they are not defined, NaN where the tensors disagree about
    where they are finite.
    """

    elements: int
    finite: int
    """Numbers compared: finite in both, and no fill; a complex element is two numbers."""
    golden_nonfinite: int
    """Elements that are NaN or infinite."""
    actual_nonfinite: int
    golden_nan: int
    """Numbers that are NaN."""
    disagreements: int
    """Elements that are NaN, +inf, -inf or fill in one tensor and not so in the other."""
    golden_low: float
    """Smallest number of golden that was compared; 0 when there is none."""
    golden_high: float
    max_difference: float | None
    """max|actual - golden|. None: nothing to compare."""
    worst_index: tuple[int, ...]
    """Where `max_difference` is found."""
    pcc: float | None
    """Pearson's correlation, see :func:`pcc`."""
    relative_l2: float | None
    """||actual - golden|| / ||golden||, see :func:`relative_l2`."""
    golden_deviation: float
    """Golden's standard deviation, in its unit; 0 where nothing differs."""
    not_close: int | None
    """Numbers with |actual - golden| > atol + rtol x |golden|."""

    @property
    def golden_peak(self) -> float:
        """max|golden| over the numbers compared."""
        return max(-self.golden_low, self.golden_high)

    @property
    def golden_spread(self) -> float:
        """max golden - min golden over the numbers compared."""
        return self.golden_high - self.golden_low


def measure(
    golden: torch.Tensor, actual: torch.Tensor, rtol: float = 1e-5, atol: float = 1e-8
) -> Measurement:
    """Measure `actual` against `golden`, two tensors of one shape.

    Args:
        golden: of any floating, complex or integer dtype and any shape, on any device.
        actual: of the same shape.
        rtol: with `atol` defines `not_close`, as in `torch.isclose`.
        atol: in golden's unit.

    Raises:
        ShapeMismatchError: the shapes differ.
    """
    if golden.shape != actual.shape:
        raise ShapeMismatchError(
            f"Shapes {tuple(golden.shape)} and {tuple(actual.shape)} differ;"
            " metrics need two tensors of one shape."
        )
    fill = fill_of(golden.dtype)
    if same := _of_equals(golden, actual, fill):
        return same
    parts = [_examine(*chunk, fill, rtol, atol) for chunk in chunks(golden, actual)]
    finite, disagreements = sum(p.finite for p in parts), sum(p.disagreements for p in parts)
    worst, index = max(
        ((p.max_difference, p.worst) for p in parts), key=itemgetter(0), default=(-1.0, 0)
    )
    golden_span = _span([p.golden_span for p in parts])
    actual_span = _span([p.actual_span for p in parts])
    found = Moments(None, None, 0.0)
    if disagreements:
        found = Moments(math.nan, math.nan, math.nan)
    elif worst >= 0:
        partial = finite < sum(p.numbers for p in parts)
        found = moments(golden, actual, golden_span, actual_span, worst, fill if partial else None)
    return Measurement(
        elements=golden.numel(),
        finite=finite,
        golden_nonfinite=sum(p.golden_nonfinite for p in parts),
        actual_nonfinite=sum(p.actual_nonfinite for p in parts),
        golden_nan=sum(p.golden_nan for p in parts),
        disagreements=disagreements,
        golden_low=golden_span[0],
        golden_high=golden_span[1],
        max_difference=math.nan if disagreements else worst if worst >= 0 else None,
        worst_index=unravel(index, golden.shape) if worst >= 0 else (),
        pcc=found.pcc,
        relative_l2=found.relative_l2,
        golden_deviation=found.deviation,
        not_close=sum(p.not_close for p in parts) if worst >= 0 else None,
    )


def _of_equals(golden: torch.Tensor, actual: torch.Tensor, fill: float) -> Measurement | None:
    """What is measured of two equal tensors of finite floats, which most ops alone give."""
    short = golden.is_complex() or not golden.is_floating_point() or golden.element_size() < 2
    if short or golden.dtype != actual.dtype or not golden.numel():
        return None
    if golden.device != actual.device or not torch.equal(golden, actual):  # NaN equals nothing
        return None
    low, high = (float(end) for end in golden.detach().aminmax())
    if not max(-low, high) < fill:
        return None
    return Measurement(
        elements=golden.numel(),
        finite=golden.numel(),
        golden_nonfinite=0,
        actual_nonfinite=0,
        golden_nan=0,
        disagreements=0,
        golden_low=low,
        golden_high=high,
        max_difference=0.0,
        worst_index=unravel(0, golden.shape),
        pcc=1.0 if low < high else None,
        relative_l2=0.0,
        golden_deviation=0.0,
        not_close=0,
    )


def pcc(golden: torch.Tensor, actual: torch.Tensor) -> float | None:
    """Pearson's correlation coefficient of all elements, from -1 to 1.

    sum((g - mean g)(a - mean a)) / sqrt(sum((g - mean g)^2) sum((a - mean a)^2)). None, that
    is undefined, when golden has no variance: empty, one number, constant. 0 when only actual
    has none. Exactly 1 for equal tensors.
    """
    return measure(golden, actual).pcc


def relative_l2(golden: torch.Tensor, actual: torch.Tensor) -> float | None:
    """||actual - golden|| / ||golden||, the Frobenius norms over all elements.

    0 for equal tensors; None, undefined, when golden is all zeros and actual is not, or when
    there is nothing to compare.
    """
    return measure(golden, actual).relative_l2


def peak(tensor: torch.Tensor) -> float:
    """max|x| over the finite numbers of a tensor that are no fill; 0 when there is none."""
    return measure(tensor, tensor).golden_peak


def count_differing(golden: torch.Tensor, actual: torch.Tensor) -> int:
    """Positions at which two bool or integer tensors of one shape differ.

    Exact over all 64 bits, for any pair of integer widths and signs.

    Raises:
        ShapeMismatchError: the shapes differ.
    """
    if golden.shape != actual.shape:
        raise ShapeMismatchError(
            f"Shapes {tuple(golden.shape)} and {tuple(actual.shape)} differ; nothing to count."
        )
    one_unsigned = (golden.dtype is torch.uint64) != (actual.dtype is torch.uint64)
    count = 0
    for g, a in slices(golden, actual, lambda t: t.to(torch.int64)):
        differ = g != a
        if one_unsigned:  # read as int64, 2**64 - 1 looks like -1
            differ |= g < 0
        count += int(differ.sum())
    return count


# --- first pass -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """What the first pass finds in one chunk; `max_difference` is -1 where nothing compares."""

    numbers: int
    finite: int
    golden_nonfinite: int
    actual_nonfinite: int
    golden_nan: int
    disagreements: int
    golden_span: tuple[float, float]
    actual_span: tuple[float, float]
    max_difference: float
    worst: int
    """Index of the element in the whole tensor."""
    not_close: int


def _examine(
    offset: int,
    width: int,
    g: torch.Tensor,
    a: torch.Tensor,
    fill: float,
    rtol: float,
    atol: float,
) -> _Part:
    golden_span, actual_span = _extremes(g), _extremes(a)
    difference = (a - g).abs_()
    close = difference <= g.abs().mul_(rtol).add_(atol)
    finite, disagreements = len(g), 0
    # Extremes are NaN if anything is: most chunks are known by them to be wholly comparable.
    if not max(map(abs, golden_span)) < fill or not all(map(math.isfinite, actual_span)):
        both = comparable(g, a, fill)
        filled = (g.abs() == fill) & a.isfinite() & (a * g.sign() >= FILL_MARGIN * fill)
        agree = both | (g == a) | (g.isnan() & a.isnan()) | filled
        finite, disagreements = int(both.sum()), _count(~agree, width)
        golden_span, actual_span = _extremes(g[both]), _extremes(a[both])
        difference.masked_fill_(~both, -1.0)
        close |= ~both
    where = int(difference.numpy().argmax())  # ten times as fast as torch's
    return _Part(
        numbers=len(g),
        finite=finite,
        golden_nonfinite=_count(~g.isfinite(), width) if finite < len(g) else 0,
        actual_nonfinite=_count(~a.isfinite(), width) if finite < len(g) else 0,
        golden_nan=int(g.isnan().sum()) if finite < len(g) else 0,
        disagreements=disagreements,
        golden_span=golden_span,
        actual_span=actual_span,
        max_difference=float(difference[where]),
        worst=(offset + where) // width,
        not_close=len(g) - int(close.sum()),
    )


def _count(flags: torch.Tensor, width: int) -> int:
    """Elements with a flag on any of their `width` numbers."""
    return int(flags.view(-1, width).any(dim=1).sum())


def _extremes(values: torch.Tensor) -> tuple[float, float]:
    """Smallest and largest; NaN if any is, +inf and -inf of nothing."""
    if not len(values):
        return math.inf, -math.inf
    low, high = values.aminmax()
    return float(low), float(high)


def _span(parts: list[tuple[float, float]]) -> tuple[float, float]:
    low = min((low for low, _ in parts), default=math.inf)
    high = max((high for _, high in parts), default=-math.inf)
    return (low, high) if low <= high else (0.0, 0.0)
