# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model gives and writes on the CPU, and whether it gives the same twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bringup.harness.verify import Natural, Spread, UnsupportedOutputError, Watched, flatten

_ROUNDING = 2.0**-13
"""What part of a row's largest value two runs may differ by and be the same but for rounding.

Sums are added in another order when threads are: a unit in the last place of float32, 2^-23, at
every step. A thousand of them are still far below what a device is held to. Half-precision values
get four units of their own.
"""
_CANCELLED = 8
"""Units in the last place of the largest value of all that any value may differ by: a small one may
be the difference of large ones."""


@dataclass(frozen=True)
class Golden:
    """One run of a model in eager mode, and what is known of another."""

    outputs: Any
    """In the model's own structure; training: a mapping of `loss` and `grad.NAME`."""
    mutated: Mapping[str, torch.Tensor]
    """By path, what forward wrote to and changed."""
    difference: str | None = None
    """How a second run differed, a sentence; empty when it did not, None when there was none."""
    draws: bool = False
    """Did it take numbers from a random generator of PyTorch, numpy or Python?"""
    natural: Natural | None = None
    """How far it is off by rounding; None when nobody asked, or nobody knows."""
    kinks: Watched | None = None
    """What goes into its ops with a kink, by the reference; None where that was not run."""
    turned: Natural | None = None
    """How far it is off by rounding, with all turned over that is near a kink; None when nobody
    asked."""
    sampled: Spread | None = None
    """The same by several samples, as many as were asked for; None when nobody did."""
    arithmetic: str = ""
    """The coarsest that it was computed in, if that is known to be coarser than float32."""


def difference(first: Golden, second: Golden) -> str:
    """How two runs differ by more than rounding: the first place, a sentence; empty if nowhere."""
    try:
        ones, others = _leaves(first), _leaves(second)
    except UnsupportedOutputError:
        return ""  # nor can a device's be compared, and that is said there
    missing = next((path for path in (*ones, *others) if not (path in ones and path in others)), "")
    if missing:
        return f"the model differs from itself: one of two runs gave no {missing}"
    for path, one in ones.items():
        said = _leaf_difference(one, others[path])
        if said:
            return (
                f"the model differs from itself: {path} {said} in a second run on the same values"
            )
    return ""


def _leaves(run: Golden) -> dict[str, Any]:
    outputs = {leaf.path or "output": leaf.value for leaf in flatten(run.outputs)}
    return outputs | dict(run.mutated)


def _leaf_difference(one: Any, other: Any) -> str:
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return "" if one == other else f"was {str(one)[:60]!r}, and {str(other)[:60]!r}"
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"was {_type(one)}, and {_type(other)}"
    if not (one.is_floating_point() or one.is_complex()):
        count = int((one != other).sum())
        return f"has {count} of {one.numel()} elements that differ" if count else ""
    return _float_difference(one, other)


def _float_difference(one: torch.Tensor, other: torch.Tensor) -> str:
    comparable = one.dtype is not torch.complex32  # which `equal` does not know
    if comparable and torch.equal(one, other):  # nearly always, and without copies in float64
        return ""
    unit = torch.finfo(one.dtype.to_real()).eps
    part = max(_ROUNDING, 4 * unit)
    a, b = (_rows(value) for value in (one, other))
    if not a.numel() or torch.equal(a, b):
        return ""
    odd = ~(a.isfinite() & b.isfinite())
    same = (a == b) | (a.isnan() & b.isnan())
    unlike = int((odd & ~same).sum())
    if unlike:
        return f"has {unlike} of {one.numel()} NaN or infinities elsewhere"
    a, b = a.masked_fill(odd, 0), b.masked_fill(odd, 0)
    largest = a.abs().amax(-1, keepdim=True)
    allowed = torch.maximum(part * largest, _CANCELLED * unit * largest.max())
    off = (a - b).abs()
    if not bool((off > allowed).any()):
        return ""
    worst = int((off / allowed.clamp_min(torch.finfo(off.dtype).tiny)).argmax())
    shape = (*one.shape, 2) if one.is_complex() else one.shape
    place = torch.unravel_index(torch.tensor(worst), shape)
    at = f" at {[int(i) for i in place]}" if place else ""
    return f"is off by {float(off.flatten()[worst]):.6g}{at}"


def _rows(value: torch.Tensor) -> torch.Tensor:
    """Shape (rows, columns), float64; a complex number is two columns."""
    value = torch.view_as_real(value.resolve_conj()) if value.is_complex() else value
    wide = value.detach().to(torch.float64)
    return wide.reshape(-1, wide.shape[-1]) if wide.dim() > 1 else wide.reshape(1, -1)


def _type(value: torch.Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
