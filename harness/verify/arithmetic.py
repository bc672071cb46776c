# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The units that errors are measured in: of a device's arithmetic, and of a tensor's dtype."""

from collections.abc import Iterable

import torch

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError

_BITS = {"f64": 53, "f32": 24, "tf32": 11, "f16": 11, "bf16": 8, "bfp8": 7, "f8": 4}
"""Significant bits by arithmetic, the hidden one included. Block float's are those of the largest
of a block, less the one that a block's rounding costs on average."""


def unit_of(arithmetic: str) -> float:
    """The relative error of one rounding, half a unit in the last place of 1: 2**-bits.

    Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 2.1.

    Args:
        arithmetic: its name, e.g. `f32`, `tf32`, `bf16`; the keys of `_BITS`.

    Raises:
        UsageError: no such arithmetic.
    """
    if arithmetic not in _BITS:
        raise UsageError(
            f"unknown arithmetic {arithmetic!r}{hint(arithmetic, _BITS)}; known are "
            f"{', '.join(_BITS)}"
        )
    return 2.0 ** -_BITS[arithmetic]


def coarsest_of(dtypes: Iterable[torch.dtype]) -> str:
    """The coarsest arithmetic of floats of 16 bits and less, by its name; empty for none of them.

    Dtypes of integers and bools are passed over.
    """
    named = {
        {torch.float16: "f16", torch.bfloat16: "bf16"}.get(dtype, "f8")
        for dtype in dtypes
        if dtype.is_floating_point and dtype.itemsize <= 2
    }
    return max(named, key=unit_of, default="")


def storage_unit(*dtypes: torch.dtype) -> float:
    """The relative error of rounding to the coarsest of these dtypes once: eps / 2, no unit.

    Raises:
        TypeError: a dtype is not of floats or complex numbers.
    """
    return max(torch.finfo(dtype.to_real()).eps for dtype in dtypes) / 2


def quantum(*dtypes: torch.dtype) -> tuple[float, float]:
    """How far apart two neighbours of the coarsest dtype are: relative to their size, and at least.

    Of dtypes of over 16 bits it is nothing that a tolerance would notice: zero. At least is one
    subnormal, or the smallest normal number where devices flush what is below (float32 and the
    like).
    """
    infos = [torch.finfo(dtype.to_real()) for dtype in dtypes]
    narrow = [info for info in infos if info.bits <= 16]
    relative = max((info.eps for info in narrow), default=0.0)
    least = max(
        info.tiny if info.tiny < 1e-30 else float(info.smallest_normal * info.eps) for info in infos
    )
    return relative, least
