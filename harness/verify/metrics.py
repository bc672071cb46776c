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
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from harness.errors import HarnessError

FILL_MARGIN = 0.99
"""Actual holds the fill where it is finite and beyond this part of golden's: a fill that went
through bfloat16 comes back 0.4 % smaller."""

CHUNK = 1 << 20
"""Numbers per step: 8 MiB for each float64 temporary, of which there are about eight."""


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

    `rtol` and `atol` define `not_close`, as in `torch.isclose`. Raises ShapeMismatchError.
    """
    if golden.shape != actual.shape:
        raise ShapeMismatchError(
            f"Shapes {tuple(golden.shape)} and {tuple(actual.shape)} differ;"
            " metrics need two tensors of one shape."
        )
    fill = _fill(golden.dtype)
    parts = [_examine(*chunk, fill, rtol, atol) for chunk in _chunks(golden, actual)]
    finite, disagreements = sum(p.finite for p in parts), sum(p.disagreements for p in parts)
    worst, index = max(((p.max_difference, p.worst) for p in parts), key=_first, default=(-1.0, 0))
    golden_span = _span([p.golden_span for p in parts])
    actual_span = _span([p.actual_span for p in parts])
    correlation: float | None = None
    distance: float | None = None
    if disagreements:
        correlation = distance = math.nan
    elif worst >= 0:
        partial = finite < sum(p.numbers for p in parts)
        correlation, distance = _moments(
            golden, actual, golden_span, actual_span, worst, fill if partial else None
        )
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
        worst_index=_unravel(index, golden.shape) if worst >= 0 else (),
        pcc=correlation,
        relative_l2=distance,
        not_close=sum(p.not_close for p in parts) if worst >= 0 else None,
    )


def pcc(golden: torch.Tensor, actual: torch.Tensor) -> float | None:
    """Pearson's correlation coefficient of all elements, from -1 to 1.

    sum((g - mean g)(a - mean a)) / sqrt(sum((g - mean g)^2) sum((a - mean a)^2)). None, that
    is undefined, when golden has no variance: empty, one number, constant. 0 when only actual
    has none. Exactly 1 for equal tensors.
    """
    return measure(golden, actual).pcc


def max_abs_difference(golden: torch.Tensor, actual: torch.Tensor) -> float | None:
    """max|actual - golden|, in the tensors' unit; None when there is nothing to compare."""
    return measure(golden, actual).max_difference


def relative_l2(golden: torch.Tensor, actual: torch.Tensor) -> float | None:
    """||actual - golden|| / ||golden||, the Frobenius norms over all elements.

    0 for equal tensors; None, undefined, when golden is all zeros and actual is not, or when
    there is nothing to compare.
    """
    return measure(golden, actual).relative_l2


def allclose(
    golden: torch.Tensor, actual: torch.Tensor, rtol: float = 1e-5, atol: float = 1e-8
) -> bool:
    """True when |actual - golden| <= atol + rtol x |golden| holds at every finite position.

    Like `torch.allclose(equal_nan=True)`, in float64.
    """
    found = measure(golden, actual, rtol, atol)
    return not found.disagreements and not found.not_close


def nonfinite_count(tensor: torch.Tensor) -> int:
    """Elements that are NaN or infinite; a complex element counts once."""
    return measure(tensor, tensor).golden_nonfinite


def peak(tensor: torch.Tensor) -> float:
    """max|x| over the finite numbers of a tensor that are no fill; 0 when there is none."""
    return measure(tensor, tensor).golden_peak


def count_differing(golden: torch.Tensor, actual: torch.Tensor) -> int:
    """Positions at which two bool or integer tensors of one shape differ.

    Exact over all 64 bits, for any pair of integer widths and signs.
    """
    if golden.shape != actual.shape:
        raise ShapeMismatchError(
            f"Shapes {tuple(golden.shape)} and {tuple(actual.shape)} differ; nothing to count."
        )
    one_unsigned = (golden.dtype is torch.uint64) != (actual.dtype is torch.uint64)
    count = 0
    for g, a in _slices(golden, actual, lambda t: t.to(torch.int64)):
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


def _fill(dtype: torch.dtype) -> float:
    """The magnitude that stands for infinity in masked positions; inf where none does.

    8-bit floats have none: they clip to their largest number in the normal course of things.
    """
    if not (dtype.is_floating_point or dtype.is_complex) or torch.finfo(dtype).bits < 16:
        return math.inf
    return torch.finfo(dtype).max


