# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Everything a model can keep state in: what is reached from it through Python."""

import functools
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType, MethodType
from typing import Any

import torch

_ATOMS = (str, bytes, int, float, complex, bool, type(None), type, torch.dtype, torch.device)
_FOREIGN = sys.stdlib_module_names | {
    *("torch", "numpy", "onnx", "onnxruntime"),
    *("pytest", "_pytest", "pluggy", "xdist", "bringup"),
}
"""Packages whose objects are not looked into, modules apart: their state is not a model's."""


def reached(*roots: object, apart: Iterable[object] = ()) -> Iterator[object]:
    """Every object that a run may write to, each once, roots included.

    Goes through containers, modules, plain objects with attributes, closures, bound methods and
    partial functions. Classes, module globals and objects of compiled extensions are left alone,
    and so are those `apart`.
    """
    seen = {id(value): value for value in apart}  # holds them, so that no id is given out again
    waiting = deque(roots)
    while waiting:
        value = waiting.popleft()
        if isinstance(value, _ATOMS) or id(value) in seen:
            continue
        seen[id(value)] = value
        yield value
        waiting.extend(_held(value))


def _held(value: object) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from dict.keys(value)
        yield from dict.values(value)
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    elif isinstance(value, FunctionType):
        yield from value.__closure__ or ()
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
    elif isinstance(value, CellType):
        yield from filled(value)
    elif isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    if has_own_state(value):
        yield from attributes(value)


def filled(cell: CellType) -> tuple[object, ...]:
    """What a closure's cell holds; nothing when it is empty."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def has_own_state(value: object) -> bool:
    """Are an object's attributes state of the model, and not of a library?"""
    if isinstance(value, torch.nn.Module):
        return True
    if isinstance(value, torch.Tensor | FunctionType | MethodType | functools.partial | type(sys)):
        return False
    root = type(value).__module__.partition(".")[0]
    if isinstance(value, dict | list | tuple | set | deque):
        return root not in _FOREIGN and bool(attributes(value))
    return root not in _FOREIGN


def attributes(value: object) -> list[object]:
    """The dictionary of an object's attributes, and what its slots hold."""
    own: list[object] = [vars(value)] if hasattr(value, "__dict__") else []
    return own + [held for _, held in slots(value)]


def slots(value: object) -> list[tuple[str, object]]:
    """Name and value of every slot of an object that is filled."""
    found = []
    for cls in type(value).__mro__:
        names = cls.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found.append((name, getattr(value, name)))
    return found
