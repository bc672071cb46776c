# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Rows of some runs, wherever they lie now, by SQL."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import duckdb

from bringup.harness.records.aliases import renamed
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import Index
from bringup.pipeline.history.store.parquet import database, quoted, relation
from bringup.pipeline.history.store.place import GoneError
from bringup.pipeline.history.store.tables import SCHEMA_VERSION, Run

T = TypeVar("T")

_TRIES = 3


def ask(
    history: History,
    table: str,
    runs: Collection[Run] | None,
    query: Callable[[duckdb.DuckDBPyConnection, list[Run], str], T],
    *,
    few: bool = False,
) -> T:
    """What `query` makes of a table's rows of some runs; None: of all.

    It gets a database, the runs in their order and SQL for the rows, in which `n` is the place of
    a row's run among them. What another process folds away meanwhile is read again from where it is
    by then. `few`: of the rows but few are wanted, so their runs' places are looked up one by one.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    for _ in range(_TRIES - 1):
        try:
            return _ask(history, table, runs, query, few=few)
        except GoneError:
            history.look_again()
            continue
    return _ask(history, table, runs, query, few=few)


def _ask(
    history: History,
    table: str,
    runs: Collection[Run] | None,
    query: Callable[[duckdb.DuckDBPyConnection, list[Run], str], T],
    *,
    few: bool = False,
) -> T:
    index = history.index()
    chosen = _current(index, runs)
    counting = index.counting(chosen)
    files = [
        (history.place.local(index.containers[name].files[table].name), states)
        for name, states in counting.items()
        if table in index.containers[name].files
    ]
    alike = {
        history.place.local(c.files[table].name)
        for c in index.containers.values()
        if c.schema == SCHEMA_VERSION and table in c.files
    }
    rows = relation(table, files, alike)
    if few:
        states = ", ".join(quoted(run.state) for run in chosen)
        source = f"(SELECT *, list_position([{states or 'NULL'}], run) - 1 AS n FROM ({rows}))"
    else:
        order = ", ".join(f"({quoted(run.state)}, {n})" for n, run in enumerate(chosen))
        known = f"(VALUES {order or '(NULL, 0)'}) AS known(run, n)"
        source = f"({rows}) JOIN {known} USING (run)"
    try:
        with database() as db:
            return query(db, chosen, source)
    except HistoryError:
        for name in counting:
            for file in index.containers[name].files.values():
                history.checked(file)  # says which file it is, where one is damaged
        raise


def _current(index: Index, runs: Collection[Run] | None) -> list[Run]:
    """The runs, in the state they have now, by time."""
    if runs is None:
        return index.runs()
    index.runs()
    owners = index.owners()
    found = {run.run: owners[run.run][1] for run in runs if run.run in owners}
    return sorted(found.values(), key=lambda r: (r.created, r.run))


def names_of(tests: Iterable[str], aliases: Mapping[str, str] | None) -> str:
    """SQL for all names that some tests have or had."""
    found = set(tests)
    devices = {test.rpartition("@")[2] for test in found}
    for old in aliases or {}:
        for key in [old] if "@" in old else [f"{old}@{device}" for device in devices]:
            if renamed(key, aliases or {}) in found:
                found.add(key)
    return listed(found)


def listed(words: Iterable[str]) -> str:
    """SQL for some texts in a row, to be found among."""
    return ", ".join(quoted(word) for word in sorted(words)) or "NULL"
