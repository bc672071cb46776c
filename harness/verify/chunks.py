# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Two tensors of one shape, read a bounded number of float64 numbers at a time."""

import contextlib
import math
from collections.abc import Callable, Iterator

import torch

FILL_MARGIN = 0.99
"""Actual holds the fill where it is finite and beyond this part of golden's: a fill that went
through bfloat16 comes back 0.4 % smaller."""

CHUNK = 1 << 16
"""Numbers per step: half a MiB for each float64 temporary, of which about eight stay in a core's
cache. Sixteen times as many took three times as long."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Have PyTorch compute in one thread: the pieces are too small to be shared.

    Two wait for each other at every one of some forty ops a piece, and on a machine whose cores are
    busy each wait is a slice of the scheduler's: 128 x 50,257 numbers took 52 s, and 2 s so.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fill_of(dtype: torch.dtype) -> float:
    """The magnitude that stands for infinity in masked positions; inf where none does.

    8-bit floats have none: they clip to their largest number in the normal course of things.
    """
    if not (dtype.is_floating_point or dtype.is_complex) or torch.finfo(dtype).bits < 16:
        return math.inf
    return torch.finfo(dtype).max


def comparable(g: torch.Tensor, a: torch.Tensor, fill: float) -> torch.Tensor:
    """Where two pieces have numbers to compare, bools of their shape: finite in both, no fill."""
    return g.isfinite() & a.isfinite() & (g.abs() != fill)


def chunks(
    golden: torch.Tensor, actual: torch.Tensor
) -> Iterator[tuple[int, int, torch.Tensor, torch.Tensor]]:
    """Two tensors of one shape, piece by piece.

    Yields the offset of a piece in numbers, the numbers per element (2 of complex ones, else 1),
    and of golden and actual a float64 vector on the CPU of `CHUNK` numbers at most, which may be
    the tensors' own memory: it is not to be written to.
    """
    width = 2 if golden.is_complex() or actual.is_complex() else 1
    parts = [real_parts(t, width) for t in (golden, actual)]
    offset = 0
    for g, a in slices(parts[0], parts[1], lambda t: t.to(torch.float64)):
        yield offset, width, g, a
        offset += len(g)


def real_parts(tensor: torch.Tensor, width: int) -> torch.Tensor:
    """A tensor's numbers: of `width` 1 the tensor as it is, of shape (...); of 2 real and imaginary
    parts, of shape (..., 2) and in float64 where the tensor was real.
    """
    tensor = tensor.detach()
    if width == 2:
        if not tensor.is_complex():
            tensor = tensor.to(torch.complex128)
        tensor = torch.view_as_real(tensor.resolve_conj())
    return tensor


def slices(
    golden: torch.Tensor, actual: torch.Tensor, cast: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Of two tensors of one shape `CHUNK` elements at a time: vectors on the CPU, cast."""
    flat = golden.detach().reshape(-1), actual.detach().reshape(-1)
    for start in range(0, len(flat[0]), CHUNK):
        g, a = (cast(t[start : start + CHUNK].cpu()) for t in flat)
        yield g, a


def unravel(index: int, shape: torch.Size) -> tuple[int, ...]:
    """An element's index along each axis."""
    position = []
    for size in reversed(shape):
        index, place = divmod(index, size)
        position.append(place)
    return tuple(reversed(position))
