# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The errors of a tensor's rows and slices, each beside its own norm: pure sums, in one pass.

A *row* is what lies along the last axis; a *slice* all that has one index along some axis. One
large value in a tensor hides nothing in rows and slices other than its own. So that it hides
nothing there either, the errors of a row are added up a second time, each as a part of its own
element's size or of the row's typical size, whichever is larger.

The typical size is a power mean with a small exponent, (mean |x|^1/4)^4, which one value of 10,000
times the others' moves by a factor of 2 in 64. Values that lie apart from all others, masks such
as -10000 or -1e9, are not counted in it at all.

Sums are of float64 numbers divided by a power of two near golden's largest: 1e300 does not
overflow.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from bringup.harness.verify import chunks as reading
from bringup.harness.verify.chunks import fill_of, real_parts

_LONGEST = 1 << 20
"""A row of more numbers is several."""
_GAP = 6
"""So many empty binades part values that lie apart: a mask of -10000 is 7 above scores of 50."""
_TIMES_EXPECTED = 8
"""Of values without a gap in their distribution about 2**-k lie k binades below the largest: so
many times that, and so many at least, must lie below a gap, and half of all: or a few small values
would set all the others apart. What is one negative constant is a mask whatever lies below."""
_OWN_SHARE = 0.01
"""A value apart that golden is off in by more of it is no mask and no outlier but noise."""
_GAUSSIAN = 1.5
"""The power mean of normal values is their RMS divided by about this."""


@dataclass(frozen=True)
class Family:
    """Blocks of one kind: vectors of float64 on the CPU, of shape (blocks,).

    Norms are Euclidean, in the tensor's unit divided by `BlockSums.unit`.
    """

    axis: int | None
    """None for rows, else the axis that a slice has one index along."""
    size: torch.Tensor
    """Numbers compared."""
    golden: torch.Tensor
    """Norm of golden."""
    error: torch.Tensor
    """Norm of actual - golden."""
    natural: torch.Tensor
    """Norm of golden's own rounding error; zeros where it is not known."""


@dataclass(frozen=True)
class BlockSums:
    """All that is added up of one tensor.

    "Of each row" is a vector of shape (rows,), on the CPU. Sums of parts have no unit; `typical`
    and `bulk` are in the tensor's unit divided by `unit`, `apart` in the tensor's.
    """

    unit: float
    """A power of two near golden's largest magnitude."""
    families: tuple[Family, ...]
    """Rows first."""
    typical: torch.Tensor
    """Of each row, the typical size of its elements that are not zero and not apart."""
    scaled_error: torch.Tensor
    """Of each row, the RMS of errors each as a part of its element's or the typical size."""
    scaled_natural: torch.Tensor
    scaled_worst: torch.Tensor
    """Of each row, the largest such error, less `natural_times` golden's own error there."""
    worst_at: torch.Tensor
    """Index of it in its row."""
    noisy: torch.Tensor
    """Of each row, the elements that golden is off in."""
    weight: torch.Tensor
    """Of each row, the sum of the squares of golden's elements that are not apart, each as a part
    of its own or the typical size, whichever is larger: 1 for each element at most."""
    along: torch.Tensor
    """Of each row, the sum of the products of those parts and the errors', with their signs: over
    `weight` it is the part by which actual is golden times a factor."""
    natural_along: torch.Tensor
    """The same of golden's own error."""
    level: torch.Tensor
    """Of each row, the sum of the squares of the row's typical size as a part of the same: 1 for
    each element that is no larger than typical."""
    offset: torch.Tensor
    """Of each row, the sum of the products of those parts and the errors', with their signs: over
    `level` it is what has been added to all of actual, as a part of the typical size."""
    natural_offset: torch.Tensor
    """The same of golden's own error."""
    bulk: float
    """RMS of golden's elements that are not apart, over the whole tensor."""
    apart: float
    """Magnitude from which on values lie apart; inf where none does."""
    masked: bool
    """Is what lies apart one negative constant, as masks are?"""


