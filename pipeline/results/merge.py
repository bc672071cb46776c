# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Many shards into one run directory; one run into its final form.

Journals, blobs, reproducers and plans are gathered below one folder, the journals folded to
`records.jsonl.zst` and packed, and a header written. What any shard's plan or the plan of all names
and left no record is NOT_RUN; what was lost (a shard that never reported, shards that were planned
differently, a torn journal) is a sentence in the header. Merging is repeatable: a shard may arrive
late or twice, and of a test's attempts the latest counts and all are kept.

What a shard ran again (`confirm/`) comes along as runs of its own, each merged into its place by
the same rules.

Shards may be artifacts of another repository's pull request. Only regular files whose names a
run directory gives out are taken, links are never followed, and plans and the `run.py` of
reproducers are written anew.
"""

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.advice import advice_here
from bringup.harness.records.blobs import BLOB_FOLDER
from bringup.harness.records.door import command
from bringup.harness.records.fold import model_status
from bringup.harness.records.journal import (
    JOURNAL_FOLDER,
    PACKED,
    PLAIN,
    journal_name,
    pack_journals,
    read_header,
)
from bringup.harness.records.naming import listed_as, same_test
from bringup.harness.records.outcomes import LEFT_OUT, is_left_out
from bringup.harness.records.packing import read_lines
from bringup.harness.records.plans import SharedPlan, nobody_ran, planned_by
from bringup.harness.records.reproducible import (
    OWN_SCRIPTS,
    REPRO_FOLDER,
    REPRODUCER_FILES,
    RUN_ANY,
    RUN_SCRIPT,
)
from bringup.harness.records.run_dir import (
    CONFIRM_FOLDER,
    load_journals,
    plan_files,
    read_plans,
    write_merged,
    write_plan,
)
from bringup.harness.records.schema import (
    Failure,
    Outcome,
    Plan,
    PlannedTest,
    RunHeader,
    Status,
    TestRecord,
)
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.harness.storage.decoding import shown
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.option_values import span_text
from bringup.pipeline.planning.budget import is_in_time, why_left_out

_JOURNAL = re.compile(r"[\w.-]{1,200}\.jsonl(\.zst)?", re.ASCII)
_PLAN = re.compile(r"plan.*\.json", re.DOTALL)
_BLOB_FOLDER = re.compile(r"[0-9a-f]{2}")
_BLOB = re.compile(r"[0-9a-f]{64}\.zst")
_REPRODUCER = re.compile(r"\w[\w.-]{0,250}", re.ASCII)
_ROUND = re.compile(r"[0-9a-z-]{1,60}")
MOST_SHARDS = 10_000
"""A plan that claims more is not believed."""


def finish(run_dir: Path) -> RunHeader:
    """Give one run, or one shard by itself, its records and header."""
    return _merge([run_dir], run_dir, None, alone=True)


def rounds_id(run_id: str, name: str) -> str:
    """The run id of a round that runs a run's tests again, by its folder's name."""
    return f"{run_id}-confirm-{name}"


def merge(run_dirs: Sequence[Path], into: Path, shared: SharedPlan | None = None) -> RunHeader:
    """Gather shards below `into`, with what is there already, and write its records.

    A test that `shared`, the plan of all shards, or any shard's plan has and that nobody ran is
    NOT_RUN and named in the header.

    Raises:
        PipelineError: different runs, or nothing that a run wrote anywhere.
        RecordError: the disk is full or gone, or `into` holds journals of a newer schema.
    """
    return _merge(run_dirs, into, shared, alone=False)


def shards_in(path: Path) -> list[Path]:
    """The run directories that a person means by `path`: itself, or all that lie in it.

    So the folder into which a CI job downloads its shards can be named whether any came or not.
    """
    if (path / JOURNAL_FOLDER).exists() or plan_files(path) or not path.is_dir():
        return [path]
    return sorted(below for below in path.iterdir() if below.is_dir()) or [path]


def _merge(
    run_dirs: Sequence[Path], into: Path, shared: SharedPlan | None, *, alone: bool
) -> RunHeader:
    """`alone`: the other shards' tests are not missed."""
    here, *others = [_look_at(path) for path in _distinct([into, *run_dirs])]
    if here.losses:
        raise PipelineError(f"cannot merge into {into}: {here.losses[0]}")
    sources = [here, *others]
    run_id = _one_run(sources, shared)
    for source in others:
        if not (source.plans or source.journals or source.losses):
            source.lose("there is neither a plan nor a journal")
        _gather(source, into)
        _gather_rounds(source, into, run_id)
    _write_scripts_anew(into)
    plans = _latest_plans(plan for source in sources for plan in source.plans)
    for plan in plans:
        write_plan(into, plan)
    loaded, provenances, torn = load_journals(into)
    planned = planned_by(plans)
    if shared is not None:
        own = {t.identity.key for plan in plans for t in plan.tests}
        whole = {t.identity.key: t for tests in shared.shards for t in tests}
        planned |= {key: t for key, t in whole.items() if key not in own}  # not by its name alone
    records = _numbered(loaded)
    unrun = _unrun(records, plans, {} if alone else planned, _budget_s(plans, shared))
    lost = () if alone else _unrun_by_all(unrun, plans, lost=any(s.losses for s in sources))
    wholes = {plan.whole for plan in plans} | ({shared.digest} if shared else set())
    header = RunHeader(
        run_id=run_id,
        started_by=plans[0].started_by if plans else advice_here().text,
        session=plans[0].session if plans else shared.session if shared else "",
        created=min((plan.created for plan in plans), default=_begun(loaded, shared)),
        shards=tuple(plan.shard for plan in plans),
        provenances=provenances,
        resumed=max((plan.resumed for plan in plans), default=0.0),
        planned=max([len(planned), *(plan.total for plan in plans)]),
        missing=(
            *(s for source in sources for s in source.losses),
            *_absent(plans, shared),
            *_otherwise_planned(plans, shared),
            *filter(None, (nobody_ran(lost),)),
            *_unnamed(plans, planned),
            *_twins(records),
            *torn,
        ),
        unrun=lost,
        whole=wholes.pop() if len(wholes) == 1 else "",
    )
    write_merged(
        into, header, sorted([*records, *unrun], key=lambda r: (r.identity.planned, r.attempt))
    )
    pack_journals(into)
    return header


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
    rounds: list[Path] = field(default_factory=list)
    """Run directories of what was run again."""
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
    source.rounds += source.folders(path / CONFIRM_FOLDER, _ROUND)
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


