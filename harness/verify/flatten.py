# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Take a model's output apart into leaves that each have a path.

Two outputs are compared leaf by leaf, paired by path. A leaf must therefore never be lost
(what is not understood is refused) and two leaves must never share a path. Containers
without a leaf in them (an empty tuple, a cache that was never written) leave no trace.
"""

import dataclasses
import re
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import numpy as np
import torch

from harness.errors import HarnessError

_MAX_DEPTH = 100
_FIELD = re.compile(r"[^\W\d]\w*(\.\w+)*")
# Two values to a byte, and torch has no conversion out of it.
_PACKED = {torch.float4_e2m1fn_x2}
# Constants that some cache layers carry as tensors; a rebuilt cache may lack them.
_CACHE_CONSTANTS = {"_sliding_window_tensor"}

Child = tuple[str, object]
"""A step of a path (`.logits`, `[3]`) and the value it leads to."""


class UnsupportedOutputError(HarnessError):
    """A value that cannot be verified; the sentence names its path and its type."""


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

    Raises UnsupportedOutputError for anything else, sets and iterators included.
    """
    leaves = list(_leaves(value, path, 0))
    for name, count in Counter(leaf.path for leaf in leaves).items():
        if count > 1:
            raise UnsupportedOutputError(f"{count} outputs are all named {_name(name)}.")
    return leaves


def _leaves(value: object, path: str, depth: int) -> Iterator[Leaf]:
    if depth > _MAX_DEPTH:
        raise UnsupportedOutputError(
            f"The output at {_name(path)[:200]} is nested over {_MAX_DEPTH} deep or holds itself."
        )
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
            yield from _leaves(child, path + step if path else step.removeprefix("."), depth + 1)


def _children(value: object, path: str) -> Iterable[Child]:
    if isinstance(value, np.ndarray):  # of strings or of objects
        return [("", value.item())] if value.ndim == 0 else _numbered(value)
    if isinstance(value, torch.Tensor):  # a nested one
        return _numbered(value.unbind())
    if _is_cache(value):
        return _cache_state(value)
    if isinstance(value, Mapping):  # transformers' ModelOutput too: it skips its None fields
        return _items(value, path)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{name}", item) for name, item in zip(value._fields, value, strict=True)]
    if isinstance(value, list | tuple | deque):
        return _numbered(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)]
    if not isinstance(value, type) and callable(to_tuple := getattr(value, "to_tuple", None)):
        return _numbered(to_tuple())
    raise _unsupported(path, value)


def _numbered(values: Iterable[object]) -> list[Child]:
    return [(f"[{index}]", item) for index, item in enumerate(values)]


def _items(mapping: Mapping[Any, object], path: str) -> list[Child]:
    children = []
    for key, item in mapping.items():
        if isinstance(key, Enum):
            key = key.value
        # A dotted key reads as one (`grad.fc.weight`) unless `fc` is a key as well.
        if isinstance(key, str) and _FIELD.fullmatch(key) and not _prefixed(key, mapping):
            step = f".{key}"
        elif _is_plain(key):
            step = f"[{key!r}]"
        else:
            raise UnsupportedOutputError(
                f"The output at {_name(path)} has a key of type {_type(key)}; a key must be a"
                " string, a number or a tuple of them to have a stable name."
            )
        children.append((step, item))
    return children


def _prefixed(key: str, mapping: Mapping[Any, object]) -> bool:
    return any(key[: dot.start()] in mapping for dot in re.finditer(r"\.", key))


def _is_plain(key: object) -> bool:
    if isinstance(key, tuple):
        return all(_is_plain(part) for part in key)
    return key is None or type(key) in (str, bool, int, float)


def _is_cache(value: object) -> bool:
    # A value can only be a cache when somebody has imported transformers already.
    module = sys.modules.get("transformers.cache_utils")
    return module is not None and isinstance(value, module.Cache)


def _cache_state(cache: object) -> Iterator[Child]:
    """The tensors of a cache: by layer, then those some models keep beside the layers."""
    for name, state in vars(cache).items():
        if name == "layers":
            for index, layer in enumerate(state):
                for field, held in vars(layer).items():
                    if field not in _CACHE_CONSTANTS and _holds_tensors(held):
                        yield f".{field}[{index}]", held
        elif _is_cache(state) or _holds_tensors(state):
            yield f".{name}", state


def _holds_tensors(state: object) -> bool:
    if isinstance(state, Mapping):
        return any(map(_holds_tensors, state.values()))
    if isinstance(state, list | tuple):
        return any(map(_holds_tensors, state))
    return isinstance(state, torch.Tensor)


def _dense(tensor: torch.Tensor, path: str) -> torch.Tensor:
    if tensor.is_meta or tensor.dtype in _PACKED:
        what = "on the meta device" if tensor.is_meta else f"of {tensor.dtype}"
        raise UnsupportedOutputError(
            f"The output at {_name(path)} is a tensor {what}, which has no values to compare."
        )
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def _number(value: complex, path: str) -> torch.Tensor:
    dtype = next(dtype for kind, dtype in _NUMBERS if isinstance(value, kind))
    try:
        return torch.tensor(value, dtype=dtype)
    except (ValueError, RuntimeError, OverflowError):
        raise UnsupportedOutputError(
            f"The integer at {_name(path)} does not fit into 64 bits."
        ) from None


# bool first: it is an int too.
_NUMBERS = (
    (bool, torch.bool),
    (int, torch.int64),
    (float, torch.float64),
    (complex, torch.complex128),
)


def _from_numpy(array: "np.ndarray[Any, Any]", path: str) -> torch.Tensor:
    if isinstance(array, np.ma.MaskedArray):
        raise _unsupported(path, array)
    # torch wants native byte order, positive strides and memory it may write to.
    array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
    try:
        return torch.from_numpy(array)
    except TypeError:
        pass
    # ml_dtypes' floats are unknown to torch by type, but the bits are the same.
    dtype = getattr(torch, array.dtype.name, None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        bits = np.dtype(f"u{array.dtype.itemsize}")
        return torch.from_numpy(array.view(bits)).view(dtype)
    raise _unsupported(path, array)


def _unsupported(path: str, value: object) -> UnsupportedOutputError:
    dtype = f" of dtype {value.dtype}" if isinstance(value, np.ndarray | np.generic) else ""
    return UnsupportedOutputError(
        f"The output at {_name(path)} is a {_type(value)}{dtype}, which cannot be verified;"
        " return tensors, numbers, strings or containers of them."
    )


def _name(path: str) -> str:
    return f"`{path}`" if path else "the top level"


def _type(value: object) -> str:
    cls = value if isinstance(value, type) else type(value)
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")
