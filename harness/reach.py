# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Everything a model can keep state in: what is reached from it through Python."""

import functools
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, TypeVar

import torch

T = TypeVar("T")
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


def named(root: object, kind: type[T] | tuple[type[T], ...]) -> dict[str, T]:
    """What a value holds of a kind, by paths: `layer1.last`, `cache.layers[0].keys`.

    Goes where `reached` goes, but for the parameters and buffers of modules. What is held twice has
    two paths.
    """
    found: dict[str, T] = {}
    seen: dict[int, object] = {}
    waiting: deque[tuple[str, object]] = deque([("", root)])
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, kind):
            while path in found:
                path += "_"
            found[path] = value
        elif id(value) not in seen:
            seen[id(value)] = value
            for step, held in _named(value):
                if not isinstance(held, _ATOMS):
                    waiting.append((f"{path}{step}" if path else step.removeprefix("."), held))
    return found


def _named(value: object) -> Iterator[tuple[str, Any]]:
    """What `_held` gives, each with a step of a path; but no keys, and no sets: those are in no
    order.
    """
    if isinstance(value, torch.nn.Module):
        yield from _named_of_module(value)
    elif isinstance(value, dict):
        yield from ((_step_of(key), item) for key, item in dict.items(value))
    elif isinstance(value, list | tuple | deque):
        yield from ((f"[{place}]", item) for place, item in enumerate(value))
    elif isinstance(value, FunctionType):
        yield from zip(_closed_over(value), value.__closure__ or (), strict=True)
        yield ".defaults", (value.__defaults__, value.__kwdefaults__)
    elif isinstance(value, CellType | MethodType | functools.partial):
        yield from (("", held) for held in _held(value))
    if not isinstance(value, torch.nn.Module) and has_own_state(value):
        yield from (("", vars(value)),) if hasattr(value, "__dict__") else ()
        yield from ((f".{name}", held) for name, held in slots(value))


def _named_of_module(module: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    for name, held in vars(module).items():
        if name == "_modules":
            yield from ((f".{child}", part) for child, part in held.items())
        elif name.endswith("_hooks") and isinstance(held, dict):  # by numbers of the whole process
            yield from ((f".{name}[{place}]", hook) for place, hook in enumerate(held.values()))
        elif name not in ("_parameters", "_buffers"):
            yield f".{name}", held


def _step_of(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _closed_over(function: FunctionType) -> Iterator[str]:
    return (f".{name}" for name in function.__code__.co_freevars)


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


def code_parts(code: CodeType) -> Iterator[object]:
    """What a function's code does, that of functions inside it too, wherever it is written."""
    yield code.co_code, code.co_names, code.co_varnames
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_parts(constant)
        else:
            yield constant


def functions_of(thing: Any) -> Iterator[FunctionType]:
    """A function, or those in a class and in what that inherits from of its own module."""
    if isinstance(thing, FunctionType):
        yield thing
        return
    for cls in thing.__mro__:
        if cls.__module__ == thing.__module__:
            for member in vars(cls).values():
                inner = (getattr(member, name, None) for name in ("fget", "__func__", "func"))
                yield from (each for each in (member, *inner) if isinstance(each, FunctionType))


def names_in(code: CodeType) -> Iterator[str]:
    """What code names beside its own variables, that of functions inside it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
