# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run beside the runs before it, as history has them; the verdict is written among its records.

Regressions, what is known, flakes, trouble of devices, causes and what to fix first. What is judged
is in `pipeline/history/judge` and `causes`; here it gets what the store and the lists know.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from bringup.harness.records.advice import Advice, advice_here, read_advice
from bringup.harness.records.aliases import read_aliases, renamed
from bringup.harness.records.naming import identity_of_key, is_op_by_op, run_again
from bringup.harness.records.night import Judgement, Moment, NightVerdict, write_night
from bringup.harness.records.run_dir import read_plans
from bringup.harness.records.trends import Trends, write_trends
from bringup.harness.storage.writable import said_by
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.causes.clusters import Failing, cluster
from bringup.pipeline.history.causes.fix_first import blocked_by, fix_first
from bringup.pipeline.history.causes.rules import read_rules
from bringup.pipeline.history.judge.changes import Versions
from bringup.pipeline.history.judge.columns import Columns, columns_of
from bringup.pipeline.history.judge.explain import with_causes
from bringup.pipeline.history.judge.trends import trends_of, with_ops
from bringup.pipeline.history.judge.verdict import Tonight, baseline_of, judge
from bringup.pipeline.history.samples import AT_THE_DESK, OpSample, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import first_op_failures, op_counts, op_samples, samples
from bringup.pipeline.history.store.tables import Run
from bringup.pipeline.history.store.verdicts import keep_verdict
from bringup.pipeline.lists.expectations import Promise, promises_of
from bringup.pipeline.lists.specs import list_specs
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.confirm import Confirm
from bringup.pipeline.results.earlier_texts import earlier_texts

NIGHTS = 60
"""Runs before the one that is judged; with them a night of 2,000 tests is judged in 2 s."""
MOST_TOLD = 5
KEY_LENGTH = 12
"""Digits of an op's key that `nox -s repro` is told."""


@dataclass(frozen=True)
class Past:
    """A run and those before it, read once."""

    run: Run
    columns: Columns
    tonight: Tonight
    samples: Sequence[Sample]
    """The run's own."""
    failing_ops: Sequence[OpSample] = ()
    first_seen: Mapping[str, Moment] = field(default_factory=dict)
    """By fingerprint of a test or an op."""


def past_of(
    history: History,
    run_id: str,
    lists: Path,
    *,
    against: str = "",
    promises: Mapping[str, Promise] | None = None,
    tests: Collection[str] | None = None,
    read: Sequence[Sample] | None = None,
    confirmed: Mapping[str, Judgement] | None = None,
) -> Past:
    """What history knows of a run and of those before it.

    Args:
        against: the run to compare with; empty: the newest of the same session that is full enough.
        promises: what is promised of each listed test, by key; of a test that is not in it
            nothing is.
        tests: only these, by key, in all runs there are.
        read: their samples, where the caller has those of all runs.
        confirmed: what new failures are that were run again at once.

    Raises:
        HistoryError: the store cannot be read, or one of the runs is not in it.
        RecordError: the aliases or the names of causes cannot be read.
    """
    known = history.runs()
    run = next((r for r in known if r.run == run_id), None)
    if run is None:
        raise HistoryError(f"history knows no run {run_id}; `bringup history add DIR` adds one")
    before = [
        r
        for r in known
        if (r.created, r.run) <= (run.created, run.run)
        and (r.session not in AT_THE_DESK or r.session == run.session)
    ]
    chosen = before if tests is not None else before[-NIGHTS:]
    if against and against not in {r.run for r in chosen}:
        chosen = [*(r for r in known if r.run == against), *chosen]
    aliases = read_aliases(lists)
    ids = {r.run for r in chosen}
    found = (
        samples(history, chosen, tests, aliases)
        if read is None
        else [s for s in read if s.run in ids]
    )
    own = [s for s in found if s.run == run_id]
    columns = columns_of(found)
    tonight = Tonight(
        run=run_id,
        at=run.created,
        session=run.session,
        baseline=against,
        sessions={r.run: r.session for r in known},
        planned={s.test: s.list_name for s in own if s.planned},
        left_out={renamed(key, aliases) for key in run.left_out},
        gating=[spec.name for spec in list_specs().values() if spec.gating],
        promises=promises or {},
        versions=_versions(chosen),
        confirmed=confirmed or {},
    )
    if tests is not None:
        return Past(run, columns, tonight, own)
    bad = op_samples(history, [run], None, aliases, only_bad=True)
    tonight = _with_ops(tonight, history, known, columns, aliases, bad)
    keys = {op.op_key for op in bad}
    seen = first_op_failures(history, chosen, keys) if bad else {}
    return Past(run, columns, tonight, own, bad, seen | _first_seen(columns))


def verdict_of_run(past: Past, lists: Path, advice: Advice | None = None) -> NightVerdict:
    """The night's verdict, with its causes and what to fix first.

    `advice` is how the run was started, for the commands in it; by default as here.

    Raises:
        HistoryError: a line of causes.txt is no rule.
    """
    how = advice or advice_here()
    failures = [
        *_failing_tests(past.samples, how),
        *_failing_ops(past.failing_ops, past.samples, how),
    ]
    found = cluster(failures, read_rules(lists), past.first_seen)
    verdict = judge(past.columns, past.tonight)
    return with_causes(verdict, found, fix_first(blocked_by(failures, found)))


