# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Convolutions in float64 by PyTorch, in memory that is bounded.

PyTorch copies every window of an input before it multiplies: the 16 x 16 windows of an image of 352
x 352 whose 112 channels had been spread out with zeros came to 28 GB. So what is spread out is done
as the transposed convolution that it is, which has no zeros, and what is large is done in parts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)

from bringup.harness.reference.ends import with_ends

_PLAIN = {1: conv1d, 2: conv2d, 3: conv3d}
_TRANSPOSED = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}
RANKS = frozenset(_PLAIN)
"""How many spatial dimensions there may be."""
COPIED = 1 << 30
"""Bytes of windows that are copied at once."""


@dataclass(frozen=True)
class Windows:
    """How a kernel goes over an input; one number for each spatial dimension, as StableHLO's."""

    stride: Sequence[int]
    low: Sequence[int]
    high: Sequence[int]
    spread: Sequence[int]
    """lhs_dilation: from one element of the input to the next."""
    apart: Sequence[int]
    """rhs_dilation, likewise of the kernel."""
    groups: int


def convolved(
    x: torch.Tensor, kernel: torch.Tensor, windows: Windows, at_once: int = COPIED
) -> torch.Tensor:
    """A convolution.

    Args:
        x: (batch, features, spatial...), float64 or complex.
        kernel: (output features, input features of a group, spatial...), likewise.
        windows: how it goes.
        at_once: bytes of windows that are copied at once.
    """
    w = windows
    counts = _counts(x.shape[2:], kernel.shape[2:], w)
    if not (all(counts) and x.numel() and kernel.numel()):
        return x.new_zeros((len(x), len(kernel), *counts))  # PyTorch refuses it
    if any(each > 1 for each in w.spread):
        return _transposed(x, kernel, w)
    return _in_parts(with_ends(x, w.low, w.high), kernel, w, counts, at_once)


def _counts(sizes: Sequence[int], kernel: Sequence[int], w: Windows) -> list[int]:
    """How many windows there are along each spatial dimension."""
    counts = []
    for axis, (size, part) in enumerate(zip(sizes, kernel, strict=True)):
        spread = max(0, size + (size - 1) * (w.spread[axis] - 1))
        whole = spread + w.low[axis] + w.high[axis]
        room = whole - (part - 1) * w.apart[axis] - 1
        counts.append(room // w.stride[axis] + 1 if room >= 0 and part else 0)
    return counts


def _transposed(x: torch.Tensor, kernel: torch.Tensor, w: Windows) -> torch.Tensor:
    outputs, inputs, *sizes = kernel.shape
    flipped = kernel.flip([*range(2, kernel.ndim)])
    by_input = flipped.reshape(w.groups, outputs // w.groups, inputs, *sizes).transpose(1, 2)
    whole = _TRANSPOSED[len(sizes)](
        x,
        by_input.reshape(w.groups * inputs, outputs // w.groups, *sizes),
        stride=[*w.spread],
        dilation=[*w.apart],
        groups=w.groups,
    )
    # it is as if padded by all that a window reaches, which is more or less than was asked for
    reach = [(size - 1) * apart for size, apart in zip(sizes, w.apart, strict=True)]
    low, high = (
        [end - far for end, far in zip(ends, reach, strict=True)] for ends in (w.low, w.high)
    )
    strides = (slice(None, None, stride) for stride in w.stride)
    return with_ends(whole, low, high)[(slice(None), slice(None), *strides)]


def _in_parts(
    x: torch.Tensor, kernel: torch.Tensor, w: Windows, counts: Sequence[int], at_once: int
) -> torch.Tensor:
    """Sample by sample, and some rows of the output at a time, if it is large."""

    def plain(taken: torch.Tensor) -> torch.Tensor:
        convolution = _PLAIN[kernel.ndim - 2]
        strides, dilation = [*w.stride], [*w.apart]
        return convolution(taken, kernel, stride=strides, dilation=dilation, groups=w.groups)

    window = x.shape[1] * math.prod(kernel.shape[2:]) * x.element_size()
    row = max(1, window * math.prod(counts[1:]))
    if row * counts[0] * len(x) <= at_once:
        return plain(x)
    rows, stride, reach = max(1, at_once // row), w.stride[0], (kernel.shape[2] - 1) * w.apart[0]
    samples = []
    for number in range(len(x)):
        parts = []
        for first in range(0, counts[0], rows):
            last = min(first + rows, counts[0]) - 1
            taken = x[number : number + 1, :, first * stride : last * stride + reach + 1]
            parts.append(plain(taken))
        samples.append(torch.cat(parts, 2))
    return torch.cat(samples)
