# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Pooling and upsampling that torch-mlir leaves whole and then cannot lower.

What averages or repeats pixels takes rows and columns apart: with a matrix R of what each row of
the output takes of the rows of the input, and C of columns, y = R x C^T. So dx = R^T dy C, products
of matrices, which every device has.
"""

from collections.abc import Sequence
from typing import Any

import torch

_aten = torch.ops.aten


def pooled_with_indices(
    x: torch.Tensor, kernel: Sequence[int], stride: Sequence[int] = (), *others: Any
) -> Any:
    """Maxima and where they are; no stride is that of the kernel, which torch-mlir takes for 1."""
    if stride:
        return NotImplemented
    return _aten.max_pool2d_with_indices.default(x, kernel, kernel, *others)


def nearest_backward(
    grad: torch.Tensor,
    output_size: Sequence[int],
    input_size: Sequence[int],
    scale_h: float | None = None,
    scale_w: float | None = None,
) -> torch.Tensor:
    """The gradient (N, C, H, W) of what repeats the nearest pixel."""
    scales = (scale_h, scale_w)
    sizes = zip(output_size, input_size[2:], scales, strict=True)
    rows, columns = (_nearest(grad, *each) for each in sizes)
    return rows.mT @ grad @ columns


def _nearest(like: torch.Tensor, count: int, size: int, scale: float | None) -> torch.Tensor:
    """[count, size]: 1 where an output takes a pixel, `floor(i / scale)`, as ATen computes it."""
    step = torch.arange(count, device=like.device, dtype=torch.float32)
    taken = (step * (1 / scale if scale else size / count)).to(torch.int64).clamp(max=size - 1)
    places = torch.arange(size, device=like.device)
    return (taken.unsqueeze(1) == places.unsqueeze(0)).to(like.dtype)


def averaged_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> torch.Tensor:
    """The gradient of `avg_pool2d`, of (N, C, H, W) or (C, H, W)."""
    kernels, paddings = _pair(kernel), _pair(padding)
    strides = _pair(stride) if stride else kernels
    matrices, counts = [], []
    for along, size, pad, step in zip((-2, -1), kernels, paddings, strides, strict=True):
        inside = _windows(grad, grad.shape[along], x.shape[along], size, step, pad)
        matrices.append(inside)
        starts = torch.arange(grad.shape[along], device=grad.device) * step
        padded = (x.shape[along] + 2 * pad - starts).clamp(max=size).to(grad.dtype)
        counts.append(padded if count_include_pad else inside.sum(1))
    grad = grad / (divisor or counts[0].unsqueeze(1) * counts[1])
    return matrices[0].mT @ grad @ matrices[1]


def adaptive_averaged_backward(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient of `adaptive_avg_pool2d`, of (N, C, H, W) or (C, H, W)."""
    rows, columns = (_adaptive(grad, grad.shape[d], x.shape[d]) for d in (-2, -1))
    return rows.mT @ grad @ columns


def _adaptive(like: torch.Tensor, count: int, size: int) -> torch.Tensor:
    """[count, size]: window i is from floor(i size / count) to ceil((i + 1) size / count)."""
    step = torch.arange(count, device=like.device).unsqueeze(1)
    starts = torch.div(step * size, count, rounding_mode="trunc")
    ends = torch.div((step + 1) * size + count - 1, count, rounding_mode="trunc")
    places = torch.arange(size, device=like.device).unsqueeze(0)
    inside = (places >= starts) & (places < ends)
    return inside.to(like.dtype) / (ends - starts).to(like.dtype)


def _windows(
    like: torch.Tensor, count: int, length: int, size: int, step: int, pad: int
) -> torch.Tensor:
    """[count, length]: 1 where a window has a pixel."""
    starts = (torch.arange(count, device=like.device) * step - pad).unsqueeze(1)
    places = torch.arange(length, device=like.device).unsqueeze(0)
    return ((places >= starts) & (places < starts + size)).to(like.dtype)


def _pair(given: Sequence[int]) -> list[int]:
    return [*given] * (2 if len(given) == 1 else 1)
