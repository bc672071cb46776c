# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Mixtures of experts: rows sorted by expert, each times its expert's matrix.

Transformers calls an op of its own for it, and PyTorch has another. Neither says what it is made
of, and how many rows an expert has depends on data. So every expert multiplies all rows, and each
row takes what its own made of it.
"""

from collections.abc import Callable
from typing import Any

import torch


def grouped(x: torch.Tensor, weight: torch.Tensor, offs: torch.Tensor) -> torch.Tensor:
    """(S, N) of rows (S, K) and matrices (E, K, N); expert e has the rows from `offs[e - 1]`, or
    the first, up to `offs[e]`. Rows behind the last are zero."""
    places = torch.arange(x.shape[0], device=x.device, dtype=offs.dtype).unsqueeze(1)
    out = x.new_zeros(x.shape[0], weight.shape[2])
    for expert in reversed(range(weight.shape[0])):  # those before it take theirs back
        out = torch.where(places < offs[expert], x @ weight[expert], out)
    return out


def _grouped_mm(
    x: torch.Tensor,
    weight: torch.Tensor,
    offs: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    out_dtype: torch.dtype | None = None,
) -> Any:
    if offs is None or bias is not None or (x.dim(), weight.dim()) != (2, 3):
        return NotImplemented
    return grouped(x, weight, offs).to(out_dtype or x.dtype)


def table() -> dict[Any, Callable[..., Any]]:
    """Of the ops that are there; those of transformers are only once it is imported."""
    found: dict[Any, Callable[..., Any]] = {torch.ops.aten._grouped_mm.default: _grouped_mm}
    theirs = getattr(torch.ops.transformers, "grouped_mm_fallback", None)
    return found if theirs is None else found | {theirs.default: grouped}
