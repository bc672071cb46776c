# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One test's whole story: what it came to in every run, and how, in the newest ones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb
import msgspec

from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.samples import OpSample, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.query import ask, names_of
from bringup.pipeline.history.store.read import (
    op_samples,
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
    detailed: int = 30,
    of_ops: int = 90,
) -> Story:
    """One test's whole story, by its present key.

    The newest `detailed` runs have their stages and outputs, the newest `of_ops` their ops.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    with history.held():
        found = tuple(samples(history, None, [test], aliases))
        place = {sample.run: i for i, sample in enumerate(found)}
        runs = [run for run in history.runs() if run.run in place]
        runs.sort(key=lambda run: place[run.run])
        changes = op_samples(history, runs[-of_ops:], [test], aliases, only_changes=True)
        attempts = _attempts(history, runs[-detailed:], test, aliases)
    return Story(test, found, tuple(attempts), tuple(changes))


def _attempts(
    history: History, runs: Collection[Run], test: str, aliases: Mapping[str, str] | None
) -> list[Attempt]:
    """In the order of their time; nested columns come as JSON, since few rows have them."""
    plain = "n, attempt, last, outcome, message, started, seconds"
    nested = ", ".join(f"to_json({name})::VARCHAR" for name in ("stages", "outputs", "texts"))
    where = f"test IN ({names_of([test], aliases)})"

    def query(db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str) -> list[Attempt]:
        asked = f"SELECT {plain}, {nested} FROM {source} WHERE {where} ORDER BY n, attempt"
        return [
            Attempt(
                chosen[n],
                attempt,
                last,
                Outcome(outcome),
                message,
                started,
                seconds,
                msgspec.json.decode(stages or "[]", type=tuple[StageRow, ...]),
                msgspec.json.decode(outputs or "[]", type=tuple[OutputRow, ...]),
                msgspec.json.decode(texts or "[]", type=tuple[TextRow, ...]),
            )
            for n, attempt, last, outcome, message, started, seconds, stages, outputs, texts in (
                db.execute(asked).fetchall()
            )
        ]

    return ask(history, "attempts", runs, query, few=True)
