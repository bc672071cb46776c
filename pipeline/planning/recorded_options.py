# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The options that chose a plan: written into it, and held against those that are given later.

Which they are is said where options are declared (`Option.kept`).
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.options.option import (
    Kept,
    Option,
    Source,
    declared,
    spoken,
    texts_of,
    value_of,
)
from bringup.harness.records.advice import PLACES, Advice, advice_here
from bringup.harness.records.checkout import refuse_foreign_folder
from bringup.harness.records.schema import Plan
from bringup.harness.storage.presence import is_there
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.options import RunOptions

_DECLARED = declared(RunOptions)
KEPT = {name: made for name, made in _DECLARED.items() if made.kept is not Kept.NO}
"""The options that a plan keeps, by name."""


def choosing(options: RunOptions, devices: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What decided what a run does, for its plan; `devices` are those it came to."""
    said = {name: texts_of(made, getattr(options, name)) for name, made in KEPT.items()}
    return said | {"devices": tuple(sorted(devices))}


def advice_of(options: RunOptions) -> Advice:
    """How a person starts a command on a run with these options, in its working directory.

    What the project says holds there anyway.
    """
    words: list[str] = []
    for name, made in _DECLARED.items():
        said = texts_of(made, getattr(options, name))
        known = options.sources.get(name, Source.DEFAULT) in (Source.DEFAULT, Source.PROJECT)
        if made.flag in PLACES and not known and said != texts_of(made, made.default):
            words += [word for text in said for word in (made.flag, text)]
    return advice_here(words)


def as_planned(
    planned: Mapping[str, tuple[str, ...]], options: RunOptions, where: str, how: str
) -> RunOptions:
    """The options that chose what is planned `where`, with `options` for everything else.

    What the environment says beside a plan does not count; what the command line says must be the
    same.

    Raises:
        PipelineError: an option that is given says otherwise; `how` says what to do about it. Or
            the plan, which may be anybody's, says what cannot be.
    """
    _refuse_unlike(planned, where)
    for name, made in KEPT.items():
        said = texts_of(made, getattr(options, name))
        if name in options.given and said != tuple(sorted(set(planned.get(name, ())))):
            raise PipelineError(otherwise(where, name, planned.get(name, ()), how))
    if "tests" not in options.given:
        for folder in _folders_with_tests(planned):
            _refuse_foreign(folder, where)
    chosen: dict[str, Any] = {}
    for name, made in KEPT.items():
        try:
            chosen[name] = value_of(made, planned.get(name, ()))
        except UsageError as error:
            raise PipelineError(f"the plan in {where}: {error}") from None
    sources = dict.fromkeys((name for name in KEPT if planned.get(name)), Source.PLAN)
    kept = {name: s for name, s in options.sources.items() if name not in KEPT}
    given = {name: Source.COMMAND_LINE for name in options.given}
    return replace(options, **chosen, sources={**kept, **sources, **given})


def _refuse_unlike(planned: Mapping[str, tuple[str, ...]], where: str) -> None:
    """Refuse a plan that does not say what every plan says, or says what we do not know."""
    for name, made in KEPT.items():
        if made.kept is Kept.ALWAYS and not _is_said(made, planned.get(name)):
            raise PipelineError(f"{where} does not say which {name} it was planned with; plan anew")
    if unknown := [name for name in planned if name not in KEPT]:
        raise PipelineError(
            f"{where} was planned with {unknown[0]!r}, which this version of bringup does not know"
        )


def _is_said(made: Option, texts: tuple[str, ...] | None) -> bool:
    return texts is not None and (bool(texts) or made.default == ())


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


def own_folders(plan: Plan) -> tuple[str, ...]:
    """The folders of a plan's tests that only a person can say are theirs (`--tests`)."""
    return tuple(f for f in _folders_with_tests(plan.chosen) if _is_foreign(f))


def _folders_with_tests(planned: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The folders of a plan's tests; one that is not there has none, beside loaders that have."""
    folders = planned.get("tests", ())
    if not planned.get("loaders"):
        return tuple(folders)
    return tuple(folder for folder in folders if is_there(Path(folder)))


def _is_foreign(folder: str) -> bool:
    try:
        refuse_foreign_folder(folder, Path.cwd(), "a plan")
    except UsageError:
        return True
    return False


def otherwise(where: str, name: str, planned: Iterable[str], how: str) -> str:
    """The sentence that what is given of an option is not what was planned."""
    made, texts = _DECLARED[name], tuple(planned)
    if made.positional:
        was = f"for {spoken(made, texts)}" if texts else "for no test by its id"
    else:
        was = f"with {spoken(made, texts)}" if texts else f"without {made.flag}"
    return f"{where} was planned {was}; {how}"
