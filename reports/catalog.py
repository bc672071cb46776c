# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The report formats by name: a registry of those in `bringup.reports.formats` and of other
people's.

Formats of other people's are named by an entry point of the group `bringup.reporters`, or by the
module that holds them in `BRINGUP_REPORTERS=MODULE[,MODULE]`. Such an entry point or module is a
`Reporter`, or gives several in `REPORTERS`. One that cannot be had is listed like the others and
fails when it is to write: a night's documents do not depend on it, and its loss is not silent.
"""

import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.extensions import extensions
from bringup.harness.records.variable_names import REPORTERS_VARIABLE
from bringup.reports.errors import ReportError
from bringup.reports.formats import (
    crcr,
    feed,
    html,
    index,
    json,
    markdown,
    summary,
    webhook,
    xlsx,
)
from bringup.reports.reporter import Reporter, RunReport, Written, is_on_demand

SHIPPED: tuple[Reporter, ...] = (
    *(xlsx, markdown, json, summary, webhook, crcr, html),
    *(feed, index),
)
"""In the order in which they write: the page after the files that it links to."""
ENTRY_POINTS = "bringup.reporters"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Unusable:
    """A format that cannot be had, in its place."""

    NAME: str
    why: str

    @property
    def WRITES(self) -> Mapping[str, str]:
        """No file, but why there is none."""
        return {"nothing": self.why}

    def write(self, report: RunReport) -> Written:
        """Fail, and say why."""
        raise ReportError(self.why)


def formats() -> dict[str, Reporter]:
    """Every format there is here, by name, in the order in which they write; others' are last."""
    return _formats(os.environ.get(REPORTERS_VARIABLE, ""))


def chosen(names: Collection[str]) -> tuple[Reporter, ...]:
    """The formats of these names, each once, in the order in which they write.

    Of no names: all but those that are written on demand only.

    Raises:
        UsageError: there is no such format; the message says which there are.
    """
    known = formats()
    for name in names:
        if name not in known:
            raise UsageError(
                f"unknown format {name!r}; known are {', '.join(known)}{hint(name, known)}"
            )
    return tuple(
        reporter
        for name, reporter in known.items()
        if (name in names if names else not is_on_demand(reporter))
    )


@functools.cache
def _formats(modules: str) -> dict[str, Reporter]:
    """`modules` are those of the variable."""
    found: dict[str, Reporter] = {reporter.NAME: reporter for reporter in SHIPPED}
    for one in extensions(ENTRY_POINTS, REPORTERS_VARIABLE, modules):
        broken = one.error and Unusable(one.name, f"{one.source} cannot be loaded: {one.why}")
        for reporter in [broken] if broken else _reporters_in(one.thing, one.name, one.source):
            if found.get(reporter.NAME, reporter) != reporter:  # the name is taken
                taken = f"{one.source}: there is a format called {reporter.NAME} already"
                why = reporter.why if isinstance(reporter, Unusable) else taken
                reporter = Unusable(f"{reporter.NAME} of {one.name}", why)
            found[reporter.NAME] = reporter
    return found


def _reporters_in(thing: Any, name: str, source: str) -> Iterator[Reporter]:
    """What an entry point or a module gives; of what is no format, why it is none."""
    found = getattr(thing, "REPORTERS", thing)
    if found in ([], ()):
        yield Unusable(name, f"{source} gives no Reporter: its REPORTERS is empty")
    for one in found if isinstance(found, tuple | list) else (found,):
        why = _why_not(one)
        yield Unusable(name, f"{source} gives no Reporter: {why}") if why else one


def _why_not(thing: Any) -> str:
    """Why something is no format; empty when it is one."""
    lacks = [name for name in ("NAME", "WRITES", "write") if not hasattr(thing, name)]
    if lacks or isinstance(thing, type):
        what = thing.__name__ if isinstance(thing, ModuleType | type) else type(thing).__name__
        return f"{what} has no {lacks[0]}" if lacks else f"{what} is a class and no object of it"
    if not isinstance(thing.NAME, str) or not _NAME.fullmatch(thing.NAME):
        return f"its NAME is {thing.NAME!r}"
    lines = thing.WRITES.items() if isinstance(thing.WRITES, Mapping) else [(None, None)]
    if not all(isinstance(text, str) for line in lines for text in line):
        return "its WRITES is no table of files and what is in them"
    return "" if callable(thing.write) else "its write is no function"
