# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Decompositions of our own, of what torch-mlir's table leaves whole and then lowers wrong or not.

Most of them are writes to a part of a tensor (`torch.diagonal(x).add_(1)`, `x[x > 0] = 0`), which
`torch.export` makes one op of that takes the whole and the new part.
"""

import contextvars
import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch._refs.linalg
from torch._decomp import get_decompositions

from bringup.harness.frontend import bags, resampling
from bringup.harness.frontend.convolutions import convolution_backward

_aten = torch.ops.aten


def _rrelu(
    x: torch.Tensor,
    noise: torch.Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: object = None,
) -> Any:
    """Its slope is drawn in training only; a leaky ReLU of the mean slope otherwise."""
    if training:
        return NotImplemented
    return torch.nn.functional.leaky_relu(x, (lower + upper) / 2), noise


def _empty_permuted(size: Sequence[int], _layout: Sequence[int], **options: Any) -> torch.Tensor:
    """An uninitialised tensor, without the layout that is asked for: no compiler keeps it."""
    return torch.empty(size, dtype=options.get("dtype"), device=options.get("device"))


def _diagonal(x: torch.Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> torch.Tensor:
    moved = x.movedim((dim1, dim2), (-2, -1))
    rows, columns = moved.shape[-2:]
    count = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    places = torch.arange(count, device=x.device) * (columns + 1)
    places = places + (max(-offset, 0) * columns + max(offset, 0))
    return moved.flatten(-2).index_select(-1, places)


def _unfold(x: torch.Tensor, dimension: int, size: int, step: int) -> Any:
    if not x.dim():
        return NotImplemented
    along = dimension % x.dim()
    starts = torch.arange((x.shape[along] - size) // step + 1, device=x.device) * step
    places = starts.unsqueeze(1) + torch.arange(size, device=x.device)
    taken = x.index_select(along, places.flatten())
    parts = (*x.shape[:along], *places.shape, *x.shape[along + 1 :])
    return taken.reshape(parts).movedim(along + 1, -1)


def _diagonal_scatter(
    whole: torch.Tensor, part: torch.Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> torch.Tensor:
    """A choice by place: element [..., i, j] is of the diagonal where j - i is the offset."""
    moved = whole.movedim((dim1, dim2), (-2, -1))
    rows = torch.arange(moved.shape[-2], device=whole.device)
    columns = torch.arange(moved.shape[-1], device=whole.device)
    if not part.shape[-1]:
        return whole.clone()
    last = part.shape[-1] - 1
    if offset >= 0:  # the n-th element of the diagonal is in row n
        spread = part.index_select(-1, rows.clamp(max=last)).unsqueeze(-1)
    else:
        spread = part.index_select(-1, columns.clamp(max=last)).unsqueeze(-2)
    on = columns.unsqueeze(0) - rows.unsqueeze(1) == offset
    return torch.where(on, spread, moved).movedim((-2, -1), (dim1, dim2))


def _as_strided_scatter(
    whole: torch.Tensor,
    part: torch.Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Any:
    """A write to places of the flat tensor, which must lie in memory as it is numbered."""
    if not whole.is_contiguous() or whole.storage_offset():
        return NotImplemented
    places = torch.full((1,), storage_offset or 0, dtype=torch.int64, device=whole.device)
    for count, step in zip(size, stride, strict=True):
        along = torch.arange(count, device=whole.device) * step
        places = (places.unsqueeze(-1) + along).flatten()
    return whole.flatten().index_put([places], part.flatten()).view(whole.shape)


def _put(
    whole: torch.Tensor, index: torch.Tensor, source: torch.Tensor, accumulate: bool = False
) -> torch.Tensor:
    """`index` counts through the flat tensor, from its end where it is negative."""
    places = torch.where(index < 0, index + whole.numel(), index).flatten()
    return whole.flatten().index_put([places], source.flatten(), accumulate).view(whole.shape)


def _index_put(
    whole: torch.Tensor,
    indices: Sequence[torch.Tensor | None],
    values: torch.Tensor,
    accumulate: bool = False,
) -> Any:
    """One value where a mask is true, which is a choice; anything else is left as it is."""
    if accumulate or len(indices) != 1 or values.numel() != 1:
        return NotImplemented
    mask = indices[0]
    if mask is None or mask.dtype is not torch.bool:
        return NotImplemented
    mask = mask.view(*mask.shape, *(1 for _ in range(whole.dim() - mask.dim())))
    return torch.where(mask, values.reshape(()).to(whole.dtype), whole)


def _weight_norm_backward(
    grad_w: torch.Tensor, v: torch.Tensor, g: torch.Tensor, norms: torch.Tensor, dim: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of w = v g / ||v||, norms taken over all dimensions but `dim`.

    dg = sum(dw v) / ||v|| and dv = g / ||v|| (dw - v sum(dw v) / ||v||^2): Salimans and Kingma,
    Weight Normalization, 2016, equation 3.
    """
    others = [d for d in range(v.dim()) if d != dim % v.dim()]
    along = (grad_w * v).sum(others, keepdim=True)
    norm = norms.view_as(g).to(v.dtype)
    return (g / norm) * (grad_w - v * (along / (norm * norm))), along / norm


