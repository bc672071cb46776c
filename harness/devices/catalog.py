# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The devices by name: a registry of the kinds in `bringup.harness.devices.kinds` and of other
people's.

Kinds of other people's are named by an entry point of the group `bringup.devices`, or by the
module that holds them in `BRINGUP_DEVICE_KINDS=MODULE[,MODULE]`: both reach the device hosts,
which are processes of their own. Such an entry point or module gives a `DeviceKind`, several, or
is a module with `KINDS`. In that variable a file's path may stand too: a kind that is all figures,
which a module of the shipped kinds reads (`of_file`).
"""

import functools
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bringup.harness.devices.kind import DeviceKind, Family
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.extensions import extensions
from bringup.harness.options.device_names import is_file_of_kind
from bringup.harness.records import provenance
from bringup.harness.records.values import Status
from bringup.harness.records.variable_names import KINDS_VARIABLE
from bringup.harness.storage.writable import said_by

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend

_KINDS = "bringup.harness.devices.kinds"

__all__ = ["DeviceKind", "kind_of", "kinds_listed", "register"]

DEFAULT_DEVICE = "cpu"
INTERPRETER = "interpreter"
"""The device whose word on StableHLO is the specification's."""
ENTRY_POINTS = "bringup.devices"


def kind_of(name: str) -> DeviceKind:
    """The kind of the device called `name`.

    Raises:
        UsageError: no such device; the message says which there are.
    """
    kind = _shipped().get(name) or named_kinds().get(name)
    if kind is not None:
        return kind
    for family in _families():
        if name.startswith(family.prefix) and name != family.prefix:
            return family.kind(name)
    known = kinds_listed()
    raise UsageError(f"unknown device {name!r}; known are {', '.join(known)}{hint(name, known)}")


def kinds_listed() -> dict[str, DeviceKind]:
    """The kinds that a run is offered, by name: those that have a name of their own."""
    return {name: kind for name, kind in named_kinds().items() if kind.listed}


def installed_names() -> list[str]:
    """Every device name there is here, plugins that have no kind of their own included."""
    found = [name for family in _families() for name in family.installed()]
    return [*kinds_listed(), *found]


def make_backend(name: str) -> "Backend":
    """The backend of a device, unopened. Called inside a device host.

    Raises:
        UsageError: no such device.
        DeviceError: what the device needs is not installed.
    """
    return kind_of(name).backend(name)


def reached_by(levels: Iterable[str]) -> Status:
    """What a program has reached of which levels of these names were written.

    NOT_STARTED where they are no device's own, such as `stablehlo`.
    """
    statuses = _statuses(os.environ.get(KINDS_VARIABLE, ""))
    return max((statuses.get(name, Status.NOT_STARTED) for name in levels), default=Status(0))


def register(module: str) -> None:
    """Have the kinds in a module's `KINDS` known here, and in processes started from now on.

    Raises:
        UsageError: it cannot be imported, holds none, or one has a name that is taken.
    """
    before = os.environ.get(KINDS_VARIABLE, "")
    if module not in before.split(","):
        os.environ[KINDS_VARIABLE] = f"{before},{module}".strip(",")
    named_kinds()


def distributions() -> tuple[str, ...]:
    """Names and patterns of the distributions that the named kinds come from, sorted."""
    return tuple(sorted({name for k in named_kinds().values() for name in k.distributions}))


def versions() -> dict[str, str]:
    """Installed versions of all that a verdict on a device with a name of its own depends on."""
    return provenance.versions(distributions())


def named_kinds() -> dict[str, DeviceKind]:
    """The kinds that have a name of their own, also those that a run is not offered.

    Raises:
        UsageError: one of somebody else's cannot be had, or has a name that is taken.
    """
    return {**_shipped(), **_foreign(os.environ.get(KINDS_VARIABLE, ""))}


@functools.cache
def _statuses(modules: str) -> dict[str, Status]:
    """What each level stands for; one name has one meaning, so that a record needs no device."""
    kinds = [*_shipped().values(), *_foreign(modules).values()]
    families = [family.kind(f"{family.prefix}any") for family in _families()]
    found: dict[str, Status] = {}
    for kind in (*kinds, *families):
        for level in kind.levels:
            if found.setdefault(level.name, level.status) is not level.status:
                raise UsageError(
                    f"the device {kind.name} has a level `{level.name}` that stands for"
                    f" {level.status.name}; of another device it is {found[level.name].name}"
                )
    return found


@functools.cache
def _modules() -> tuple[ModuleType, ...]:
    names = sorted(
        info.name for info in pkgutil.iter_modules(importlib.import_module(_KINDS).__path__)
    )
    modules = (importlib.import_module(f"{_KINDS}.{name}") for name in names)
    return tuple(
        sorted(modules, key=lambda module: hasattr(module, "of_file"))
    )  # the many are last


@functools.cache
def _shipped() -> dict[str, DeviceKind]:
    return {kind.name: kind for module in _modules() for kind in getattr(module, "KINDS", ())}


@functools.cache
def _families() -> tuple[Family, ...]:
    found = (getattr(module, "FAMILY", None) for module in _modules())
    return tuple(family for family in found if family is not None)


@functools.cache
def _foreign(modules: str) -> dict[str, DeviceKind]:
    """Somebody else's kinds, by name; `modules` are those of the variable."""
    found = _of_files(tuple(part for part in _parts(modules) if is_file_of_kind(part)))
    modules = ",".join(part for part in _parts(modules) if not is_file_of_kind(part))
    for one in extensions(ENTRY_POINTS, KINDS_VARIABLE, modules):
        if one.error and one.installed:  # it must not cost the other devices
            print(f"the device kind {one.name} cannot be loaded: {one.why}", file=sys.stderr)
            continue
        if one.error:
            raise UsageError(f"{one.source} cannot be imported: {said_by(one.error)}")
        for kind in _kinds_in(one.thing, one.source):
            if kind.name in _shipped() or found.get(kind.name, kind) is not kind:
                raise UsageError(f"{one.source}: there is a device called {kind.name} already")
            found[kind.name] = kind
    return found


def _parts(modules: str) -> list[str]:
    return [part.strip() for part in modules.split(",") if part.strip()]


def _of_files(paths: Sequence[str]) -> dict[str, DeviceKind]:
    """The kinds that files are; of two with one name the last, since it was named last."""
    found: dict[str, DeviceKind] = {}
    readers = [module.of_file for module in _modules() if hasattr(module, "of_file")]
    for path in paths:
        kind: DeviceKind = readers[0](Path(path))
        if kind.name in _shipped():
            raise UsageError(f"{path}: there is a device called {kind.name} already")
        found[kind.name] = kind
    return found


def _kinds_in(thing: Any, source: str) -> tuple[DeviceKind, ...]:
    found = thing.KINDS if isinstance(thing, ModuleType) and hasattr(thing, "KINDS") else thing
    found = (found,) if isinstance(found, DeviceKind) else found
    if not isinstance(found, tuple | list) or not all(isinstance(k, DeviceKind) for k in found):
        raise UsageError(f"{source} gives no DeviceKind, but {type(thing).__name__}")
    return tuple(found)
