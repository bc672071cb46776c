# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Many shards into one run directory; one run into its final form.

Journals, artifacts, reproducers and plans are gathered below one folder, the journals folded to
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

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.advice import advice_here
from bringup.harness.records.journal import pack_journals
from bringup.harness.records.plans import SharedPlan, nobody_ran, planned_by
from bringup.harness.records.run_dir import CONFIRM_FOLDER, load_journals, write_merged, write_plan
from bringup.harness.records.schema import Plan, RunHeader, TestRecord
from bringup.harness.storage.decoding import shown
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.results.gathering import gather, write_scripts_anew
from bringup.pipeline.results.missing import (
    absent_shards,
    otherwise_planned,
    twins,
    unnamed,
    unrun,
    unrun_by_all,
)
from bringup.pipeline.results.shards import Shard, look_at


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


def _merge(
    run_dirs: Sequence[Path], into: Path, shared: SharedPlan | None, *, alone: bool
) -> RunHeader:
    """`alone`: the other shards' tests are not missed."""
    distinct = dict.fromkeys(path.resolve() for path in (into, *run_dirs))
    here, *others = map(look_at, distinct)
    if here.losses:
        raise PipelineError(f"cannot merge into {into}: {here.losses[0]}")
    sources = [here, *others]
    run_id = _one_run(sources, shared)
    for source in others:
        if not (source.plans or source.journals or source.losses):
            source.lose("there is neither a plan nor a journal")
        gather(source, into)
        _gather_rounds(source, into, run_id)
    write_scripts_anew(into)
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
    left = unrun(records, plans, {} if alone else planned, _budget_s(plans, shared))
    lost = () if alone else unrun_by_all(left, plans, lost=any(s.losses for s in sources))
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
            *absent_shards(plans, shared),
            *otherwise_planned(plans, shared),
            *filter(None, (nobody_ran(lost),)),
            *unnamed(plans, planned),
            *twins(records),
            *torn,
        ),
        unrun=lost,
        whole=wholes.pop() if len(wholes) == 1 else "",
    )
    write_merged(
        into, header, sorted([*records, *left], key=lambda r: (r.identity.planned, r.attempt))
    )
    pack_journals(into)
    return header


def _budget_s(plans: Sequence[Plan], shared: SharedPlan | None) -> float | None:
    """What each shard might take; None: as long as it takes."""
    said = [*(plan.budget_s for plan in plans), shared.budget_s if shared else None]
    return next((seconds for seconds in said if seconds is not None), None)


def _one_run(sources: Sequence[Shard], shared: SharedPlan | None) -> str:
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


def _gather_rounds(source: Shard, into: Path, run_id: str) -> None:
    """Merge what was run again into its place below the merged run; a round is no run of its own,
    so what is lost of it costs the run none of its tests."""
    for path in source.rounds:
        target = into / CONFIRM_FOLDER / path.name
        found = [look_at(path), look_at(target)]
        ids = {own for one in found for own in one.run_ids}
        if ids == {rounds_id(run_id, path.name)} and not found[1].losses:
            _merge([path], target, None, alone=True)
        elif ids or found[1].losses:
            source.lose(f"what was run again in {path.name} is of another run")


def _latest_plans(plans: Iterable[Plan]) -> list[Plan]:
    """Of each shard the plan made last, in the shards' order."""
    by_shard = {plan.shard: plan for plan in sorted(plans, key=lambda p: (p.attempt, p.created))}
    return [by_shard[shard] for shard in sorted(by_shard)]


def _numbered(records: Iterable[TestRecord]) -> list[TestRecord]:
    """The records, fold's order, with each test's attempts numbered over all shards."""
    tries: Counter[str] = Counter()
    done = []
    for record in records:
        tries[record.identity.key] += 1
        attempt = tries[record.identity.key]
        done.append(msgspec.structs.replace(record, attempt=attempt))
    return done


def _begun(records: Iterable[TestRecord], shared: SharedPlan | None) -> float:
    """When a run began of which no shard brought its plan: as its first test, or as planned."""
    known = [r.started for r in records if r.started is not None]
    return min(known, default=shared.created if shared else 0.0)
