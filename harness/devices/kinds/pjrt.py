# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`pjrt:NAME`: any installed PJRT plugin, by its name."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.backends import xla
from bringup.harness.devices.kind import DeviceKind, Family

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend

PREFIX = "pjrt:"


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.pjrt import plugin_backend

    return plugin_backend(name, (name.removeprefix(PREFIX),))


def _kind(name: str) -> DeviceKind:
    plugin = name.removeprefix(PREFIX)
    owner = _owner(plugin)
    return DeviceKind(
        name=name,
        title=f"PJRT plugin {plugin}",
        backend=_backend,
        levels=xla.LEVELS,
        compiler=owner.compiler if owner else "",
        distributions=(
            *xla.DISTRIBUTIONS,
            *_called(plugin),
            *(owner.distributions if owner else ()),
        ),
        libraries=lambda: _libraries(plugin),
        environment=owner.environment
        if owner
        else (*xla.ENVIRONMENT, "PJRT_*", _variables(plugin)),
        target=lambda name: owner.target(owner.name) if owner else "",
        lease=(owner.lease or owner.name) if owner else "",
        boards=lambda: owner.boards() if owner else (),
        only=lambda boards: owner.only(boards) if owner else {},
        takes=owner.takes if owner else 1,
        reset=owner.reset if owner else None,
        plugins=(plugin,),
        preload=xla.PRELOAD,
    )


def _owner(plugin: str) -> DeviceKind | None:
    """The kind with a name of its own that goes through a plugin."""
    from bringup.harness.devices.catalog import named_kinds

    return next((kind for kind in named_kinds().values() if kind.goes_through(plugin)), None)


def _called(plugin: str) -> tuple[str, ...]:
    """Names that a plugin's distribution may go by, beside the owner of its library."""
    word = re.sub(r"[^a-z0-9]+", "-", plugin.lower()).strip("-")
    patterns = ("{}", "{}-pjrt", "{}-plugin", "pjrt-plugin-{}", "jax-{}-plugin", "jax-{}-pjrt")
    return (*(pattern.format(word) for pattern in patterns), f"jax-{word}[0-9]*")


def _variables(plugin: str) -> str:
    """What the variables that a plugin reads of its own are likely to be called."""
    return re.sub(r"[^A-Z0-9]+", "_", plugin.upper()).strip("_") + "_*"


def _libraries(plugin: str) -> tuple[Path, ...]:
    from bringup.harness.devices.backends.pjrt import plugin_libraries

    return plugin_libraries((plugin,))


def _installed() -> Sequence[str]:
    from bringup.harness.devices.backends.pjrt import discover_plugins

    return [PREFIX + plugin for plugin in discover_plugins() if _owner(plugin) is None]


FAMILY = Family(PREFIX, _kind, _installed)