def _whole(x: Any, y: Any) -> bool:
    """Are both integers? torch-mlir divides those as floats, which have too few digits."""
    kinds = [v.dtype if isinstance(v, torch.Tensor) else type(v) for v in (x, y)]
    return (
        all(
            kind is int
            or (isinstance(kind, torch.dtype) and not (kind.is_floating_point or kind.is_complex))
            for kind in kinds
        )
        and torch.bool not in kinds
    )


_plain = contextvars.ContextVar("plain", default=False)
"""Set while a remainder of two values that are not negative is to be left as it is."""


def _rest(x: torch.Tensor, y: Any) -> torch.Tensor:
    """What C calls the remainder: of the sign of the dividend."""
    if _whole(x, y):
        return torch.sub(x, torch.div(x, y, rounding_mode="trunc") * y)
    token = _plain.set(True)
    try:
        size = torch.remainder(x.abs(), abs(y))  # of these, both kinds are one
    finally:
        _plain.reset(token)
    return torch.where(x < 0, -size, size)


def _fmod(x: torch.Tensor, y: Any) -> Any:
    return NotImplemented if x.dtype is torch.bool else _rest(x, y)


def _other_signs(rest: torch.Tensor, y: Any) -> torch.Tensor:
    """Where is one of them negative and the other positive?"""
    if not rest.dtype.is_signed:
        return torch.zeros_like(rest, dtype=torch.bool)
    if not isinstance(y, torch.Tensor):
        return rest.gt(0) if y < 0 else rest.lt(0)
    return torch.logical_or((rest < 0) & (y > 0), (rest > 0) & (y < 0))


def _remainder(x: torch.Tensor, y: Any) -> Any:
    """Python's: of the sign of the divisor. What torch-mlir makes of it is C's."""
    if _plain.get() or x.dtype is torch.bool:
        return NotImplemented
    rest = _rest(x, y)
    return torch.where(_other_signs(rest, y), rest + y, rest)


def _floor_divide(x: torch.Tensor, y: Any) -> Any:
    if not _whole(x, y):
        return NotImplemented
    quotient = torch.div(x, y, rounding_mode="trunc")
    rest = x - quotient * y
    return torch.where(_other_signs(rest, y), quotient - 1, quotient)


def _divide(x: torch.Tensor, y: Any, *, rounding_mode: str | None = None) -> Any:
    return _floor_divide(x, y) if rounding_mode == "floor" else NotImplemented


