# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a project's own code reads that no model holds: variables of modules, attributes of classes.

A loader may set either by what it finds in a file, and forward read it. Of what is installed nobody
is taken to do so.
"""

import logging
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from bringup.harness.builds.sources import is_of_project
from bringup.harness.reach import functions_of, names_in

_NOTHING = object()
_NO_DATA = (type, FunctionType, ModuleType, property, classmethod, staticmethod, logging.Logger)


def variables_read(code: Iterable[type | FunctionType]) -> dict[str, Any]:
    """By name, the data that classes and functions of a project read, and those that they name."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    waiting = [*code]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or not is_of_project(str(thing.__module__)):
            continue
        seen.add(id(thing))
        if isinstance(thing, type):
            waiting.extend(thing.__mro__[1:])
        for name, value in _read_by(thing):
            if isinstance(value, type | FunctionType):
                waiting.append(value)
            elif not isinstance(value, _NO_DATA):
                found[name] = value
    return found


def _read_by(thing: type | FunctionType) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, type):
        for name, value in vars(thing).items():
            if not (name.startswith("__") or name.startswith("_abc_") or callable(value)):
                yield f"{thing.__module__}:{thing.__qualname__}.{name}", value
    for function in functions_of(thing):
        names = [*names_in(function.__code__)]
        for name in names:
            value = function.__globals__.get(name, _NOTHING)
            if isinstance(value, ModuleType) and is_of_project(value.__name__):
                held = vars(value)
                yield from ((f"{value.__name__}:{n}", held[n]) for n in names if n in held)
            elif value is not _NOTHING:
                yield f"{function.__module__}:{name}", value
