# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Extensions: parts of somebody else's, which come by entry point or by an environment variable.

Two registries are open to them, devices (`harness/devices/catalog.py`) and report formats
(`reports/catalog.py`). An entry point reaches every process of an environment. A variable names
modules and needs no installation; it reaches the processes that are started with it.
"""

import difflib
import importlib
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import said_by


def from_variable(variable: str, modules: str) -> Iterator[tuple[str, Any]]:
    """(where it is from, the module) for `modules`, names with commas between them.

    Raises:
        UsageError: one cannot be imported; whoever sets the variable means it.
    """
    for name in filter(None, (part.strip() for part in modules.split(","))):
        source = f"{variable}: {name}"
        try:
            yield source, importlib.import_module(name)
        except Exception as error:  # whatever somebody else's module raises
            raise UsageError(f"{source} cannot be imported: {said_by(error)}") from error


def from_entry_points(group: str, noun: str) -> Iterator[tuple[str, Any]]:
    """(where it is from, what it gives) for what installed packages bring; `noun` is what it is.

    A broken one is said on stderr and must not cost the others: nobody asked for it here.
    """
    for point in metadata.entry_points(group=group):
        try:
            yield f"entry point {point.name} of {group}", point.load()
        except Exception as error:
            said = f"{type(error).__name__}: {said_by(error)}"
            print(f"the {noun} {point.name} cannot be loaded: {said}", file=sys.stderr)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean n150? ` for a name that is like a known one; empty for any other."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""