def judge_run(
    run_dir: Path,
    run_id: str,
    history: History,
    lists: Path,
    say: Speaker,
    confirm: Confirm | None = None,
) -> NightVerdict | None:
    """Judge a run that history has just been given, and tell the head of it.

    `night.json` and `trends.json.zst` are written into its directory.

    `confirm` runs what is new again at once, and says what it is. What goes wrong is a warning that
    names the cause; then there is no verdict.
    """
    try:
        plans = read_plans(run_dir)
        promises = promises_of(plans, read_aliases(lists))
        advice = read_advice(plans[0].started_by) if plans else None
        past = past_of(history, run_id, lists, promises=promises)
        verdict = verdict_of_run(past, lists, advice)
        if confirm is not None and (words := confirm(verdict, past.samples)):
            history.add(run_dir)  # with the reruns, which are evidence too
            past = past_of(history, run_id, lists, promises=promises, confirmed=words)
            verdict = verdict_of_run(past, lists, advice)
        write_night(run_dir, verdict)
        keep_verdict(history, verdict)
        trends = trends_of_run(history, past, verdict)
        earlier = earlier_texts(run_dir, verdict)
        write_trends(run_dir, msgspec.structs.replace(trends, earlier=earlier))
    except Exception as error:  # a night's report is worth more than its place among the others
        say(f"warning: the run is not judged against the ones before: {said_by(error)}")
        return None
    for line in head_of(verdict):
        say(line)
    return verdict


def trends_of_run(history: History, past: Past, verdict: NightVerdict) -> Trends:
    """The nights that a verdict shows, of its tests and of the ops that its run went through.

    Raises:
        HistoryError: the store cannot be read.
    """
    trends = trends_of(past.columns, verdict)
    shown = {moment.run for moment in trends.nights}
    runs = [run for run in history.runs() if run.run in shown]
    return with_ops(trends, op_counts(history, runs))


def head_of(verdict: NightVerdict) -> list[str]:
    """What a night came to, in a few lines: the sentence, then its newest causes."""
    against = f"against {verdict.baseline.run}" if verdict.baseline else "the first of its kind"
    lines = [f"{verdict.run}, {against}: {verdict.head}"]
    lines += [f"  {device}: nearly all failed, no evidence" for device in verdict.mass_failures]
    for one in [c for c in verdict.clusters if verdict.is_new(c)][:MOST_TOLD]:
        where = f"{len(one.tests)} on {', '.join(one.devices)}"
        again = f"; {one.command}" if one.command else ""
        lines.append(f"  new cause: {one.name} ({where}){again}")
    first = next((fixes for fixes in verdict.fix_first if not fixes.device), None)
    if first and first.fixes:
        names = {c.id: c.name for c in verdict.clusters}
        best = first.fixes[0]
        causes = " and ".join(names.get(cause, cause) for cause in best.causes)
        count = len(best.advances)
        gets = "1 test gets" if count == 1 else f"{count} tests get"
        lines.append(f"  fix first: {causes} ({gets} further)")
    return lines


def _versions(runs: Iterable[Run]) -> dict[str, Versions]:
    """What tests ran with, by the store's key, sorted by kind as changes are told."""
    found: dict[str, Versions] = {}
    for run in runs:
        for key, made in run.versions.items():
            commits = {"checkout": made.git_commit}
            commits |= {"uncommitted changes": "some"} if made.git_dirty else {}
            found[key] = {"commits": commits, "packages": {"python": made.python, **made.versions}}
    return found


def _with_ops(
    tonight: Tonight,
    history: History,
    known: Sequence[Run],
    columns: Columns,
    aliases: Mapping[str, str],
    bad: Iterable[OpSample],
) -> Tonight:
    """Which ops fail tonight, and which did at the baseline, of tests that went op by op."""
    base = tonight.baseline or baseline_of(columns, tonight)
    there = [r for r in known if r.run == base]
    before = op_samples(history, there, None, aliases, only_bad=True) if there else []
    rows = np.flatnonzero(columns.run.codes == columns.run.code(base)).tolist()
    walked = {columns.test[row] for row in rows}
    return replace(
        tonight,
        failing_ops=_by_test(bad, ()),
        failing_ops_before=_by_test(before, (t for t in walked if is_op_by_op(identity_of_key(t)))),
    )


def _by_test(ops: Iterable[OpSample], tests: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {test: {} for test in tests}
    for op in ops:
        found.setdefault(op.test, {})[op.op_key] = op.name
    return found


def _first_seen(columns: Columns) -> dict[str, Moment]:
    """When each fingerprint of a test was there for the first time."""
    found: dict[str, Moment] = {}
    for row in np.argsort(columns.at, kind="stable").tolist():
        mark = columns.fingerprint[row]
        if mark and mark not in found:
            found[mark] = Moment(columns.run[row], float(columns.at[row]))
    return found


def _failing_tests(own: Iterable[Sample], advice: Advice) -> list[Failing]:
    return [
        Failing(
            s.test,
            s.device,
            s.stage or "",
            s.message,
            s.failed_op,
            command=run_again(s.nodeid, identity_of_key(s.test), advice=advice) if s.nodeid else "",
            known=s.fingerprint,
        )
        for s in own
        if not s.good and not s.excluded
    ]


def _failing_ops(ops: Iterable[OpSample], own: Iterable[Sample], advice: Advice) -> list[Failing]:
    devices = {s.test: s.device for s in own}
    return [
        Failing(
            op.test,
            devices[op.test],
            op.stage or "",
            op.message,
            op.name,
            command=advice.command("repro", op.op_key[:KEY_LENGTH], "--device", devices[op.test]),
            op_key=op.op_key,
            known=op.fingerprint,
        )
        for op in ops
        if op.test in devices
    ]
