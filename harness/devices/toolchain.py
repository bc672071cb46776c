# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What stands behind a device here and now, as far as a verdict depends on it.

The versions of the distributions that its backend comes from, the content of the libraries that
compile and run, and what the environment tells them. A plugin that was built anew with the same
version has another content; one that is found by its file alone has an owner, whose version counts.
"""

import functools
import os
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path

import msgspec

from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.kind import DeviceKind
from bringup.harness.records.provenance import versions
from bringup.harness.records.variable_names import PLUGIN_PREFIX
from bringup.harness.records.verdicts.file_digest import digest_of

_OURS = ("TT_TORCH_", "BRINGUP_")
"""Variables that we read ourselves: what of them matters to a verdict is among its flags."""


class Toolchain(msgspec.Struct, frozen=True):
    """Everything of a device that its verdicts depend on."""

    versions: Mapping[str, str]
    """Distribution to version."""
    libraries: Mapping[str, str]
    """File name to sha256, in hex."""
    environment: Mapping[str, str]
    flags: tuple[str, ...]


def toolchain_of(device: str) -> Toolchain:
    """The toolchain of the device of this name, installed or not.

    Raises:
        UsageError: no such device.
    """
    kind = kind_of(device)
    plugins = tuple(item for item in sorted(os.environ.items()) if _names_plugin(item[0]))
    libraries = _libraries(device, plugins)
    owners = {owner_of(path) for path in (*libraries, *_backend_file(kind))} - {""}
    return Toolchain(
        versions=versions(tuple(sorted({*kind.distributions, *owners}))),
        libraries={path.name: digest_of(path) for path in (*libraries, *_backend_file(kind))},
        environment=_environment(kind),
        flags=kind.flags,
    )


def _environment(kind: DeviceKind) -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and any(fnmatchcase(name, p) for p in kind.environment)
    }


def _names_plugin(variable: str) -> bool:
    return variable.startswith(PLUGIN_PREFIX)


@functools.cache
def _libraries(device: str, plugins: tuple[tuple[str, str], ...]) -> tuple[Path, ...]:
    """Which files they are is looked up once; `plugins` are the variables that say more."""
    return tuple(kind_of(device).libraries())


def _backend_file(kind: DeviceKind) -> tuple[Path, ...]:
    """The source that makes the backend: somebody else's may change without another version."""
    module = sys.modules.get(getattr(kind.backend, "__module__", ""))
    file = getattr(module, "__file__", None)
    return (Path(file),) if file else ()


@functools.cache
def owner_of(path: Path) -> str:
    """The distribution whose RECORD names a file, by the folder both are installed in; or empty."""
    for folder in path.parents:
        records = _records(folder)
        if records:
            within = path.relative_to(folder)
            line, package = f"{within.as_posix()},", within.parts[0].casefold()
            # Most packages are called like their distribution; reading all RECORDs takes a while.
            likely = sorted(records, key=lambda r: not r.parent.name.casefold().startswith(package))
            return next((_name(r.parent) for r in likely if _mentions(r, line)), "")
    return ""


@functools.cache
def _records(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.dist-info/RECORD")))


def _mentions(record: Path, line: str) -> bool:
    try:
        text = record.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.startswith(line) or f"\n{line}" in text


def _name(info: Path) -> str:
    return str(metadata.PathDistribution(info).metadata["Name"] or "")
