# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Care of a store: is all of it whole, write it anew from run directories, forget what is old.

Pages and spreadsheets are never in it: they are built from records. What it has besides rows are
the texts of what failed, by the digest of their content, so a text that fails every night is there
once; it goes when the last run that names it goes.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.recent import merged_runs
from bringup.harness.storage.decoding import unpacked
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import DATA, INDEX, TEXTS, VERDICTS, Index
from bringup.pipeline.history.store.parquet import database, relation
from bringup.pipeline.history.store.rows import rows_of_run
from bringup.pipeline.history.store.tables import Run
from bringup.pipeline.history.store.verdicts import (
    damaged_verdicts,
    keep_verdict_of,
    verdicts_of,
)

DAY_S = 86400.0
_LARGEST_TEXT = 4 << 30


def is_history(history: History) -> bool:
    """Has anything at its address been written as part of a store?

    Raises:
        HistoryError: it cannot be reached.
    """
    return any(name.startswith((INDEX, DATA, TEXTS)) for name in history.place.sizes())


def verify(history: History) -> list[str]:
    """A sentence for everything in a store that is not as it was written; none: all is well.

    Raises:
        HistoryError: it cannot be reached, or a newer version wrote it.
    """
    index = history.index()
    said = [sentence for _, sentence in sorted(index.broken.items())]
    for _, container in sorted(index.containers.items()):
        for file in container.files.values():
            try:
                history.checked(file)
            except HistoryError as error:
                said.append(str(error))
    for name in sorted(n for n in index.sizes if n.startswith(TEXTS)):
        data = history.place.local(name).read_bytes()
        digest = Path(name).stem
        try:
            whole = hashlib.sha256(unpacked(data, name, _LARGEST_TEXT)).hexdigest() == digest
        except RecordError:
            whole = False
        if not whole:
            said.append(f"{history.address}/{name} is damaged: its content is not what it was")
    return said + damaged_verdicts(history, index.sizes)


def rebuild(history: History, folders: Sequence[Path], *, forget: bool = False) -> list[str]:
    """Add every merged run below some folders that the store lacks or has in a torn file.

    Torn files go when all their runs are whole again; with `forget`, however that may be. Returns
    sentences on what could not be added and on runs that stay lost.

    Raises:
        HistoryError: the store cannot be reached or written, or a newer version wrote it.
    """
    said: list[str] = []
    with history.place.alone():
        _set_damaged_aside(history)
    for header in (h for folder in folders for h in merged_runs(folder)):
        try:
            history.add_rows([rows_of_run(header.parent)], header.parent)
            keep_verdict_of(history, header.parent)
        except RecordError as error:
            said.append(f"not added: {error}")
    with history.place.alone():
        index = history.index()
        known = {run.run for _, run in index.owners().values()}
        for name, sentence in sorted(index.broken.items()):
            lost = [run.run for run in index.torn_runs.get(name, ()) if run.run not in known]
            unknown = name not in index.torn_runs
            if (lost or unknown) and not forget:
                runs = ", ".join(lost) or "runs that nobody can name"
                said.append(f"still lost: {runs}: {sentence}")
                continue
            _drop_broken(history, index, name)
    return said


def prune(
    history: History,
    now: float,
    days: float | None = None,
    largest: int | None = None,
) -> list[Run]:
    """Forget the oldest runs: those of more than `days`, and as many as make it `largest` bytes.

    The newest run always stays. A run that stays keeps all of its rows and texts. Files that no run
    needs go with them: superseded states, what a killed process left, texts nobody names.

    Raises:
        HistoryError: the store cannot be reached or written, or a file of it is torn.
    """
    gone: list[Run] = []
    with history.place.alone():
        runs = history.runs()
        old = [r for r in runs[:-1] if days is not None and r.created < now - days * DAY_S]
        gone += _forget(history, old)
        _sweep(history)
        while largest is not None:
            runs, size = history.runs(), sum(history.index().sizes.values())
            if size <= largest or len(runs) < 2:
                break
            surplus = max(1, int(len(runs) * (1 - largest / size)))
            gone += _forget(history, runs[: min(surplus, len(runs) - 1)])
            _sweep(history)
    return gone


def _set_damaged_aside(history: History) -> None:
    """Tear what is damaged in place, so that every reader sees that it does not count."""
    index = history.index()
    for container in index.containers.values():
        for file in container.files.values():
            try:
                history.checked(file)
            except HistoryError:
                history.place.delete(file.name)


def _drop_broken(history: History, index: Index, name: str) -> None:
    history.place.delete(name)
    _sweep(history)


def _forget(history: History, runs: Collection[Run]) -> list[Run]:
    ids = {run.run for run in runs}
    if not ids:
        return []
    index = history.index()
    names = [n for n, c in index.containers.items() if any(run.run in ids for run in c.runs)]
    history.rewrite(index, names, without=ids)
    return sorted(runs, key=lambda r: (r.created, r.run))


def _sweep(history: History) -> None:
    """Delete files that no run needs; where others may be writing, only those of yesterday."""
    index = history.index()
    owners = {name for name, _ in index.owners().values()}
    for name in sorted(set(index.containers) - owners):  # all of its runs are fresher elsewhere
        history.place.delete(name)
    named = {f.name for n in owners for f in index.containers[n].files.values()}
    named |= {*owners, *index.broken, *_needed_texts(history, index)}
    named |= verdicts_of(index.sizes, index.owners())
    for name in sorted(set(index.sizes) - named):
        if name.startswith((INDEX, DATA, TEXTS, VERDICTS)) and _is_left(history, name):
            history.place.delete(name)


def _is_left(history: History, name: str) -> bool:
    if history.place.exclusive:
        return True
    age = history.place.age_s(name)
    return age is not None and age > DAY_S


def _needed_texts(history: History, index: Index) -> Iterator[str]:
    """The names of all texts that some run names; of a store with torn files, all that it has."""
    if index.broken:
        yield from (name for name in index.sizes if name.startswith(TEXTS))
        return
    with database() as db:
        for table in ("attempts", "ops"):
            files: list[tuple[Path, Sequence[str] | None]] = [
                (history.place.local(c.files[table].name), None)
                for c in index.containers.values()
                if table in c.files
            ]
            query = f"SELECT DISTINCT unnest(texts).sha256 FROM ({relation(table, files)})"
            for (digest,) in db.execute(query).fetchall():
                yield f"{TEXTS}{digest[:2]}/{digest}.zst"
