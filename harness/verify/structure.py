# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The containers that models take and give: what is in one, and one like it with other contents.

One table for both directions, so that what can be taken apart to be compared can be put together
again to be handed to a model or to a test. Nothing is registered with PyTorch's pytrees: those are
the whole process's, and a test may register its own types there.
"""

import copy
import dataclasses
import re
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import torch

from bringup.harness.errors import HarnessError

MAX_DEPTH = 100
_FIELD = re.compile(r"[^\W\d]\w*(\.\w+)*")
# Constants that some cache layers carry as tensors; a rebuilt cache may lack them.
_CACHE_CONSTANTS = {"_sliding_window_tensor"}

_LITERALS = (str, bool, int, float, complex, Enum, np.ndarray, np.generic)

Child = tuple[str, object]
"""A step of a path (`.logits`, `[3]`) and the value it leads to."""


class UnsupportedOutputError(HarnessError):
    """A value that cannot be taken apart; the sentence names its path and its type."""


@dataclasses.dataclass(frozen=True)
class _Kind:
    """A kind of container."""

    holds: Callable[[Any], bool]
    """Is a value of this kind?"""
    children: Callable[[Any, str], Iterable[Child]]
    """What is in it; the text is its own path, for errors."""
    like: Callable[[Any, Sequence[Any]], object]
    """One like it, with other children in the same order; it stays as it is."""


def children_of(value: object, path: str) -> list[Child] | None:
    """What a container holds, in order; None for what is no container that is known.

    `ModelOutput` and dataclasses go by field name, KV caches as `keys[layer]`, `values[layer]` and
    whatever other tensors their layers hold.

    Raises:
        UnsupportedOutputError: a mapping has a key without a stable name.
    """
    kind = _kind_of(value)
    return None if kind is None else list(kind.children(value, path))


def map_tensors(
    value: object,
    function: Callable[[str, torch.Tensor], object],
    path: str = "",
    *,
    whole: bool = False,
) -> Any:
    """The same structure in containers of its own, each tensor replaced by what `function` gives.

    `function` gets a tensor's path and the tensor, in the order `flatten` has. Strings, numbers,
    arrays and None stay. What is no known container is refused; with `whole`, it is gone through
    by attribute where it holds tensors, and stays itself where it does not.

    Raises:
        UnsupportedOutputError: something is no known container, or nested too deep.
    """
    return _mapped(value, function, path, 0, whole)


def outline_of(value: object) -> str:
    """All that a structure is but its tensors' values: a line for each container and what it holds.

    Raises:
        UnsupportedOutputError: as `map_tensors`.
    """
    return "\n".join(_outlined(value, "", 0))


def _outlined(value: object, path: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise too_deep(path)
    if isinstance(value, torch.Tensor):
        yield f"{path}: tensor, {value.dtype}"
        return
    yield f"{path}: {type_name(value)}"
    if value is None or isinstance(value, _LITERALS):
        yield repr(value.tolist() if isinstance(value, np.ndarray) else value)
        return
    children = children_of(value, path)
    if children is None:
        raise unsupported(path, value)
    for step, child in children:
        yield from _outlined(child, joined(path, step), depth + 1)


def joined(path: str, step: str) -> str:
    """The path of a child."""
    return path + step if path else step.removeprefix(".")


def unsupported(path: str, value: object, dtype: str = "") -> UnsupportedOutputError:
    """A sentence that refuses a value."""
    if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
        return UnsupportedOutputError(
            f"The output at {name_of(path)} is a Python number that forward computes of a tensor"
            " (`.item()`), which no exported program gives; return the tensor."
        )
    of = f" of dtype {dtype}" if dtype else ""
    return UnsupportedOutputError(
        f"The output at {name_of(path)} is a {type_name(value)}{of}, which cannot be verified;"
        " return tensors, numbers, strings or containers of them."
    )


def too_deep(path: str) -> UnsupportedOutputError:
    """A sentence that refuses a value for its nesting."""
    return UnsupportedOutputError(
        f"The output at {name_of(path)[:200]} is nested over {MAX_DEPTH} deep or holds itself."
    )


def name_of(path: str) -> str:
    """A path as sentences have it."""
    return f"`{path}`" if path else "the top level"


def type_name(value: object) -> str:
    """A value's type as sentences have it."""
    cls = value if isinstance(value, type) else type(value)
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")


def _mapped(
    value: object,
    function: Callable[[str, torch.Tensor], object],
    path: str,
    depth: int,
    whole: bool,
) -> object:
    if depth > MAX_DEPTH:
        raise too_deep(path)
    if isinstance(value, torch.Tensor):
        return function(path, value)
    if value is None or isinstance(value, _LITERALS):
        return value
    kind = _kind_of(value)
    if kind is None or (whole and kind is _BY_TUPLE):
        if not whole:
            raise unsupported(path, value)
        if not _holds_tensors_by_attribute(value):
            return value
        kind = _OBJECT
    try:
        children = list(kind.children(value, path))
    except UnsupportedOutputError:
        if whole:
            return value
        raise
    new = [_mapped(c, function, joined(path, step), depth + 1, whole) for step, c in children]
    return kind.like(value, new)


