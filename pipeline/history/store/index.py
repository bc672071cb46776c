# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a store holds: its containers, the runs in them, and which rows count.

    index/DIGEST.json            one container: its runs, and its files with their sizes
    data/DIGEST-TABLE.parquet    its rows
    texts/ab/SHA256.zst          kept texts, shared by all runs
    verdicts/RUN/WHEN-SHA.zst    what was made of a run when it ended

A container is written last and named by its content, and nothing is ever changed: a process that
is killed half way leaves files that no container names, and two processes that write at once write
different files, or the same file twice. Many small containers are folded into one now and then:
first the new one is written, then the old ones deleted, so for a moment, or when two processes fold
at once, a run lies in two. It counts once, in the first by name. Of a run in several states (it was
resumed, a shard came late) the freshest counts.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.versions import NewerError, refuse_newer
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store.place import GoneError, Place
from bringup.pipeline.history.store.tables import SCHEMA_VERSION, Run

INDEX, DATA, TEXTS, VERDICTS = "index/", "data/", "texts/", "verdicts/"


class File(msgspec.Struct, frozen=True):
    """One Parquet file."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    rows: int


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """Some runs, and the files that have their rows, by table."""

    schema: int = SCHEMA_VERSION
    runs: tuple[Run, ...]
    files: dict[str, File]
    """A table without a row has none."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files.values())

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(file.rows for file in self.files.values())


@dataclass(frozen=True)
class Index:
    """A store's containers at one moment."""

    containers: Mapping[str, Container]
    """Whole ones, by the name of their file."""
    broken: Mapping[str, str]
    """A sentence for each that is torn, by name."""
    torn_runs: Mapping[str, tuple[Run, ...]]
    """The runs of torn containers, by the container's name; none where that itself is torn."""
    sizes: Mapping[str, int]
    """Of every file in the store."""

    def owners(self) -> dict[str, tuple[str, Run]]:
        """Of every run, by its id, the container it counts in and its freshest state."""
        found: dict[str, tuple[str, Run]] = {}
        for name in sorted(self.containers):
            for run in self.containers[name].runs:
                before = found.get(run.run)
                if before is None or run.freshness > before[1].freshness:
                    found[run.run] = name, run
        return found

    def runs(self) -> list[Run]:
        """Every run in its freshest state, by time.

        Raises:
            HistoryError: some container is torn, and with it runs may be lost.
        """
        owners = self.owners()
        known = {run.state for _, run in owners.values()}
        for name, sentence in sorted(self.broken.items()):
            lost = self.torn_runs.get(name)
            if lost is None or any(run.state not in known for run in lost):
                raise HistoryError(sentence)
        return sorted((run for _, run in owners.values()), key=lambda r: (r.created, r.run))

    def counting(self, runs: Iterable[Run]) -> dict[str, list[str] | None]:
        """The containers that hold some runs, each with the states to read; None: all of it."""
        wanted = {run.state for run in runs}
        found: dict[str, list[str]] = {}
        for name, run in self.owners().values():
            if run.state in wanted:
                found.setdefault(name, []).append(run.state)
        return {
            name: None if len(states) == len(self.containers[name].runs) else sorted(states)
            for name, states in sorted(found.items())
        }


def read_index(place: Place) -> Index:
    """Read what a store holds.

    Raises:
        HistoryError: it cannot be reached, or a newer version wrote it.
    """
    sizes = place.sizes()
    containers: dict[str, Container] = {}
    broken: dict[str, str] = {}
    torn_runs: dict[str, tuple[Run, ...]] = {}
    for name in sorted(n for n in sizes if n.startswith(INDEX)):
        try:
            container = _container(place, name, sizes[name])
        except GoneError:
            if name in place.sizes():
                raise
            return read_index(place)  # folded meanwhile, by another process
        except RecordError as error:
            broken[name] = f"{place.address}/{name} is torn ({error}); {REBUILD}"
            continue
        sentence = _torn(place.address, container, sizes)
        if sentence:
            broken[name], torn_runs[name] = sentence, container.runs
        else:
            containers[name] = container
    return Index(containers, broken, torn_runs, sizes)


REBUILD = "`bringup history rebuild DIR` writes it anew from run directories"


@functools.lru_cache(maxsize=256)
def _container(place: Place, name: str, _size: int) -> Container:
    """A container's header, which is named by its content: of one size it is never another one."""
    data = read_bytes(place.local(name))
    if hashlib.sha256(data).hexdigest()[:32] != Path(name).stem:
        raise RecordError("its content is not what its name says")
    try:
        refuse_newer(data, f"{place.address}/{name}", SCHEMA_VERSION, "history")
    except NewerError as error:
        raise HistoryError(str(error)) from None
    return decode_json(data, Container, name, "a container")


def _torn(address: str, container: Container, sizes: Mapping[str, int]) -> str:
    """The sentence on a container whose files are not all there; empty when they are."""
    for file in container.files.values():
        size = sizes.get(file.name)
        if size != file.size:
            what = "is gone" if size is None else f"is torn: {size} of {file.size} bytes"
            runs = ", ".join(run.run for run in container.runs[:3])
            more = f" and {len(container.runs) - 3} more" if container.runs[3:] else ""
            return f"{address}/{file.name} {what} ({runs}{more}); {REBUILD}"
    return ""


def write_container(place: Place, runs: Sequence[Run], tables: Mapping[str, bytes]) -> str:
    """Write a container, its files first, and return its name.

    Raises:
        HistoryError: it cannot be written.
    """
    states = encoded([run.state for run in runs])
    files = {}
    for table, data in tables.items():
        digest = hashlib.sha256(data)
        name = f"{DATA}{hashlib.sha256(states + data).hexdigest()[:32]}-{table}.parquet"
        place.put(name, data)
        rows = sum(run.rows.get(table, 0) for run in runs)
        files[table] = File(name, len(data), digest.hexdigest(), rows)
    header = encoded(Container(runs=tuple(runs), files=files))
    name = f"{INDEX}{hashlib.sha256(header).hexdigest()[:32]}.json"
    place.put(name, header)
    return name
