# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A Sphinx extension: where a page has `<!-- generated: NAME -->`, its text is made at build time.

So options, variables, fields and the picture of the rooms are those of the sources, and nobody
writes them down a second time.
"""

import enum
import inspect
import re
from collections.abc import Callable
from typing import Any

from sphinx.util.inspect import signature, stringify_signature

from docs.site import commands, fleet, picture, tables

MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)


def _rooms() -> str:
    return f"```{{raw}} html\n<figure>{picture.picture()}</figure>\n```"


GENERATED: dict[str, Callable[[], str]] = {
    "rooms": _rooms,
    "commands": commands.commands,
    "fleet": fleet.table,
    "fleet-counts": fleet.counts,
    "variables": tables.variables,
    "exit-codes": tables.exit_codes,
    "outcomes": tables.outcomes,
    "statuses": tables.statuses,
    "model-statuses": tables.model_statuses,
    "stages": tables.stages,
    "lists": tables.lists,
    "metrics": tables.metrics,
    "record-fields": tables.record_fields,
}
"""By the name that pages use."""


def expand(text: str) -> str:
    """A page's text with everything in it that is generated.

    Raises:
        KeyError: it asks for something that nobody generates.
    """
    return MARK.sub(lambda match: GENERATED[match[1]](), text)


def made_with(cls: type) -> str | None:
    """What a class is called with, as its `__init__` says and not what stands in front of that."""
    if not inspect.isfunction(cls.__init__):  # type: ignore[misc]
        return None
    takes = signature(cls.__init__, bound_method=True)  # type: ignore[misc]
    return stringify_signature(takes, show_return_annotation=False, unqualified_typehints=True)


def setup(app: Any) -> dict[str, object]:
    """Have Sphinx expand every page as it is read, and say what classes are called with."""

    def read(_app: object, _name: str, source: list[str]) -> None:
        source[0] = expand(source[0])

    def called(
        _app: object, what: str, _name: str, found: Any, _options: object, *_shown: str | None
    ) -> tuple[str, str] | None:
        takes = made_with(found) if what == "class" and not issubclass(found, enum.Enum) else None
        return (takes, "") if takes else None

    app.connect("source-read", read)
    app.connect("autodoc-process-signature", called)
    return {"parallel_read_safe": True}
