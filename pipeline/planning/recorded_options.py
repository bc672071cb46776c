# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The options that chose a plan: written into it, and held against those that are given later."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.records.checkout import refuse_foreign_folder
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.selection import RunOptions

_TUPLES = ("devices", "models", "ids")
_WORDS = ("size", "split", "lists", "tests")
_FLAGS = ("all", "no_cache")
_TEXTS = ("recheck",)


def choosing(options: RunOptions, devices: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What decided what a run does, for its plan; `devices` are those it came to."""
    said = {name: _said(options, name) for name in (*_TUPLES, *_WORDS, *_FLAGS, *_TEXTS)}
    return said | {"devices": tuple(sorted(devices))}


def _said(options: RunOptions, name: str) -> tuple[str, ...]:
    value = getattr(options, name)
    if name in _TUPLES:
        return tuple(sorted(value))
    if name in _FLAGS:
        return ("yes",) if value else ()
    return (str(value),) if value or name in _WORDS else ()


def as_planned(
    planned: Mapping[str, tuple[str, ...]], options: RunOptions, where: str, how: str
) -> RunOptions:
    """The options that chose what is planned `where`, with `options` for everything else.

    Raises:
        PipelineError: an option that is given says otherwise; `how` says what to do about it.
    """
    if lacks := [n for n in _TUPLES if n not in planned] + [
        n for n in _WORDS if not planned.get(n)
    ]:
        raise PipelineError(f"{where} does not say which {lacks[0]} it was planned with; plan anew")
    for name in (*planned, *_FLAGS, *_TEXTS):
        if name in options.given and _said(options, name) != planned.get(name, ()):
            word = {"devices": "device", "models": "model"}.get(name, name.replace("_", "-"))
            raise PipelineError(otherwise(where, word, ",".join(planned.get(name, ())), how))
    if "tests" not in options.given:
        for folder in planned.get("tests", ()):
            _refuse_foreign(folder, where)
    try:
        chosen: dict[str, Any] = {n: planned[n] for n in _TUPLES}
        chosen |= {n: planned[n][0] for n in _WORDS}
    except LookupError as error:
        said = f"the plan in {where} does not say by which {error.args[0]} it was chosen"
        raise PipelineError(f"{said}; start anew") from None
    chosen |= {n: bool(planned.get(n)) for n in _FLAGS}
    chosen |= {n: "".join(planned.get(n, ())) for n in _TEXTS}
    return replace(options, **chosen | {"lists": Path(chosen["lists"])})


def _refuse_foreign(folder: str, where: str) -> None:
    """A plan may be anybody's: the tests it collects are this checkout's, unless a person says so.

    Raises:
        PipelineError: they are not.
    """
    try:
        refuse_foreign_folder(folder, Path.cwd(), f"the plan in {where}")
    except UsageError as error:
        hint = f"; if they are yours, say so with --tests {shlex.quote(folder)}"
        raise PipelineError(f"{error}{hint}") from None


def otherwise(where: str, option: str, planned: str, how: str) -> str:
    """The sentence that what is given is not what was planned."""
    was = f"with --{option} {planned}" if planned else f"without --{option}"
    if option in ("all", "no-cache"):
        was = f"with --{option}" if planned else f"without --{option}"
    if option == "ids":
        was = f"for {planned}" if planned else "for no test by its id"
    return f"{where} was planned {was}; {how}"
