# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Values too large to be kept, drawn again: from a seed, with the spread that they had."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import torch

DRAWN_ABOVE = 4 << 20
"""Bytes of one tensor up to which a reproducer keeps its values."""


class Drawn(msgspec.Struct, frozen=True):
    """Floats are normal with this mean and deviation, cut off at low and high; integers and bools
    even from low to high."""

    seed: int
    low: float
    high: float
    mean: float = 0.0
    deviation: float = 0.0


def description_of(tensor: "torch.Tensor", seed: int) -> Drawn | None:
    """How to draw a tensor's like; None for one that has to be kept to be told.

    That is one up to `DRAWN_ABOVE`, a complex one, and one with a value that is not finite.
    """
    if tensor.nbytes <= DRAWN_ABOVE or tensor.is_complex():
        return None
    if not tensor.is_floating_point():
        return Drawn(seed, float(tensor.min()), float(tensor.max()))
    values = tensor.float()
    if not values.isfinite().all():
        return None
    low, high = (float(v) for v in values.aminmax())
    return Drawn(seed, low, high, float(values.mean()), float(values.std()))


def draw(drawn: Drawn, dtype: str, shape: tuple[int, ...]) -> "torch.Tensor":
    """A tensor as described; the same each time."""
    import torch

    generator = torch.Generator().manual_seed(drawn.seed)
    kind: torch.dtype = getattr(torch, dtype)
    if not kind.is_floating_point:
        low, high = int(drawn.low), int(drawn.high)
        return torch.randint(low, high + 1, shape, generator=generator).to(kind)
    values = torch.randn(shape, generator=generator)
    return values.mul_(drawn.deviation).add_(drawn.mean).clamp_(drawn.low, drawn.high).to(kind)
