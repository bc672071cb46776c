# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Rows into Parquet files and back, by DuckDB, in memory of at most `MEMORY`.

Parquet of a table is ordered by test, so that what is alike stands together, and in groups of rows,
so that one test's are found without reading the others: smaller groups skip more, and cost more to
look through and on disk (16 nights of 50,000 ops are 7 MB in groups of 4,096 and 4 MB in these).
"""

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from bringup.harness.session import current
from bringup.harness.storage.decoding import why_not
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store.tables import ORDER, TABLES, columns

MEMORY = "400MB"
GROUP = {"attempts": 4096, "ops": 32768}


@contextlib.contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of this process's memory; what is made in it is gone afterwards.

    Raises:
        HistoryError: what is read is no Parquet of ours, or the disk is full.
    """
    with current().get(Engine).connection.cursor() as connection:
        try:
            yield connection
        except duckdb.Error as error:
            raise HistoryError(f"the history cannot be read: {why_not(error)}") from error


class Engine:
    """DuckDB in this process's memory: begun once, which takes as long as a query."""

    def __init__(self) -> None:
        scratch = Path(tempfile.gettempdir()) / f"bringup-history-{os.getpid()}"
        self.connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY,
                "preserve_insertion_order": "false",
                "temp_directory": str(scratch),
                "threads": "2",
            }
        )
        self.connection.execute("SET parquet_metadata_cache = true")  # files are named by content

    def close(self) -> None:
        """Let its threads and memory go."""
        self.connection.close()


def packed_rows(table: str, rows: Sequence[bytes], state: str) -> bytes:
    """One run's rows of a table as Parquet; `state` becomes their column `run`.

    Raises:
        HistoryError: a row holds what its table has no room for.
    """
    kinds = columns(TABLES[table])
    named = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in kinds.items())
    with tempfile.TemporaryDirectory(prefix="bringup-history-") as folder, database() as db:
        source, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        source.write_bytes(b"\n".join(rows) + b"\n" if rows else b"")
        query = (
            f"SELECT {quoted(state)} AS run, * FROM read_json({quoted(str(source))}, "
            f"format = 'newline_delimited', columns = {{{named}}})"
        )
        if not rows:
            query = empty(table)
        return _copied(db, query, table, target)


def folded(table: str, files: Sequence[tuple[Path, Sequence[str] | None]]) -> bytes:
    """Many files of a table as one.

    Raises:
        HistoryError: a file is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="bringup-history-") as folder, database() as db:
        return _copied(db, relation(table, files), table, Path(folder) / "rows.parquet")


def relation(
    table: str,
    files: Sequence[tuple[Path, Sequence[str] | None]],
    current: Collection[Path] = (),
) -> str:
    """SQL for the rows of some files, each with the runs that count in it; None: all.

    Columns that an older version did not write are null. Of files of the `current` version one
    tells the columns of all, where else each is looked at.
    """
    whole = [path for path, runs in files if runs is None]
    parts = [empty(table)]
    for alike in (True, False):
        if own := [quoted(str(path)) for path in whole if (path in current) is alike]:
            by_name = "" if alike else ", union_by_name = true"
            parts.append(f"SELECT * FROM read_parquet([{', '.join(own)}]{by_name})")
    for path, runs in files:
        if runs:
            names = ", ".join(map(quoted, runs))
            parts.append(f"SELECT * FROM read_parquet({quoted(str(path))}) WHERE run IN ({names})")
    return " UNION ALL BY NAME ".join(parts)


def empty(table: str) -> str:
    """SQL for no row of a table, with all of its columns."""
    kinds = {"run": "VARCHAR", **columns(TABLES[table])}
    nulls = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in kinds.items())
    return f"SELECT {nulls} WHERE false"


def _copied(db: duckdb.DuckDBPyConnection, query: str, table: str, target: Path) -> bytes:
    db.execute(
        f"COPY (SELECT * FROM ({query}) ORDER BY {ORDER[table]}) TO {quoted(str(target))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP[table]})"
    )
    return target.read_bytes()


def quoted(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def fetched(db: duckdb.DuckDBPyConnection, query: str) -> list[list[Any]]:
    """A query's columns as lists, null as None."""
    return [values.tolist() for values in db.execute(query).fetchnumpy().values()]
