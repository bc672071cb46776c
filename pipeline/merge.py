# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Many shards into one run directory; one run into its final form.

Journals, blobs, reproducers and plans are gathered below one folder, the journals folded to
`records.jsonl.zst` and packed, and a header written. What was planned and left no record is
NOT_RUN; what was lost (a shard that never reported, a torn journal) is a sentence in the header.
Merging is repeatable: a shard may arrive late or twice, and of a test's attempts the latest counts
and all are kept.

Shards may be artifacts of another repository's pull request. Only regular files whose names a
run directory gives out are taken, links are never followed, and plans and the `run.py` of
reproducers are written anew.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.errors import RecordError
from harness.records.atomic import write_atomically
from harness.records.blobs import BLOB_FOLDER
from harness.records.decoding import shown
from harness.records.fold import model_status
from harness.records.journal import (
    JOURNAL_FOLDER,
    PACKED,
    PLAIN,
    journal_name,
    pack_journals,
    read_header,
)
from harness.records.packing import read_lines
from harness.records.reproducible import (
    REPRO_FOLDER,
    REPRODUCER_FILES,
    RUN_ANY,
    RUN_SCRIPT,
)
from harness.records.run_dir import (
    load_journals,
    read_plans,
    write_merged,
    write_plan,
)
from harness.records.schema import (
    Failure,
    Outcome,
    Plan,
    PlannedTest,
    RunHeader,
    Status,
    TestRecord,
)
from pipeline.errors import PipelineError

_JOURNAL = re.compile(r"[\w.-]{1,200}\.jsonl(\.zst)?", re.ASCII)
_PLAN = re.compile(r"plan.*\.json", re.DOTALL)
_BLOB_FOLDER = re.compile(r"[0-9a-f]{2}")
_BLOB = re.compile(r"[0-9a-f]{64}\.zst")
_REPRODUCER = re.compile(r"\w[\w.-]{0,250}", re.ASCII)
MOST_SHARDS = 10_000
"""A plan that claims more is not believed."""


def finish(run_dir: Path) -> RunHeader:
    """Give a run that was not sharded its records and header."""
    return merge([run_dir], run_dir)


def merge(run_dirs: Sequence[Path], into: Path) -> RunHeader:
    """Gather shards below `into`, with what is there already, and write its records.

    Raises:
        PipelineError: different runs, or nothing that a run wrote anywhere.
        RecordError: the disk is full or gone, or `into` holds journals of a newer schema.
    """
    here, *others = [_look_at(path) for path in _distinct([into, *run_dirs])]
    if here.losses:
        raise PipelineError(f"cannot merge into {into}: {here.losses[0]}")
    sources = [here, *others]
    run_id = _one_run(sources)
    for source in others:
        if not (source.plans or source.journals or source.losses):
            source.lose("there is neither a plan nor a journal")
        _gather(source, into)
    plans = _latest_plans(plan for source in sources for plan in source.plans)
    for plan in plans:
        write_plan(into, plan)
    records, provenances, torn = load_journals(into)
    header = RunHeader(
        run_id=run_id,
        session=plans[0].session if plans else "",
        created=min((plan.created for plan in plans), default=_first_start(records)),
        shards=tuple(plan.shard for plan in plans),
        provenances=provenances,
        resumed=max((plan.resumed for plan in plans), default=0.0),
        planned=_planned(plans),
        missing=(*(s for source in sources for s in source.losses), *_absent(plans), *torn),
    )
    write_merged(into, header, _complete(records, plans))
    pack_journals(into)
    return header


def latest(records: Iterable[TestRecord]) -> list[TestRecord]:
    """Of every test the attempt that counts, in the order of their keys."""
    found: dict[str, TestRecord] = {}
    for record in sorted(records, key=lambda r: (r.attempt, r.started or 0.0)):
        found[record.identity.key] = record
    return sorted(found.values(), key=lambda r: r.identity)


# --- what a shard brought -------------------------------------------------------------------