def _kind_of(value: object) -> _Kind | None:
    if isinstance(value, type):
        return None
    return next((kind for kind in _KINDS if kind.holds(value)), None)


# --- sequences ------------------------------------------------------------------------------


def numbered(values: Iterable[object], _: str = "") -> list[Child]:
    """Children that go by their place."""
    return [(f"[{index}]", item) for index, item in enumerate(values)]


def _fields_of_tuple(value: Any, _: str) -> list[Child]:
    return [(f".{name}", item) for name, item in zip(value._fields, value, strict=True)]


def _sequence_like(value: Any, children: Sequence[Any]) -> object:
    if isinstance(value, tuple):
        try:
            return type(value)(children)  # torch.return_types too
        except TypeError:
            return tuple(children)
    new = copy.copy(value)
    new.clear()
    new.extend(children)
    return new


# --- mappings -------------------------------------------------------------------------------


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
                f"The output at {name_of(path)} has a key of type {type_name(key)}; a key must be a"
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


def _mapping_like(value: Mapping[Any, object], children: Sequence[Any]) -> object:
    pairs = dict(zip(value, children, strict=True))
    try:
        new: Any = copy.copy(value)
        for key, item in pairs.items():
            new[key] = item
    except TypeError:  # one that cannot be copied or changed
        return pairs
    return new


# --- objects --------------------------------------------------------------------------------


def _is_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any, _: str) -> list[Child]:
    names = (field.name for field in dataclasses.fields(value))
    return [(f".{name}", getattr(value, name)) for name in names if hasattr(value, name)]


def _fields_like(value: Any, children: Sequence[Any]) -> object:
    return _with_attributes(value, [step[1:] for step, _ in _fields(value, "")], children)


def _attributes(value: object, _: str) -> list[Child]:
    return [(f".{name}", held) for name, held in vars(value).items() if _holds_tensors(held)]


def _attributes_like(value: Any, children: Sequence[Any]) -> object:
    return _with_attributes(value, [step[1:] for step, _ in _attributes(value, "")], children)


def _with_attributes(value: Any, names: Collection[str], held: Iterable[Any]) -> object:
    new = copy.copy(value)
    for name, item in zip(names, held, strict=True):
        object.__setattr__(new, name, item)  # frozen ones too
    for name, state in getattr(value, "__dict__", {}).items():
        if name not in names and isinstance(state, dict | list | set):
            object.__setattr__(new, name, copy.copy(state))  # what is written to in place
    return new


def _holds_tensors_by_attribute(value: object) -> bool:
    if isinstance(value, type | torch.nn.Module) or callable(value):
        return False
    return any(map(_holds_tensors, getattr(value, "__dict__", {}).values()))


def _holds_tensors(state: object) -> bool:
    if isinstance(state, Mapping):
        return any(map(_holds_tensors, state.values()))
    if isinstance(state, list | tuple):
        return any(map(_holds_tensors, state))
    return isinstance(state, torch.Tensor)


# --- KV caches ------------------------------------------------------------------------------


def _is_cache(value: object) -> bool:
    # A value can only be a cache when somebody has imported transformers already.
    module = sys.modules.get("transformers.cache_utils")
    return module is not None and isinstance(value, module.Cache)


def _cache_state(cache: object, _: str) -> Iterator[Child]:
    """The tensors of a cache: by layer, then those some models keep beside the layers."""
    for name, state in vars(cache).items():
        if name == "layers":
            for index, layer in enumerate(state):
                for field in _layer_fields(layer):
                    yield f".{field}[{index}]", getattr(layer, field)
        elif _is_cache(state) or _holds_tensors(state):
            yield f".{name}", state


def _layer_fields(layer: object) -> list[str]:
    held = vars(layer).items()
    return [name for name, item in held if name not in _CACHE_CONSTANTS and _holds_tensors(item)]


def _cache_like(cache: Any, children: Sequence[Any]) -> object:
    left = iter(children)
    held: dict[str, Any] = {}
    for name, state in vars(cache).items():
        if name == "layers":
            held[name] = []
            for layer in state:
                names = _layer_fields(layer)
                held[name].append(_with_attributes(layer, names, [next(left) for _ in names]))
        elif _is_cache(state) or _holds_tensors(state):
            held[name] = next(left)
    return _with_attributes(cache, held, held.values())


_OBJECT = _Kind(lambda value: True, _attributes, _attributes_like)
_BY_TUPLE = _Kind(
    lambda value: callable(getattr(type(value), "to_tuple", None)),
    lambda value, path: numbered(value.to_tuple()),
    lambda value, children: tuple(children),
)
_KINDS = (
    _Kind(_is_cache, _cache_state, _cache_like),
    # transformers' ModelOutput too: it skips its None fields
    _Kind(lambda value: isinstance(value, Mapping), _items, _mapping_like),
    _Kind(
        lambda value: isinstance(value, tuple) and hasattr(value, "_fields"),
        _fields_of_tuple,
        lambda value, children: value._make(children),
    ),
    _Kind(lambda value: isinstance(value, list | tuple | deque), numbered, _sequence_like),
    _Kind(_is_dataclass, _fields, _fields_like),
    _BY_TUPLE,
)
