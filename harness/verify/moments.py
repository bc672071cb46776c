# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PCC and relative L2 of two tensors: sums of products that neither overflow nor vanish."""

import math
from typing import NamedTuple

import torch

from bringup.harness.verify.chunks import chunks, comparable


class Moments(NamedTuple):
    """What the sums come to; None where it is not defined."""

    pcc: float | None
    relative_l2: float | None
    deviation: float
    """Golden's standard deviation; 0 where nothing differs, and nobody asks."""


def moments(
    golden: torch.Tensor,
    actual: torch.Tensor,
    golden_span: tuple[float, float],
    actual_span: tuple[float, float],
    max_difference: float,
    fill: float | None,
) -> Moments:
    """PCC, relative L2 and golden's deviation of the comparable positions.

    Args:
        golden: of any shape.
        actual: of the same shape.
        golden_span: smallest and largest comparable number of golden, in its unit.
        actual_span: the same of actual.
        max_difference: max|actual - golden| over them.
        fill: the magnitude that stands for infinity; None when all positions are comparable.

    The co-moments of chunks are merged pairwise, after Chan, Golub and LeVeque, "Updating
    formulae and a pairwise algorithm for computing sample variances" (1979).
    """
    varies = golden_span[0] < golden_span[1]
    if max_difference == 0:
        return Moments(1.0 if varies else None, 0.0, 0.0)
    unit_g = power_of_two(golden_span)
    unit_a = power_of_two(actual_span)
    unit_d = power_of_two((0.0, max_difference))
    count, mean_g, mean_a = 0, 0.0, 0.0
    gg = aa = ga = 0.0  # centred sums of products
    squares = errors = 0.0
    for _, _, g, a in chunks(golden, actual):
        if fill is not None:
            both = comparable(g, a, fill)
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
    deviation = unit_g * math.sqrt(gg / count) if count else 0.0
    distance = unit_d / unit_g * math.sqrt(errors / squares) if squares else None
    return Moments(correlation, distance, deviation)


def rms(tensor: torch.Tensor) -> float:
    """The root of the mean square of all finite numbers, in the tensor's unit; 0 of none."""
    total, count = 0.0, 0
    for _, _, values, _ in chunks(tensor, tensor):
        finite = values[values.isfinite()]
        total += float(finite.dot(finite))
        count += len(finite)
    return math.sqrt(total / count) if count else 0.0


def _centred(values: torch.Tensor, pivot: float) -> tuple[torch.Tensor, float]:
    """`values - pivot` less its mean, and that mean; overwrites `values`."""
    values.sub_(pivot)
    mean = float(values.mean())
    values.sub_(mean)
    # What rounding of the mean left over; it matters when the variance is tiny.
    rest = float(values.mean())
    return values.sub_(rest), mean + rest


def power_of_two(span: tuple[float, float]) -> float:
    """The largest power of two not above the largest magnitude of a span; dividing by it is exact.

    1 where that is zero, infinite or NaN.
    """
    size = max(-span[0], span[1])
    if not 0 < size < math.inf:
        return 1.0
    return math.ldexp(1.0, math.frexp(size)[1] - 1)
