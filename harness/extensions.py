# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Extensions: parts of somebody else's, which come by entry point or by an environment variable.

Six registries are open to them: devices (`harness/devices/catalog.py`), lists
(`pipeline/lists/specs.py`), planners (`pipeline/planning/planners.py`), engines
(`pipeline/running/engines.py`), loaders (`harness/loaders/repository.py`)
and report formats (`reports/catalog.py`). An entry point reaches
every process of an environment. A variable names modules and needs no
installation; it reaches the processes that are started with it.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import said_by

T = TypeVar("T")


@dataclass(frozen=True)
class Extension:
    """Something of somebody else's, or why it cannot be had."""

    name: str
    """Of the entry point or the module."""
    source: str
    """Where it comes from, as a sentence begins."""
    installed: bool
    """True: found by an entry point; False: named in an environment variable, so somebody wants
    it here, and a failure to load it is an error."""
    thing: Any = None
    """What the entry point or the module gives."""
    error: BaseException | None = None
    """What loading it raised; None where `thing` is it."""

    @property
    def why(self) -> str:
        """What loading it raised, in words."""
        return f"{type(self.error).__name__}: {said_by(self.error)}" if self.error else ""


def extensions(group: str, variable: str, modules: str) -> Iterator[Extension]:
    """Load those of a variable, whose value `modules` are names with commas, then the installed."""
    for name in filter(None, (part.strip() for part in modules.split(","))):
        yield _loaded(name, f"{variable}: {name}", False, partial(importlib.import_module, name))
    for point in metadata.entry_points(group=group):
        yield _loaded(point.name, f"entry point {point.name} of {group}", True, point.load)


def things(
    group: str, variable: str, modules: str, kind: type[T], attribute: str
) -> Iterator[tuple[T, str]]:
    """The objects of a kind that extensions give, each with its source, as a sentence begins.

    An extension is such an object, several in a tuple or a list, or a module that holds either in
    its `attribute`.

    Raises:
        UsageError: one cannot be loaded, or gives something else.
    """
    for one in extensions(group, variable, modules):
        if one.error:
            raise UsageError(f"{one.source} cannot be loaded: {one.why}")
        held = isinstance(one.thing, ModuleType) and hasattr(one.thing, attribute)
        found = getattr(one.thing, attribute) if held else one.thing
        found = found if isinstance(found, tuple | list) else (found,)
        for thing in found:
            if not isinstance(thing, kind):
                what = "a module" if isinstance(thing, ModuleType) else type(thing).__name__
                lacks = f" without {attribute}" if isinstance(thing, ModuleType) else ""
                raise UsageError(f"{one.source} gives no {kind.__name__}, but {what}{lacks}")
            yield thing, one.source


def _loaded(name: str, source: str, installed: bool, load: Callable[[], Any]) -> Extension:
    try:
        return Extension(name, source, installed, load())
    except (Exception, SystemExit) as error:  # whatever somebody else's module raises
        return Extension(name, source, installed, error=error)
