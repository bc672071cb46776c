# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The report formats by name: a registry of those in `bringup.reports.formats` and of other
people's.

Formats of other people's are named by an entry point of the group `bringup.reporters`, or by the
module that holds them in `BRINGUP_REPORTERS=MODULE[,MODULE]`. Such an entry point or module is a
`Reporter`, or gives several in `REPORTERS`.
"""

import functools
import os
import re
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.extensions import did_you_mean, from_entry_points, from_variable
from bringup.reports.formats import html, json, markdown, xlsx
from bringup.reports.reporter import Reporter

SHIPPED: tuple[Reporter, ...] = (xlsx, markdown, json, html)
"""In the order in which they write: the page after the files that it links to."""
ENTRY_POINTS = "bringup.reporters"
VARIABLE = "BRINGUP_REPORTERS"
"""Modules with formats of somebody else's, with commas between them."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def formats() -> dict[str, Reporter]:
    """Every format there is here, by name, in the order in which they write.

    Raises:
        UsageError: one of somebody else's cannot be had, or has a name that is taken.
    """
    shipped = {reporter.NAME: reporter for reporter in SHIPPED}
    return {**shipped, **_foreign(os.environ.get(VARIABLE, ""))}


def chosen(names: Collection[str]) -> tuple[Reporter, ...]:
    """The formats of these names, each once, in the order in which they write; of none, all.

    Raises:
        UsageError: there is no such format; the message says which there are.
    """
    known = formats()
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"unknown format {name!r}: {hint}known are {', '.join(known)}")
    return tuple(reporter for name, reporter in known.items() if not names or name in names)


@functools.cache
def _foreign(modules: str) -> dict[str, Reporter]:
    """Somebody else's formats, by name; `modules` are those of the variable."""
    found: dict[str, Reporter] = {}
    taken = {reporter.NAME for reporter in SHIPPED}
    for source, thing in (
        *from_variable(VARIABLE, modules),
        *from_entry_points(ENTRY_POINTS, "report format"),
    ):
        for reporter in _reporters_in(thing, source):
            name = reporter.NAME
            if name in taken or found.get(name, reporter) is not reporter:
                raise UsageError(f"{source}: there is a format called {name} already")
            found[name] = reporter
    return found


def _reporters_in(thing: Any, source: str) -> tuple[Reporter, ...]:
    found = getattr(thing, "REPORTERS", thing)
    found = found if isinstance(found, tuple | list) else (found,)
    for one in found:
        if isinstance(one, type) or not isinstance(one, Reporter):
            lacks = [name for name in ("NAME", "WRITES", "write") if not hasattr(one, name)]
            why = f"lacks {', '.join(lacks)}" if lacks else "is a class and no object of it"
            what = one.__name__ if isinstance(one, ModuleType) else type(one).__name__
            raise UsageError(f"{source} gives no Reporter: {what} {why}")
        if not isinstance(one.NAME, str) or not _NAME.fullmatch(one.NAME):
            raise UsageError(f"{source}: {one.NAME!r} cannot be the name of a format")
        said = one.WRITES.items() if isinstance(one.WRITES, Mapping) else [(None, None)]
        if not all(isinstance(text, str) for line in said for text in line):
            raise UsageError(f"{source}: WRITES of the format {one.NAME} is no table of files")
    return tuple(found)