def block_sums(
    golden: torch.Tensor,
    actual: torch.Tensor,
    natural: torch.Tensor | None,
    unit: float,
    quanta: tuple[float, float],
    natural_times: float,
) -> BlockSums:
    """Add up what `bounds` judges, of two tensors of one shape.

    Args:
        golden: floats or complex numbers, of any shape, on any device.
        actual: of the same shape; the two may differ in dtype.
        natural: golden's own error (golden less reference), of the same shape; None: it has none,
            or nobody knows it.
        unit: a power of two near max|golden|, by which everything is divided.
        quanta: what `arithmetic.quantum` says of the dtypes: a difference of one such step is none.
        natural_times: how many times golden's own error is taken off of an element's error.
    """
    fill, width = fill_of(golden.dtype), 1 + (golden.is_complex() or actual.is_complex())
    apart, masked = _apart(golden, width, fill)
    tables = [golden, actual, *([] if natural is None else [natural])]
    pieces = [
        _piece(*rows, fill, apart, masked, unit, quanta, natural_times)
        for rows in _rows([real_parts(t, width) for t in tables], golden.shape, width)
    ]
    joined = {name: torch.cat([p.rows[name] for p in pieces]) for name in _ROW_SUMS}
    count = joined["bulk_count"].sum().clamp(min=1)
    return BlockSums(
        unit=unit,
        families=tuple(_families(joined, pieces, golden.shape, width)),
        typical=joined["typical"],
        scaled_error=(joined["scaled"] / joined["size"].clamp(min=1)).sqrt(),
        scaled_natural=(joined["scaled_natural"] / joined["size"].clamp(min=1)).sqrt(),
        scaled_worst=joined["worst"],
        worst_at=joined["worst_at"],
        noisy=joined["noisy"],
        weight=joined["weight"],
        along=joined["along"],
        natural_along=joined["natural_along"],
        level=joined["level"],
        offset=joined["offset"],
        natural_offset=joined["natural_offset"],
        bulk=float((joined["bulk"].sum() / count).sqrt()),
        apart=apart,
        masked=masked,
    )


# --- values apart ---------------------------------------------------------------------------


def _apart(golden: torch.Tensor, width: int, fill: float) -> tuple[float, bool]:
    """From what magnitude on golden's values lie apart from the rest, and are they a mask."""
    counts = np.zeros(2048, dtype=np.int64)
    flat = real_parts(golden, width).reshape(-1)
    for start in range(0, len(flat), reading.CHUNK):
        values = flat[start : start + reading.CHUNK].to(torch.float64)
        exponents = (values.view(torch.int64) >> 52) & 2047
        counts += np.bincount(exponents.numpy(), minlength=2048)
    counts[0] = counts[2047] = 0
    if math.isfinite(fill):
        counts[math.frexp(fill)[1] + 1022] = 0
    found = np.flatnonzero(counts)
    gaps = np.flatnonzero(np.diff(found) > _GAP)
    if not len(gaps):
        return math.inf, False
    below, above = int(found[gaps[-1]]), int(found[gaps[-1] + 1])
    expected = int(counts.sum()) * 2.0 ** (below - int(found[-1]))
    beneath = int(counts[: below + 1].sum())
    many = beneath >= max(_TIMES_EXPECTED * (1 + expected), int(counts.sum()) / 2)
    threshold = math.ldexp(1.0, above - 1023)
    low, high, count = math.inf, -math.inf, 0
    for start in range(0, len(flat), reading.CHUNK):
        values = flat[start : start + reading.CHUNK].to(torch.float64)
        far = values[(values.abs() >= threshold) & (values.abs() < fill) & values.isfinite()]
        count += len(far)
        if len(far):
            low, high = min(low, float(far.min())), max(high, float(far.max()))
    masked = count > 1 and (high <= 0.98 * low < 0 or 0 < 0.98 * high <= low)
    return (threshold if many or masked else math.inf), masked


# --- sums -----------------------------------------------------------------------------------

_ROW_SUMS = (
    *("size", "golden", "error", "natural", "noisy", "bulk", "bulk_count"),
    *("typical", "scaled", "scaled_natural", "worst", "worst_at"),
    *("weight", "along", "natural_along", "level", "offset", "natural_offset"),
)


@dataclass(frozen=True)
class _Piece:
    """Some rows: sums by row, and by column where rows are whole."""

    rows: dict[str, torch.Tensor]
    columns: dict[str, torch.Tensor]


