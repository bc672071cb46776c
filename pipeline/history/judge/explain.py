# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A verdict in words: a test's story in ten lines, a run against another, a head sentence.

What is told is what `night.json` has, so that a page and a terminal never say two things.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from bringup.harness.records.night import (
    NEW_FAILURES,
    Change,
    Cluster,
    Drift,
    DriftKind,
    FixList,
    Judgement,
    Moment,
    NightVerdict,
    Range,
    TestVerdict,
)
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.causes.clusters import Clustered
from bringup.pipeline.history.judge.columns import Columns
from bringup.pipeline.history.judge.verdict import Tonight, judge, verdict_of

MOST_CHANGES = 6
MOST_TESTS = 20
_HASH_LENGTH = 12


def with_causes(
    verdict: NightVerdict, clustered: Clustered, fix_lists: Iterable[FixList] = ()
) -> NightVerdict:
    """The verdict with what its failures are put together to, and what to fix first."""
    of_test = clustered.of_test
    tests = tuple(
        msgspec.structs.replace(one, cluster=of_test.get(one.test, "")) for one in verdict.tests
    )
    return msgspec.structs.replace(
        verdict, tests=tests, clusters=clustered.clusters, fix_first=tuple(fix_lists)
    )


def compare(columns: Columns, run_a: str, run_b: str, tonight: Tonight | None = None) -> list[str]:
    """The lines that tell run B against run A, the most urgent test first.

    Raises:
        HistoryError: one of them is not in history.
    """
    if columns.run.code(run_b) < 0:
        raise HistoryError(f"history knows no run {run_b}")
    given = tonight or Tonight(run_b)
    return compared(judge(columns, replace(given, run=run_b, baseline=run_a)))


def compared(verdict: NightVerdict, left_out: Collection[str] = ()) -> list[str]:
    """The lines that tell a run against its baseline.

    Args:
        verdict: The run's.
        left_out: Keys of the tests that the baseline's budget had no time for.
    """
    against = f"against {moment_text(verdict.baseline)}" if verdict.baseline else "without baseline"
    lines = [f"{verdict.run} {against}: {verdict.head}"]
    lines += [f"{device}: nearly all failed, no evidence" for device in verdict.mass_failures]
    told = [one for one in verdict.tests if one.judgement is not Judgement.KNOWN or one.drifts]
    for one in told[:MOST_TESTS]:
        before = one.baseline or ("left out by its budget" if one.test in left_out else "absent")
        outcomes = f"{before} -> {one.outcome or 'absent'}"
        drift = "".join(f"; {drift_text(d)}" for d in one.drifts)
        lines.append(f"{one.judgement} {one.test}: {outcomes}{drift}")
    if told[MOST_TESTS:]:
        lines.append(f"and {len(told) - MOST_TESTS} more")
    return lines


def explain(
    columns: Columns, test: str, tonight: Tonight, clusters: Sequence[Cluster] = ()
) -> list[str]:
    """A test's story up to a night, in ten lines; one line where nobody knows the test."""
    one = verdict_of(columns, test, tonight)
    if one is None:
        return [f"history knows no test {test}"]
    cluster = next((c for c in clusters if test in c.tests), None)
    return story(one, cluster)


def story(one: TestVerdict, cluster: Cluster | None = None) -> list[str]:
    """Ten lines on one test."""
    stage = f" in {one.stage}" if one.stage else ""
    sure = "" if one.judgement not in NEW_FAILURES or one.settled else ", unconfirmed"
    elsewhere = f"; good on {', '.join(one.works_elsewhere)}" if one.works_elsewhere else ""
    uncounted = ", ".join(f"{n} {why}" for why, n in one.uncounted.items())
    changed = "; ".join(change_text(c) for c in one.changes[:MOST_CHANGES])
    more = f" and {len(one.changes) - MOST_CHANGES} more" if one.changes[MOST_CHANGES:] else ""
    named = "none"
    if cluster is not None:
        named = f"{cluster.name} ({_counted(len(cluster.tests), 'test')})"
        named += "".join(f", {said}" for said in (cluster.issue, cluster.owner) if said)
    drifts = "; ".join(drift_text(d) for d in one.drifts)
    return [
        f"{one.test}: {one.judgement}{sure}",
        f"tonight     {one.outcome or 'nobody ran it'}{stage}{elsewhere}",
        f"since       {range_text(one.since)}",
        f"last good   {moment_text(one.last_good)}, first bad {moment_text(one.first_bad)}",
        f"streak      {_counted(one.streak, 'night')}, "
        f"{_counted(one.flips, 'flip')} in the last 30: [{one.recent}]",
        f"counted     {_counted(one.counted, 'night')}; not counted: {uncounted or 'none'}",
        f"drift       {drifts or 'none'}",
        f"changed     {changed or 'nothing that is known'}{more}",
        f"cause       {named}",
        f"again       {one.command or 'its command is not known'}",
    ]


def moment_text(moment: Moment | None) -> str:
    """A run and its time."""
    if moment is None:
        return "never"
    return f"{datetime.fromtimestamp(moment.at, UTC):%Y-%m-%d %H:%M} UTC ({moment.run})"


def range_text(since: Range | None) -> str:
    """Where a segment began, as the two runs around it."""
    if since is None:
        return "no break in what is known"
    after = f"after {moment_text(since.after)}, " if since.after else ""
    return f"{after}by {moment_text(since.until)} (99 %)"


def change_text(change: Change) -> str:
    """One change, digests cut."""
    before, after = change.before[:_HASH_LENGTH], change.after[:_HASH_LENGTH]
    return f"{change.name} {before or 'absent'} -> {after or 'absent'}"


def drift_text(drift: Drift) -> str:
    """One drift, with its unit."""
    if drift.kind is DriftKind.OPS:
        return f"newly failing ops {', '.join(drift.names)}"
    if drift.kind is DriftKind.CAUSE:
        return "another cause than before"
    if drift.kind is DriftKind.MEMORY:
        before, now = (f"{value / (1 << 20):.0f} MiB" for value in (drift.before, drift.now))
        return f"memory {before} -> {now}"
    unit = " s" if drift.kind is DriftKind.SECONDS else ""
    return f"{drift.kind} {drift.before:.6g}{unit} -> {drift.now:.6g}{unit}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"
