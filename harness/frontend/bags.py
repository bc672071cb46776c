# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Sums and means of rows of a table, which torch-mlir does not lower: `embedding_bag`.

`offsets` says where each bag of `indices` begins, so an index is of as many bags as begin at or
before it.
"""

from typing import Any

import torch

_SUM, _MEAN = 0, 1


def embedding_bag(
    weight: torch.Tensor,
    indices: torch.Tensor,
    offsets: torch.Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = _SUM,
    sparse: bool = False,
    per_sample_weights: torch.Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int = -1,
) -> Any:
    """Bags (B, D) of a table (V, D); the bag of each index, sizes of bags, and no maxima."""
    if mode not in (_SUM, _MEAN) or padding_idx >= 0:
        return NotImplemented
    starts = offsets[:-1] if include_last_offset else offsets
    bag = _bag(indices, starts)
    rows = weight.index_select(0, indices)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    empty = rows.new_zeros(starts.shape[0], rows.shape[1])
    summed = empty.index_put([bag], rows, accumulate=True)
    one = torch.ones_like(indices)
    sizes = torch.zeros_like(starts).index_put([bag], one.to(starts.dtype), accumulate=True)
    if mode == _MEAN:
        summed = summed / sizes.clamp(min=1).unsqueeze(1).to(summed.dtype)
    return summed, bag, sizes, torch.zeros_like(starts)


def embedding_bag_backward(
    grad: torch.Tensor,
    indices: torch.Tensor,
    offsets: torch.Tensor,
    offset2bag: torch.Tensor,
    bag_size: torch.Tensor,
    maximum_indices: torch.Tensor,
    num_weights: int,
    scale_grad_by_freq: bool,
    mode: int,
    sparse: bool,
    per_sample_weights: torch.Tensor | None = None,
    padding_idx: int = -1,
) -> Any:
    """The gradient (V, D) of the table by that of the bags (B, D)."""
    if mode not in (_SUM, _MEAN) or padding_idx >= 0 or scale_grad_by_freq or sparse:
        return NotImplemented
    if mode == _MEAN:
        grad = grad / bag_size.clamp(min=1).unsqueeze(1).to(grad.dtype)
    rows = grad.index_select(0, _bag(indices, offsets[: grad.shape[0]]))
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    return rows.new_zeros(num_weights, rows.shape[1]).index_put([indices], rows, accumulate=True)


def _bag(indices: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    places = torch.arange(indices.shape[0], device=indices.device, dtype=starts.dtype)
    return (starts.unsqueeze(0) <= places.unsqueeze(1)).sum(1) - 1