def _rows(
    tables: list[torch.Tensor], shape: torch.Size, width: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]]:
    """Some rows of golden, actual and perhaps natural at a time; a long row in several pieces."""
    flat = [table.reshape(-1) for table in tables]
    length = min((shape[-1] if shape else 1) * width, _LONGEST)
    step = max(1, reading.CHUNK // max(length, 1)) * length
    for start in range(0, len(flat[0]), step or 1):
        taken = [t[start : start + step].cpu().to(torch.float64) for t in flat]
        here = length if len(taken[0]) % length == 0 else len(taken[0])
        g, a, *rest = (t.view(-1, here) for t in taken)
        yield g, a, rest[0] if rest else None


def _piece(
    g: torch.Tensor,
    a: torch.Tensor,
    e: torch.Tensor | None,
    fill: float,
    apart: float,
    masked: bool,
    unit: float,
    quanta: tuple[float, float],
    natural_times: float,
) -> _Piece:
    g, a = g / unit, a / unit
    d = a - g
    side, towards, d, size = g.sign(), d.sign(), d.abs_(), g.abs()
    neither = None
    if not bool(d.sum().isfinite()) or float(size.max()) * unit >= fill:
        both = d.isfinite() & (size * unit < fill)
        neither = ~both
        for values in (d, size, towards, side):
            values.masked_fill_(neither, 0.0)
        numbers = both.sum(1, dtype=torch.float64)
    else:
        numbers = torch.full((len(g),), float(g.shape[1]), dtype=torch.float64)
    relative, least = quanta[0], quanta[1] / unit
    if relative:
        d = (d - size * relative).sub_(least).clamp_(min=0.0)
    bulk = size if math.isinf(apart) else size.masked_fill(size * unit >= apart, 0.0)
    filled = (bulk > 0).sum(1, dtype=torch.float64)
    powers = (bulk.sqrt().sqrt_().sum(1) / filled.clamp(min=1)) ** 4
    bulk_squares = bulk.square().sum(1)
    typical = (_GAUSSIAN * powers).minimum((bulk_squares / filled.clamp(min=1)).sqrt())
    weight = torch.maximum(size, typical[:, None])
    weight.masked_fill_(weight == 0, math.inf)
    shares, level = bulk / weight, typical[:, None] / weight
    if neither is not None:
        level.masked_fill_(neither, 0.0)
    signed = side.mul_(shares)
    natural = None
    if e is not None:
        e = (e / unit).nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
        natural = e.abs()
        if relative:
            natural = (natural - size * (relative / 2)).sub_(least).clamp_(min=0.0)
        if math.isfinite(apart):  # -1e9 plus a score is -1e9: off by the score, and not noise
            far = size * unit >= apart
            far &= masked | (natural <= _OWN_SHARE * size)
            natural = natural.masked_fill_(far, 0.0)
        # more says that the reference is about something else, not that golden is rounded
        natural = natural.minimum(weight)
    part = d / weight
    scaled = _products(part, part)
    towards.mul_(part)
    along, offset = _products(towards, signed), _products(towards, level)
    scaled_natural, natural_along, natural_offset = (torch.zeros_like(scaled) for _ in range(3))
    if natural is not None and e is not None:
        own = natural / weight
        scaled_natural = _products(own, own)
        towards = e.sign_().mul_(own)
        natural_along, natural_offset = _products(towards, signed), _products(towards, level)
        part -= own.mul_(natural_times)
    worst, worst_at = part.max(1)
    squares = {"golden": size.square_(), "error": d.square_()}
    squares["natural"] = torch.zeros(1, 1) if natural is None else natural.square_()
    rows = {
        "size": numbers,
        "golden": squares["golden"].sum(1),
        "error": squares["error"].sum(1),
        "natural": torch.zeros_like(scaled) if natural is None else squares["natural"].sum(1),
        "noisy": torch.zeros_like(scaled) if natural is None else _count(squares["natural"]),
        "bulk": bulk_squares,
        "bulk_count": filled,
        "typical": typical,
        "scaled": scaled,
        "scaled_natural": scaled_natural,
        "worst": worst,
        "worst_at": worst_at,
        "weight": _products(shares, shares),
        "along": along,
        "natural_along": natural_along,
        "level": _products(level, level),
        "offset": offset,
        "natural_offset": natural_offset,
    }
    columns = {name: values.sum(0) for name, values in squares.items()}
    return _Piece(rows, columns)


def _products(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = torch.linalg.vecdot(x, y)
    return found


def _count(values: torch.Tensor) -> torch.Tensor:
    return (values > 0).sum(1, dtype=torch.float64)


def _families(
    rows: dict[str, torch.Tensor], pieces: list[_Piece], shape: torch.Size, width: int
) -> Iterator[Family]:
    """Rows, and the slices along every axis of which there are several and which are no rows."""
    yield _family(None, *(rows[name] for name in ("size", "golden", "error", "natural")))
    lead = shape[:-1]
    if math.prod(lead) != len(rows["size"]) or len(rows["size"]) < 2:
        return
    sums = [rows[name].view(lead) for name in ("size", "golden", "error", "natural")]
    for axis, size in enumerate(lead):
        if 1 < size < len(rows["size"]):
            others = [other for other in range(len(lead)) if other != axis]
            yield _family(axis, *(s.sum(others) for s in sums))
    if shape[-1] > 1:
        total = rows["size"].sum() / shape[-1]
        columns = [
            sum(p.columns[name] for p in pieces).view(-1, width).sum(1)  # type: ignore[union-attr]
            if pieces[0].columns[name].numel() > 1
            else torch.zeros(shape[-1], dtype=torch.float64)
            for name in ("golden", "error", "natural")
        ]
        yield _family(len(lead), torch.full_like(columns[0], float(total)), *columns)


def _family(axis: int | None, size: torch.Tensor, *squares: torch.Tensor) -> Family:
    golden, error, natural = (s.sqrt() for s in squares)
    return Family(axis, size, golden, error, natural)
