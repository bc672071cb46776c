# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A store of runs: add to it, and read who is in it. Queries are in `read`, care in `upkeep`."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bringup.harness.records.artifacts import ARTIFACT_FOLDER
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store.index import (
    REBUILD,
    TEXTS,
    File,
    Index,
    read_index,
    write_container,
)
from bringup.pipeline.history.store.parquet import folded, packed_rows
from bringup.pipeline.history.store.place import Place, place_of
from bringup.pipeline.history.store.rows import Kept, rows_of_run
from bringup.pipeline.history.store.tables import DEFAULT_ADDRESS, TABLES, Run

MOST_LOOSE = 12
"""So many small containers are folded into one: of a year of nights 30 large ones stay."""
CLOSED_ROWS = 400_000
"""A container with more rows is not folded again: adding a night never costs more than this."""


class History:
    """The store at an address."""

    def __init__(self, address: str = DEFAULT_ADDRESS) -> None:
        """A store that is not there yet is empty.

        Raises:
            HistoryError: nobody knows such an address.
        """
        self.place: Place = place_of(address)
        self.address = self.place.address
        self._holding = False
        self._held: Index | None = None

    def index(self) -> Index:
        """What it holds now.

        Raises:
            HistoryError: it cannot be reached, or a newer version wrote it.
        """
        if self._held is not None:
            return self._held
        index = read_index(self.place)
        if self._holding:
            self._held = index
        return index

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Several questions in a row are asked of one moment: what it holds is looked up once."""
        self._holding, before = True, self._holding
        try:
            yield
        finally:
            self._holding = before
            self.look_again()

    def look_again(self) -> None:
        """What is held is out of date: another process folded or deleted something."""
        self._held = None

    def runs(self) -> list[Run]:
        """Every run in its freshest state, by its own time.

        Raises:
            HistoryError: as `index`, and where a torn file may hide a run.
        """
        return self.index().runs()

    def add(self, run_dir: Path) -> Run:
        """Add a merged run; one that is here already, or here in a fresher state, changes nothing.

        Raises:
            RecordError: it is no merged run, or is damaged.
            HistoryError: the store cannot be read or written.
        """
        kept = rows_of_run(run_dir)
        self.add_rows([kept], run_dir)
        return kept.run

    def add_rows(self, found: Sequence[Kept], run_dir: Path | None = None) -> list[Run]:
        """Add what is kept of runs, and the texts that `run_dir` has of them; return the new ones.

        Raises:
            HistoryError: the store cannot be read or written.
        """
        with self.place.alone():
            index = self.index()
            owners = index.owners()
            new = [k for k in found if _is_news(k.run, owners.get(k.run.run))]
            for kept in new:
                if run_dir is not None:
                    self._keep_texts(kept.texts, run_dir, index)
                tables = {
                    table: packed_rows(table, kept.tables[table], kept.run.state)
                    for table in TABLES
                    if kept.tables[table]
                }
                write_container(self.place, [kept.run], tables)
            if new:
                self.fold()
            return [kept.run for kept in new]

    def _keep_texts(self, texts: Iterable[str], run_dir: Path, index: Index) -> None:
        for digest in sorted(texts):
            source = run_dir / ARTIFACT_FOLDER / digest[:2] / f"{digest}.zst"
            name = f"{TEXTS}{digest[:2]}/{digest}.zst"
            if name not in index.sizes and source.is_file() and not source.is_symlink():
                self.place.put(name, source.read_bytes())

    def fold(self) -> None:
        """Fold small containers into one, when there are many.

        What another process folds or deletes meanwhile is left to it.
        """
        index = self.index()
        small = {n: c for n, c in index.containers.items() if c.rows < CLOSED_ROWS}
        if len(small) < MOST_LOOSE:
            return
        with contextlib.suppress(HistoryError):
            self.rewrite(index, list(small))

    def rewrite(self, index: Index, names: Sequence[str], without: Iterable[str] = ()) -> None:
        """Put what counts in some containers into one new one; `without` are ids of runs.

        Raises:
            HistoryError: it cannot be read or written.
        """
        gone = frozenset(without)
        runs = [
            run for name, run in index.owners().values() if name in names and run.run not in gone
        ]
        runs.sort(key=lambda r: (r.created, r.run))
        new = write_container(self.place, runs, self._folded(index, names, gone)) if runs else ""
        for name in names:
            if name != new:
                self.drop(index, name, kept=new)

    def _folded(self, index: Index, names: Sequence[str], gone: frozenset[str]) -> dict[str, bytes]:
        stay = [run for _, run in index.owners().values() if run.run not in gone]
        counting = {n: s for n, s in index.counting(stay).items() if n in names}
        tables = {}
        for table in TABLES:
            files = [
                (self.checked(index.containers[name].files[table]), states)
                for name, states in counting.items()
                if table in index.containers[name].files
            ]
            if files:
                tables[table] = folded(table, files)
        return tables

    def checked(self, file: File) -> Path:
        """A file whose content is what was written.

        Raises:
            HistoryError: it is not.
        """
        path = self.place.local(file.name)
        if hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            raise HistoryError(f"{self.address}/{file.name} is damaged; {REBUILD}")
        return path

    def drop(self, index: Index, name: str, kept: str = "") -> None:
        """Delete a container, first its header, so that nobody counts on what is going."""
        self.place.delete(name)
        container = index.containers.get(name)
        if container is None:
            return
        still = {f.name for n, c in index.containers.items() if n != name for f in c.files.values()}
        if kept:
            still |= {f.name for f in self.index().containers[kept].files.values()}
        for file in container.files.values():
            if file.name not in still:
                self.place.delete(file.name)


def _is_news(run: Run, known: tuple[str, Run] | None) -> bool:
    return known is None or run.freshness > known[1].freshness
