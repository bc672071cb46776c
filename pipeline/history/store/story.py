# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One test's whole story: what it came to in every run, and how, in the newest ones."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.samples import OpSample, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import (
    Fingerprint,
    names_of,
    no_fingerprint,
    op_samples,
    rows_of,
    samples,
)
from bringup.pipeline.history.store.tables import OutputRow, Run, StageRow, TextRow


@dataclass(frozen=True)
class Attempt:
    """One attempt at a test, with all that is kept of it."""

    run: Run
    attempt: int
    last: bool
    outcome: Outcome
    message: str
    started: float | None
    seconds: float | None
    stages: tuple[StageRow, ...]
    outputs: tuple[OutputRow, ...]
    texts: tuple[TextRow, ...]


@dataclass(frozen=True)
class Story:
    """All that is known of one test on one device."""

    test: str
    samples: tuple[Sample, ...]
    """By time."""
    attempts: tuple[Attempt, ...]
    """Those of the newest runs, by time."""
    op_changes: tuple[OpSample, ...]
    """Of each op, by key and time, its first result and each that differs from the one before."""


def story(
    history: History,
    test: str,
    aliases: Mapping[str, str] | None = None,
    fingerprint: Fingerprint = no_fingerprint,
    detailed: int = 30,
) -> Story:
    """One test's whole story, by its present key; the newest `detailed` runs in detail.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    found = tuple(samples(history, None, [test], aliases, fingerprint))
    ids = {sample.run for sample in found[-detailed:]}
    newest = [run for run in history.runs() if run.run in ids]
    return Story(
        test,
        found,
        tuple(_attempts(history, newest, test, aliases)) if newest else (),
        tuple(op_samples(history, None, [test], aliases, fingerprint, only_changes=True)),
    )


def _attempts(
    history: History, runs: Collection[Run], test: str, aliases: Mapping[str, str] | None
) -> list[Attempt]:
    """In the order of their time; nested columns come as JSON, since few rows have them."""
    nested = ", ".join(
        f"to_json({name})::VARCHAR AS {name}" for name in ("stages", "outputs", "texts")
    )
    chosen, found = rows_of(
        history,
        "attempts",
        runs,
        f"SELECT run, attempt, last, outcome, message, started, seconds, {nested}",
        f"test IN ({names_of([test], aliases)})",
    )
    known = {run.state: run for run in chosen}
    made = [
        Attempt(
            known[state],
            attempt,
            last,
            Outcome(outcome),
            message,
            started,
            seconds,
            msgspec.convert(json.loads(stages or "[]"), tuple[StageRow, ...]),
            msgspec.convert(json.loads(outputs or "[]"), tuple[OutputRow, ...]),
            msgspec.convert(json.loads(texts or "[]"), tuple[TextRow, ...]),
        )
        for state, attempt, last, outcome, message, started, seconds, stages, outputs, texts in zip(
            *found.values(), strict=True
        )
    ]
    return sorted(made, key=lambda a: (a.run.created, a.run.run, a.attempt))
