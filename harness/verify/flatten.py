# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Take a model's output apart into leaves that each have a path.

Two outputs are compared leaf by leaf, paired by path. A leaf must therefore never be lost
(what is not understood is refused) and two leaves must never share a path. Containers
without a leaf in them (an empty tuple, a cache that was never written) leave no trace.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from bringup.harness.dense import Array, DenseError, from_numpy, strided
from bringup.harness.verify.structure import (
    MAX_DEPTH,
    Child,
    UnsupportedOutputError,
    children_of,
    joined,
    name_of,
    numbered,
    too_deep,
    unsupported,
)

__all__ = ["Leaf", "UnsupportedOutputError", "flatten"]


@dataclasses.dataclass(frozen=True, eq=False)
class Leaf:
    """One indivisible part of an output."""

    path: str
    """E.g. `logits` or `[0].past_key_values.keys[3]`; empty for an output that is one leaf."""
    value: torch.Tensor | str | None
    """Tensors are detached, dense and strided; any device, any dtype torch can convert."""


def flatten(value: object, path: str = "") -> list[Leaf]:
    """Every leaf of `value`, in order, each with a path of its own below `path`.

    Numbers become tensors of shape (): bool, int64, float64 or complex128. Numpy arrays keep
    their dtype, ml_dtypes' included. `ModelOutput` and dataclasses go by field name, KV caches
    as `keys[layer]`, `values[layer]` and whatever other tensors their layers hold.

    Raises:
        UnsupportedOutputError: something else is in it, sets and iterators included, or two leaves
            have one path.
    """
    leaves = list(_leaves(value, path, 0))
    for name, count in Counter(leaf.path for leaf in leaves).items():
        if count > 1:
            raise UnsupportedOutputError(f"{count} outputs are all named {name_of(name)}.")
    return leaves


def _leaves(value: object, path: str, depth: int) -> Iterator[Leaf]:
    if depth > MAX_DEPTH:
        raise too_deep(path)
    if value is None:
        yield Leaf(path, None)
    elif isinstance(value, str):
        yield Leaf(path, str(value))
    elif isinstance(value, torch.Tensor) and not value.is_nested:
        yield Leaf(path, _dense(value, path))
    elif isinstance(value, bool | int | float | complex):
        yield Leaf(path, _number(value, path))
    elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "OU":
        yield Leaf(path, _from_numpy(np.asanyarray(value), path))
    else:
        for step, child in _children(value, path):
            yield from _leaves(child, joined(path, step), depth + 1)


def _children(value: object, path: str) -> Iterable[Child]:
    if isinstance(value, np.ndarray):  # of strings or of objects
        return [("", value.item())] if value.ndim == 0 else numbered(value)
    if isinstance(value, torch.Tensor):  # a nested one
        return numbered(value.unbind())
    children = children_of(value, path)
    if children is None:
        dtype = str(value.dtype) if isinstance(value, np.generic) else ""
        raise unsupported(path, value, dtype)
    return children


def _dense(tensor: torch.Tensor, path: str) -> torch.Tensor:
    try:
        return strided(tensor)
    except DenseError:
        what = "on the meta device" if tensor.is_meta else f"of {tensor.dtype}"
        raise UnsupportedOutputError(
            f"The output at {name_of(path)} is a tensor {what}, which has no values to compare."
        ) from None


def _number(value: complex, path: str) -> torch.Tensor:
    dtype = next(dtype for kind, dtype in _NUMBERS if isinstance(value, kind))
    try:
        return torch.tensor(value, dtype=dtype)
    except (ValueError, RuntimeError, OverflowError):
        raise UnsupportedOutputError(
            f"The integer at {name_of(path)} does not fit into 64 bits."
        ) from None


# bool first: it is an int too.
_NUMBERS = (
    (bool, torch.bool),
    (int, torch.int64),
    (float, torch.float64),
    (complex, torch.complex128),
)


def _from_numpy(array: Array, path: str) -> torch.Tensor:
    try:
        return from_numpy(array)
    except DenseError:
        raise unsupported(path, array, str(array.dtype)) from None
