# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The engines by name: a registry of those that are shipped and of other people's.

Engines of other people's are named by an entry point of the group `bringup.engines`, or by the
module that holds them in `BRINGUP_ENGINES=MODULE[,MODULE]`: an `Engine`, several, or a module
with `ENGINES`.
"""

import functools
import os
from typing import Any, NamedTuple

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.extensions import things
from bringup.harness.records.variable_names import ENGINES_VARIABLE
from bringup.pipeline.running.engine import Engine
from bringup.pipeline.running.ray_cluster import RAY
from bringup.pipeline.running.shared import SHARED
from bringup.pipeline.running.supervisor import LOCAL

SHIPPED: tuple[Engine, ...] = (LOCAL, SHARED, RAY)
ENTRY_POINTS = "bringup.engines"


class EngineChoice(NamedTuple):
    """An engine and where it is to be found."""

    engine: Engine
    address: str
    """What stands behind `NAME://`; empty where nothing does."""


def engine_of(text: str) -> EngineChoice:
    """The engine of `NAME` or `NAME://ADDRESS`.

    Raises:
        UsageError: there is no such engine, or one of somebody else's cannot be had.
    """
    name, _, address = text.partition("://")
    known = engines()
    if name not in known:
        there_are = ", ".join(known)
        raise UsageError(f"unknown engine {name!r}; known are {there_are}{hint(name, known)}")
    if bool(address) is not known[name].takes_address:
        takes = "takes no address" if address else f"needs an address: {name}://ADDRESS"
        raise UsageError(f"the engine {name} {takes}")
    return EngineChoice(known[name], address)


def engines() -> dict[str, Engine]:
    """Every engine there is here, by name; other people's are last."""
    return _engines(os.environ.get(ENGINES_VARIABLE, ""))


@functools.cache
def _engines(modules: str) -> dict[str, Engine]:
    """`modules` are those of the variable."""
    found = {engine.name: engine for engine in SHIPPED}
    kind: Any = Engine  # a protocol is no concrete class to mypy
    for engine, source in things(ENTRY_POINTS, ENGINES_VARIABLE, modules, kind, "ENGINES"):
        if found.setdefault(engine.name, engine) is not engine:
            raise UsageError(f"{source}: there is an engine called {engine.name} already")
    return found