@dataclass
class _Source:
    """One run directory as it was found."""

    path: Path
    plans: list[Plan] = field(default_factory=list)
    journals: list[Path] = field(default_factory=list)
    blobs: list[Path] = field(default_factory=list)
    reproducers: list[Path] = field(default_factory=list)
    """Their files."""
    run_ids: set[str] = field(default_factory=set)
    losses: list[str] = field(default_factory=list)

    def lose(self, sentence: str) -> None:
        """Note what this directory brought and nobody can use."""
        self.losses.append(f"{self.path.name}: {sentence}")

    def files(self, folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
        """The regular files of a real folder whose names fit."""
        return self._entries(folder, name, stat.S_ISREG, "a regular file")

    def folders(self, folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
        """The real folders of a real folder whose names fit."""
        return self._entries(folder, name, stat.S_ISDIR, "a folder")

    def _entries(
        self, folder: Path, name: re.Pattern[str], fits: Callable[[int], bool], kind: str
    ) -> Iterator[Path]:
        """A link, or whatever else stands in an entry's place, is a loss."""
        if not os.path.lexists(folder):
            return
        if not stat.S_ISDIR(folder.lstat().st_mode):
            self.lose(f"{folder.name} is not a folder")
            return
        for path in sorted(folder.iterdir()):
            if not name.fullmatch(path.name):
                continue
            if fits(path.lstat().st_mode):
                yield path
            else:
                self.lose(f"{path.name!r} is not {kind}")


def _look_at(path: Path) -> _Source:
    """What a run directory holds; nothing is changed."""
    source = _Source(path)
    if list(source.files(path, _PLAN)) and not source.losses:
        _look_at_plans(source)
    for journal in source.files(path / JOURNAL_FOLDER, _JOURNAL):
        try:
            opened = read_header(journal)
        except (RecordError, OSError) as error:
            source.lose(f"a journal is lost: {error}")
            continue
        source.journals.append(journal)
        source.run_ids |= {opened.run_id} if opened else set()
    for folder in source.folders(path / BLOB_FOLDER, _BLOB_FOLDER):
        source.blobs += source.files(folder, _BLOB)
    for folder in source.folders(path / REPRO_FOLDER, _REPRODUCER):
        files = source.files(folder, _REPRODUCER)
        source.reproducers += [file for file in files if file.name in REPRODUCER_FILES]
    return source


def _look_at_plans(source: _Source) -> None:
    try:
        plans = read_plans(source.path)
    except (RecordError, OSError) as error:
        source.lose(f"its plan is lost: {error}")
        return
    for plan in plans:
        i, n = plan.shard
        if 1 <= i <= n <= MOST_SHARDS:
            source.plans.append(plan)
            source.run_ids.add(plan.run_id)
        else:
            source.lose(f"a plan calls itself shard {i} of {n}")


def _distinct(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(path.resolve() for path in paths))


def _one_run(sources: Sequence[_Source]) -> str:
    """The id of the run that all sources are of."""
    by_id: dict[str, str] = {}
    for source in sources:
        for run_id in sorted(source.run_ids):
            by_id.setdefault(run_id, source.path.name)
    if not by_id:
        names = ", ".join(source.path.name for source in sources)
        raise PipelineError(f"there is neither a plan nor a journal in {names}; nothing to merge")
    if len(by_id) > 1:
        runs = ", ".join(f"{shown(run_id)} ({where})" for run_id, where in by_id.items())
        raise PipelineError(f"these are different runs and cannot be merged: {runs}")
    return next(iter(by_id))


# --- gathering ------------------------------------------------------------------------------


def _gather(source: _Source, into: Path) -> None:
    """Copy journals, blobs and reproducers; what is there already stays."""
    for journal in source.journals:
        _keep_journal(read_lines(journal), into / JOURNAL_FOLDER, journal_name(journal))
    for blob in source.blobs:
        target = into / BLOB_FOLDER / blob.parent.name / blob.name
        if blob.name.startswith(blob.parent.name) and not target.exists():
            _link(blob, target)
    for file in source.reproducers:
        target = into / REPRO_FOLDER / file.parent.name / file.name
        if file.name != RUN_SCRIPT:
            _link(file, target)
        elif not target.exists():  # a program: of a stranger's shard none is taken
            write_atomically(target, RUN_ANY.encode(), sync=False)


def _keep_journal(data: bytes, folder: Path, stem: str) -> None:
    """Keep a journal; a longer copy replaces a shorter one, another one of its name stands by."""
    for name in (stem, f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}"):
        target = folder / f"{name}{PLAIN}"
        packed = folder / f"{name}{PACKED}"
        here = next((path for path in (target, packed) if path.exists()), None)
        there = read_lines(here) if here else None
        if there is None or data.startswith(there):
            if data != there:
                write_atomically(target, data)
            return
        if there.startswith(data):
            return


def _link(blob: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(blob, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:  # another file system, or one without links
        write_atomically(target, blob.read_bytes(), sync=False)


# --- what was planned and what came of it ---------------------------------------------------


def _latest_plans(plans: Iterable[Plan]) -> list[Plan]:
    """Of each shard the plan made last, in the shards' order."""
    by_shard = {plan.shard: plan for plan in sorted(plans, key=lambda p: p.created)}
    return [by_shard[shard] for shard in sorted(by_shard)]


def _planned(plans: Sequence[Plan]) -> int:
    keys = {test.identity.key for plan in plans for test in plan.tests}
    return max([len(keys), *(plan.total for plan in plans)])


def _absent(plans: Sequence[Plan]) -> Iterator[str]:
    """A sentence for the shards that never reported, by the number of shards."""
    for n in sorted({plan.shard[1] for plan in plans}):
        arrived = {p.shard[0]: p for p in plans if p.shard[1] == n}
        absent = [str(i) for i in range(1, n + 1) if i not in arrived]
        left = max(p.total for p in arrived.values()) - sum(len(p.tests) for p in arrived.values())
        if absent:
            word = "shard" if len(absent) == 1 else "shards"
            tests = f"; {left} planned tests have no record" if left > 0 else ""
            yield f"{word} {', '.join(absent)} of {n} never reported{tests}"


def _complete(records: Iterable[TestRecord], plans: Iterable[Plan]) -> list[TestRecord]:
    """The records with attempts numbered over all shards, and a word for what never started."""
    tries: dict[str, int] = {}
    done = []
    for record in records:  # fold's order: by identity, then by start
        key = record.identity.key
        attempt = max(record.attempt, tries.get(key, 0) + 1)
        tries[key] = attempt
        done.append(msgspec.structs.replace(record, attempt=attempt))
    for plan in plans:
        for test in plan.tests:
            if test.identity.key not in tries:
                tries[test.identity.key] = 1
                done.append(_never_started(test, plan))
    return sorted(done, key=lambda r: (r.identity, r.attempt))


def _never_started(test: PlannedTest, plan: Plan) -> TestRecord:
    i, n = plan.shard
    where = f" in shard {i} of {n}" if n > 1 else ""
    failure = Failure(None, "NOT_RUN", f"planned{where} and never started")
    return TestRecord(
        identity=test.identity,
        nodeid=test.nodeid,
        outcome=Outcome.NOT_RUN,
        status=Status.NOT_STARTED,
        model_status=model_status(Outcome.NOT_RUN, Status.NOT_STARTED, failure),
        failure=failure,
    )


def _first_start(records: Iterable[TestRecord]) -> float:
    return min((r.started for r in records if r.started is not None), default=0.0)
