# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How near the outputs of good nights were to their golden, of each test and dtype."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import duckdb

from bringup.harness.records.aliases import renamed
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.parquet import fetched
from bringup.pipeline.history.store.query import ask, names_of
from bringup.pipeline.history.store.tables import Run


class Nearness(NamedTuple):
    """The worst of one test's outputs of one dtype in one run."""

    test: str
    dtype: str
    at: float
    """When the run was created, in seconds since the epoch."""
    pcc: float | None
    """Least correlation; None where one of the outputs has none that is a number."""
    atol: float | None
    """Largest absolute difference, in the outputs' unit."""
    ir_hash: str


def nearness(
    history: History,
    runs: Collection[Run],
    tests: Collection[str],
    aliases: Mapping[str, str] | None = None,
) -> list[Nearness]:
    """Of the runs in which some tests executed and were good or incorrect, by test and time.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    known = aliases or {}
    asked = (
        "WITH one AS (SELECT n, test, ir_hash, unnest(outputs) AS o FROM {source} WHERE last AND "
        f"excluded = '' AND status = 7 AND test IN ({names_of(tests, aliases)})) "
        "SELECT n, test, o.dtype AS dtype, CASE WHEN bool_or(o.pcc IS NULL) THEN NULL "
        "ELSE min(o.pcc) END AS pcc, max(o.atol) AS atol, any_value(ir_hash) AS ir_hash FROM one "
        "GROUP BY n, test, o.dtype"
    )

    def query(db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str) -> list[Nearness]:
        rows = zip(*fetched(db, asked.format(source=source)), strict=True)
        found = [
            Nearness(renamed(test, known), dtype, chosen[n].created, pcc, atol, ir_hash or "")
            for n, test, dtype, pcc, atol, ir_hash in rows
        ]
        return sorted(found, key=lambda one: (one.test, one.dtype, one.at))

    return ask(history, "attempts", runs, query) if tests else []