def _one_run(sources: Sequence[_Source], shared: SharedPlan | None) -> str:
    """The id of the run that all sources are of."""
    by_id: dict[str, str] = {shared.run_id: "the plan"} if shared else {}
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
        _keep_journal(journal, into / JOURNAL_FOLDER)
    for blob in source.blobs:
        target = into / BLOB_FOLDER / blob.parent.name / blob.name
        if blob.name.startswith(blob.parent.name) and not target.exists():
            _link(blob, target)
    for file in source.reproducers:
        target = into / REPRO_FOLDER / file.parent.name / file.name
        if file.name != RUN_SCRIPT:  # a program: of a stranger's shard none is taken
            _link(file, target)
        elif not target.exists():
            write_atomically(target, RUN_ANY.encode(), sync=False)


def _gather_rounds(source: _Source, into: Path, run_id: str) -> None:
    """Merge what was run again into its place below the merged run; a round is no run of its own,
    so what is lost of it costs the run none of its tests."""
    for path in source.rounds:
        target = into / CONFIRM_FOLDER / path.name
        found = [_look_at(path), _look_at(target)]
        ids = {own for one in found for own in one.run_ids}
        if ids == {rounds_id(run_id, path.name)} and not found[1].losses:
            _merge([path], target, None, alone=True)
        elif ids or found[1].losses:
            source.lose(f"what was run again in {path.name} is of another run")


def _write_scripts_anew(into: Path) -> None:
    """Have every `run.py` be ours, also where a stranger's run is merged in its own place."""
    for script in (into / REPRO_FOLDER).glob(f"*/{RUN_SCRIPT}"):
        if script.is_symlink() or not script.is_file() or script.read_bytes() not in OWN_SCRIPTS:
            write_atomically(script, RUN_ANY.encode(), sync=False)


