# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The gradients of a convolution, as convolutions.

torch-mlir lowers the backward op of a plain two-dimensional convolution only: none in one or three
dimensions, none transposed or dilated, and none in groups rightly.

Written for one dimension, with stride s, dilation d, padding p, and no groups, the forward is
y[n, o, i] = sum over c, k of x[n, c, i s + k d - p] w[o, c, k]. So

- dw[o, c, k] = sum over n, i of x[n, c, i s + k d - p] dy[n, o, i], which is a convolution too: of
  x with the batch for its channels, by dy, where stride and dilation have changed places;
- dx is the transposed convolution of dy by w, which is that sum read the other way.

A transposed convolution is the same with x and dy in each other's place.
"""

from collections.abc import Sequence

import torch

_convolution = torch.ops.aten.convolution.default


def convolution_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
    """Gradients of input, weight and bias, None where `output_mask` has none; all (N, C, ...)."""
    count = weight.dim() - 2
    s, p, d = (_one_each(given, count) for given in (stride, padding, dilation))
    of_x = of_weight = None
    if output_mask[0]:
        of_x = _of_input(grad, x, weight, s, p, d, transposed, groups)
    if output_mask[1]:
        taken = (grad, x) if transposed else (x, grad)
        of_weight = _of_weight(*taken, weight.shape[2:], s, p, d, groups)
    others = [dim for dim in range(grad.dim()) if dim != 1]
    return of_x, of_weight, grad.sum(others) if output_mask[2] else None


def _one_each(given: Sequence[int], count: int) -> list[int]:
    return [*given] * (count if len(given) == 1 else 1)


def _of_input(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    groups: int,
) -> torch.Tensor:
    none = [0] * len(stride)
    if transposed:
        whole = _convolution(grad, weight, None, stride, padding, dilation, False, none, groups)
        return _first(whole, x.shape[2:]).contiguous()
    # without padding, and so without a padding of the output, whose sides torch-mlir confuses
    found: torch.Tensor = _convolution(
        grad, weight, None, stride, none, dilation, True, none, groups
    )
    for dim, (size, beside) in enumerate(zip(x.shape[2:], padding, strict=True), 2):
        lacking = beside + size - found.shape[dim]
        if lacking > 0:  # what the last window did not reach of the input has no gradient
            behind = [0, 0] * (found.dim() - dim - 1) + [0, lacking]
            found = torch.ops.aten.constant_pad_nd(found, behind, 0.0)
        found = found.narrow(dim, beside, size)
    return found.contiguous()  # as PyTorch's own is: a view of it may follow


def _of_weight(
    long: torch.Tensor,
    short: torch.Tensor,
    kernel: Sequence[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> torch.Tensor:
    """Correlate each channel of `long`, which is slid over, with each of `short`; as a kernel's
    gradient needs it: (channels of short, channels of long, ...)."""
    batch, channels, *sizes = long.shape
    each = channels // groups
    image = long.reshape(batch, groups, each, *sizes).transpose(0, 2)
    image = image.reshape(each, groups * batch, *sizes)
    found = _convolution(
        image,
        short.transpose(0, 1),
        None,
        dilation,
        padding,
        stride,
        False,
        [0] * len(stride),
        groups,
    )
    return _first(found, kernel).transpose(0, 1).contiguous()  # as PyTorch's own is


def _first(x: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """The first so many along each axis after the second."""
    for dim, size in enumerate(sizes, 2):
        if x.shape[dim] != size:
            x = x.narrow(dim, 0, size)
    return x