def _cumprod(x: torch.Tensor, dim: int, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Each step multiplies by what stands one, two, four ... before: log2(n) of them."""
    whole = not (x.dtype.is_floating_point or x.dtype.is_complex)
    x = x.to(dtype or (torch.int64 if whole else x.dtype))
    if not x.dim():
        return x.clone()
    size, step = x.shape[dim], 1
    while step < size:
        front = torch.ones_like(x.narrow(dim, 0, step))
        x = x * torch.cat([front, x.narrow(dim, 0, size - step)], dim)
        step *= 2
    return x


def _histc(x: torch.Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements are in each bin; the last one has its upper edge."""
    if not min < max:  # the edges are in the data
        return NotImplemented
    flat = x.flatten()
    place = ((flat - min) * bins / (max - min)).floor().clamp(max=bins - 1)
    numbers = torch.arange(bins, device=x.device).unsqueeze(1)
    inside = (flat >= min) & (flat <= max)
    return ((place == numbers) & inside).sum(1).to(x.dtype)


def _topk(x: torch.Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Sorted, where any order would do: torch-mlir takes no other."""
    return NotImplemented if sorted else _aten.topk.default(x, k, dim, largest, True)


_UNSIGNED = (torch.bool, torch.uint8)


def _compared(op: Callable[..., torch.Tensor], x: torch.Tensor, y: Any) -> Any:
    """As int32, where both are booleans or uint8: torch-mlir compares those as signed."""
    if x.dtype not in _UNSIGNED:
        return NotImplemented
    if isinstance(y, torch.Tensor):
        if y.dtype not in _UNSIGNED:
            return NotImplemented
        return op(x.to(torch.int32), y.to(torch.int32))
    within = type(y) is bool or (type(y) is int and x.dtype is torch.uint8 and 0 <= y < 256)
    return op(x.to(torch.int32), int(y)) if within else NotImplemented


_COMPARISONS = {
    getattr(getattr(_aten, name), overload): getattr(torch, name)
    for name in ("eq", "ne", "lt", "le", "gt", "ge")
    for overload in ("Tensor", "Scalar")
}


TABLE: dict[Any, Callable[..., Any]] = {
    _aten.rrelu_with_noise_functional.default: _rrelu,
    **get_decompositions([_aten.rrelu_with_noise_backward]),
    _aten.linalg_norm.default: torch._refs.linalg.norm,
    _aten.linalg_norm.ord_str: torch._refs.linalg.norm,
    **{op: _fmod for op in (_aten.fmod.Scalar, _aten.fmod.Tensor)},
    **{op: _remainder for op in (_aten.remainder.Scalar, _aten.remainder.Tensor)},
    **{op: _floor_divide for op in (_aten.floor_divide.default, _aten.floor_divide.Scalar)},
    **{op: _divide for op in (_aten.div.Tensor_mode, _aten.div.Scalar_mode)},
    _aten.diagonal.default: _diagonal,
    _aten.unfold.default: _unfold,
    _aten.diagonal_scatter.default: _diagonal_scatter,
    _aten.as_strided_scatter.default: _as_strided_scatter,
    _aten.put.default: _put,
    _aten.index_put.default: _index_put,
    _aten.convolution_backward.default: convolution_backward,
    _aten.empty_permuted.default: _empty_permuted,
    _aten._weight_norm_interface_backward.default: _weight_norm_backward,
    **get_decompositions(
        [
            _aten.upsample_nearest2d.vec,
            _aten.upsample_bilinear2d.default,
            _aten.upsample_bicubic2d.default,
            _aten.upsample_trilinear3d.default,
            _aten.max_pool2d_with_indices_backward.default,
        ]
    ),
    _aten.upsample_nearest2d_backward.default: resampling.nearest_backward,
    _aten.avg_pool2d_backward.default: resampling.averaged_backward,
    _aten._adaptive_avg_pool2d_backward.default: resampling.adaptive_averaged_backward,
    _aten.max_pool2d_with_indices.default: resampling.pooled_with_indices,
    _aten.cumprod.default: _cumprod,
    _aten.histc.default: _histc,
    _aten.topk.default: _topk,
    _aten._embedding_bag.default: bags.embedding_bag,
    _aten._embedding_bag_forward_only.default: bags.embedding_bag,
    _aten._embedding_bag_backward.default: bags.embedding_bag_backward,
    **{op: functools.partial(_compared, by) for op, by in _COMPARISONS.items()},
}