def _keep_journal(journal: Path, folder: Path) -> None:
    """Keep a journal; a longer copy replaces a shorter one, another one of its name stands by.

    What came packed stays packed, as it came: `_look_at` has unpacked it once.
    """
    stem = journal_name(journal)
    taken = any((folder / f"{stem}{ending}").exists() for ending in (PLAIN, PACKED))
    if journal.name.endswith(PACKED) and not taken:
        _link(journal, folder / f"{stem}{PACKED}")
        return
    data = read_lines(journal)
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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        os.link(blob, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:  # another file system, or one without links
        write_atomically(target, blob.read_bytes(), sync=False)


# --- what was planned and what came of it ---------------------------------------------------


def _latest_plans(plans: Iterable[Plan]) -> list[Plan]:
    """Of each shard the plan made last, in the shards' order."""
    by_shard = {plan.shard: plan for plan in sorted(plans, key=lambda p: (p.attempt, p.created))}
    return [by_shard[shard] for shard in sorted(by_shard)]


def _absent(plans: Sequence[Plan], shared: SharedPlan | None) -> Iterator[str]:
    """A sentence for the shards that never reported, by the number of shards."""
    counts = {plan.shard[1] for plan in plans} | ({len(shared.shards)} if shared else set())
    for n in sorted(counts):
        arrived = {p.shard[0]: p for p in plans if p.shard[1] == n}
        absent = [str(i) for i in range(1, n + 1) if i not in arrived]
        total = max((p.total for p in arrived.values()), default=shared.total if shared else 0)
        left = total - sum(len(p.tests) for p in arrived.values())
        if absent:
            word = "shard" if len(absent) == 1 else "shards"
            tests = f"; {left} planned tests have no record" if left > 0 else ""
            yield f"{word} {', '.join(absent)} of {n} never reported{tests}"


def _otherwise_planned(plans: Sequence[Plan], shared: SharedPlan | None) -> Iterator[str]:
    """Shards that do not have the plan of the others: tests may be in none of them, or in two."""
    known = [(f"shard {p.shard[0]} of {p.shard[1]}", p.whole, p.total) for p in plans]
    known += [("the plan", shared.digest, shared.total)] if shared else []
    if len({(whole, total) for _, whole, total in known}) > 1:
        each = ", ".join(
            f"{who} of {total} tests in all{f' (plan {whole[:12]})' if whole else ''}"
            for who, whole, total in known
        )
        yield f"the shards were planned differently: {each}; plan once, with `{command('plan')}`"


def _unrun_by_all(
    unrun: Sequence[TestRecord], plans: Sequence[Plan], *, lost: bool
) -> tuple[str, ...]:
    """The tests that nobody ran, by key.

    With `lost`, what a shard brought and nobody can use may have told of its own tests, which then
    have but their NOT_RUN.
    """
    own = {test.identity.key for plan in plans for test in plan.tests} if lost else set()
    own |= {record.identity.key for record in unrun if is_left_out(record)}
    return tuple(r.identity.key for r in unrun if r.identity.key not in own)


def _budget_s(plans: Sequence[Plan], shared: SharedPlan | None) -> float | None:
    """What each shard might take; None: as long as it takes."""
    said = [*(plan.budget_s for plan in plans), shared.budget_s if shared else None]
    return next((seconds for seconds in said if seconds is not None), None)


def _unnamed(plans: Sequence[Plan], planned: Mapping[str, PlannedTest]) -> Iterator[str]:
    """Tests that were counted by an older version's plan and stand in nobody's."""
    counts = {plan.shard[1] for plan in plans}
    arrived = {plan.shard for plan in plans}
    left = max((plan.total for plan in plans), default=0) - len(planned)
    if left > 0 and all((i, n) in arrived for n in counts for i in range(1, n + 1)):
        noun = "a planned test is" if left == 1 else f"{left} planned tests are"
        yield f"{noun} in no shard's plan, and not known by name"


def _twins(records: Iterable[TestRecord]) -> Iterator[str]:
    """Two tests that are one to the records: one's outcome hides the other's."""
    entries: dict[str, str] = {}
    said = set()
    for record in records:
        key, entry = record.identity.key, listed_as(record)
        if entry and entries.setdefault(key, entry) != entry and (key, entry) not in said:
            said.add((key, entry))
            yield same_test(entries[key], entry, key)


def _numbered(records: Iterable[TestRecord]) -> list[TestRecord]:
    """The records, fold's order, with each test's attempts numbered over all shards."""
    tries: Counter[str] = Counter()
    done = []
    for record in records:
        tries[record.identity.key] += 1
        attempt = tries[record.identity.key]
        done.append(msgspec.structs.replace(record, attempt=attempt))
    return done


def _unrun(
    records: Iterable[TestRecord],
    plans: Iterable[Plan],
    planned: Mapping[str, PlannedTest],
    budget_s: float | None,
) -> list[TestRecord]:
    """A word for every planned test that left no record."""
    known = {record.identity.key for record in records}
    missing: dict[str, TestRecord] = {}
    for plan in plans:
        i, n = plan.shard
        where = f" in shard {i} of {n}" if n > 1 else ""
        for test in plan.tests:
            if test.identity.key not in known:
                missing[test.identity.key] = _never_started(
                    test, f"planned{where} and never started", budget_s
                )
    for key, test in planned.items():
        if key not in known and key not in missing:
            missing[key] = _never_started(
                test, "planned, and run by no shard that reported", budget_s
            )
    return [missing[key] for key in sorted(missing)]


def _never_started(test: PlannedTest, why: str, budget_s: float | None) -> TestRecord:
    failure = Failure(None, "NOT_RUN", why)
    if budget_s is not None and not is_in_time(test) and test.turn is not None:
        failure = Failure(None, LEFT_OUT, why_left_out(test.turn, span_text(budget_s)))
    return TestRecord(
        identity=test.identity,
        nodeid=test.nodeid,
        entry=test.entry,
        outcome=Outcome.NOT_RUN,
        status=Status.NOT_STARTED,
        model_status=model_status(Outcome.NOT_RUN, Status.NOT_STARTED, failure),
        failure=failure,
    )


def _begun(records: Iterable[TestRecord], shared: SharedPlan | None) -> float:
    """When a run began of which no shard brought its plan: as its first test, or as planned."""
    known = [r.started for r in records if r.started is not None]
    return min(known, default=shared.created if shared else 0.0)