def _comparable(g: torch.Tensor, a: torch.Tensor, fill: float) -> torch.Tensor:
    return g.isfinite() & a.isfinite() & (g.abs() != fill)


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
        both = _comparable(g, a, fill)
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


# --- second pass ----------------------------------------------------------------------------


def _moments(
    golden: torch.Tensor,
    actual: torch.Tensor,
    golden_span: tuple[float, float],
    actual_span: tuple[float, float],
    max_difference: float,
    fill: float | None,
) -> tuple[float | None, float | None]:
    """PCC and relative L2 of the comparable positions; `fill` is None when all of them are.

    The co-moments of chunks are merged pairwise, after Chan, Golub and LeVeque, "Updating
    formulae and a pairwise algorithm for computing sample variances" (1979).
    """
    varies = golden_span[0] < golden_span[1]
    if max_difference == 0:
        return (1.0 if varies else None), 0.0
    unit_g = _power_of_two(golden_span)
    unit_a = _power_of_two(actual_span)
    unit_d = _power_of_two((0.0, max_difference))
    count, mean_g, mean_a = 0, 0.0, 0.0
    gg = aa = ga = 0.0  # centred sums of products
    squares = errors = 0.0
    for _, _, g, a in _chunks(golden, actual):
        if fill is not None:
            both = _comparable(g, a, fill)
            g, a = g[both], a[both]
        n = len(g)
        if not n:
            continue
        d = (a - g).div_(unit_d)
        errors += float(d.dot(d))
        g, a = g / unit_g, a / unit_a
        squares += float(g.dot(g))
        g, here_g = _centred(g, golden_span[0] / unit_g)
        a, here_a = _centred(a, actual_span[0] / unit_a)
        step_g, step_a = here_g - mean_g, here_a - mean_a
        weight = count * n / (count + n)
        gg += float(g.dot(g)) + step_g * step_g * weight
        aa += float(a.dot(a)) + step_a * step_a * weight
        ga += float(g.dot(a)) + step_g * step_a * weight
        count += n
        mean_g += step_g * n / count
        mean_a += step_a * n / count
    correlation: float | None = None
    if varies:
        spread = math.sqrt(gg * aa)
        correlation = max(-1.0, min(1.0, ga / spread)) if spread > 0 else 0.0
    if not squares:
        return correlation, None
    return correlation, unit_d / unit_g * math.sqrt(errors / squares)


def _centred(values: torch.Tensor, pivot: float) -> tuple[torch.Tensor, float]:
    """`values - pivot` less its mean, and that mean; overwrites `values`."""
    values.sub_(pivot)
    mean = float(values.mean())
    values.sub_(mean)
    # What rounding of the mean left over; it matters when the variance is tiny.
    rest = float(values.mean())
    return values.sub_(rest), mean + rest


def _power_of_two(span: tuple[float, float]) -> float:
    """The largest power of two not above the largest magnitude; dividing by it is exact."""
    size = max(-span[0], span[1])
    if not 0 < size < math.inf:
        return 1.0
    return math.ldexp(1.0, math.frexp(size)[1] - 1)


# --- chunks ---------------------------------------------------------------------------------


def _chunks(
    golden: torch.Tensor, actual: torch.Tensor
) -> Iterator[tuple[int, int, torch.Tensor, torch.Tensor]]:
    """Offset, numbers per element, and two flat float64 pieces, perhaps the tensors' own memory."""
    width = 2 if golden.is_complex() or actual.is_complex() else 1
    parts = [_real_parts(t, width) for t in (golden, actual)]
    offset = 0
    for g, a in _slices(parts[0], parts[1], lambda t: t.to(torch.float64)):
        yield offset, width, g, a
        offset += len(g)


def _real_parts(tensor: torch.Tensor, width: int) -> torch.Tensor:
    tensor = tensor.detach()
    if width == 2:
        if not tensor.is_complex():
            tensor = tensor.to(torch.complex128)
        tensor = torch.view_as_real(tensor.resolve_conj())
    return tensor


def _slices(
    golden: torch.Tensor, actual: torch.Tensor, cast: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    flat = golden.detach().reshape(-1), actual.detach().reshape(-1)
    for start in range(0, len(flat[0]), CHUNK):
        g, a = (cast(t[start : start + CHUNK].cpu()) for t in flat)
        yield g, a


def _first(pair: tuple[float, int]) -> float:
    return pair[0]


def _unravel(index: int, shape: torch.Size) -> tuple[int, ...]:
    position = []
    for size in reversed(shape):
        index, place = divmod(index, size)
        position.append(place)
    return tuple(reversed(position))
