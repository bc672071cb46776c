# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""After the last test: records, JUnit, proposals, and what a person needs to know."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.advice import Advice, read_advice
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.door import command
from bringup.harness.records.moves import Move
from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.outcomes import (
    counts_text,
    is_left_out,
    latest,
    outcome_counts_of_run,
)
from bringup.harness.records.run_dir import RECORDS_NAME, read_merged, read_ops
from bringup.harness.records.schema import Plan, PlannedTest, RunHeader, TestRecord
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.expectations import (
    Kept,
    broken,
    exit_code,
    in_words,
    made_of_promises,
    reproduce,
)
from bringup.pipeline.messages import Speaker, printable
from bringup.pipeline.planning.durations import add_durations
from bringup.pipeline.planning.recorded_options import own_folders
from bringup.pipeline.results.issue import write_drafts
from bringup.pipeline.results.junit import write_junit
from bringup.pipeline.results.list_change import checks_off
from bringup.pipeline.results.merge import finish
from bringup.pipeline.results.same_end import end_before_devices, together
from bringup.pipeline.running.engine import End, Ended
from bringup.pipeline.running.session import LOG_NAME

JUNIT_NAME = "junit.xml"
MOST_SHOWN = 50


def close_run(
    run_dir: Path,
    plan: Plan,
    ended: Ended,
    states: Mapping[str, DeviceState],
    durations: Path,
    say: Speaker,
    aliases: Mapping[str, str] | None = None,
    issues: Mapping[str, str] | None = None,
) -> ExitCode:
    """Write what the run comes to, tell it, and return its exit code.

    `aliases` say what tests were called before, `issues` what tracks a test already, by key: no
    other is drafted of checks that do not hold there.

    Raises:
        RecordError: the disk is full or gone; the journals hold everything all the same.
    """
    header = finish(run_dir)
    _, records = read_merged(run_dir)
    latest_by_key = {r.identity.key: r for r in latest(records)}
    unkept = broken(plan.tests, latest_by_key, states)
    losses = header.missing if plan.shard[1] == 1 else ()  # a shard does not miss the others
    made = made_of_promises([msgspec.structs.replace(plan, devices=dict(states))], latest_by_key)
    write_junit(run_dir / JUNIT_NAME, records, losses, made)
    _learn(durations, run_dir, records, aliases, say)
    _tell_unkept(unkept, made, read_advice(plan.started_by), say)
    _tell_expected(made, say)
    counts = counts_text(outcome_counts_of_run(run_dir))
    asked = len(plan.tests) - sum(map(is_left_out, latest_by_key.values()))
    say(f"{asked - len(unkept)} of {asked} tests did what was promised ({counts})")
    for sentence in dict.fromkeys(w for r in latest_by_key.values() for w in r.warnings):
        say(f"warning: {sentence}")
    broken_promises = {test.identity.key for test, _ in unkept}
    tracked = checks_off(run_dir, issues or {}).keys() | _expected_and_tracked(made)
    untracked = [r for key, r in latest_by_key.items() if key not in tracked]
    write_issues(run_dir, header, untracked, (), say, broken_promises)
    for name in (RECORDS_NAME, JUNIT_NAME, LOG_NAME):
        if (run_dir / name).exists():  # of a run that several share each has a log
            say(f"wrote {run_dir / name}")
    for sentence in (*losses, *ended.sentences):
        say(sentence)
    if ended.how is not End.FINISHED:
        say(how_to_go_on(run_dir, plan))
    if ended.how is End.INTERRUPTED:
        say(f"`{command('report', str(run_dir))}` reports what ran")
    return _code(ended, unkept)


def _expected_and_tracked(made: Mapping[str, tuple[PlannedTest, Kept]]) -> set[str]:
    """Keys of tests that fail as their entries say, which name an issue."""
    return {
        key
        for key, (test, end) in made.items()
        if end is Kept.EXPECTED_FAILURE and test.expectation is not None and test.expectation.issue
    }


def how_to_go_on(run_dir: Path, plan: Plan) -> str:
    """What to type after a run that did not come to its end, in its working directory.

    Tests that a plan alone does not have run are said to be the person's own.
    """
    words = [word for folder in own_folders(plan) for word in ("--tests", folder)]
    return f"`{command(plan.session, '--resume', str(run_dir), *words)}` goes on with it"


def write_issues(
    run_dir: Path,
    header: RunHeader,
    records: Iterable[TestRecord],
    moves: Sequence[Move],
    say: Speaker,
    broken_promises: Collection[str] = (),
) -> None:
    """Draft the issues that a run's latest records ask for, and say where they lie.

    Raises:
        RecordError: the disk is full or gone.
    """
    drafts = write_drafts(run_dir, header, records, moves, broken_promises)
    if drafts:
        noun = "issue" if len(drafts) == 1 else "issues"
        say(f"drafted {len(drafts)} {noun} in {drafts[0].parent}")


def _learn(
    durations: Path,
    run_dir: Path,
    records: Collection[TestRecord],
    aliases: Mapping[str, str] | None,
    say: Speaker,
) -> None:
    try:
        walked = any(is_op_by_op(record.identity) for record in records)
        ops = read_ops(run_dir) if walked else []
        cached = {op.test for op in ops if op.result.hit and not op.result.rechecked}
        add_durations(durations, records, aliases, cached)
    except (PipelineError, RecordError) as error:  # the next plan is a little worse, no more
        say(f"warning: {error}")


def _tell_unkept(
    unkept: Sequence[tuple[PlannedTest, TestRecord | None]],
    made: Mapping[str, tuple[PlannedTest, Kept]],
    advice: Advice,
    say: Speaker,
) -> None:
    def end_of(one: tuple[PlannedTest, TestRecord | None]) -> Hashable:
        test, record = one
        _, kept = made.get(test.identity.key, (test, Kept.BROKEN))
        return end_before_devices(record) if kept is Kept.BROKEN else None

    groups = together(unkept, end_of)
    for (test, record), *others in groups[:MOST_SHOWN]:
        outcome = record.outcome if record else "no record"
        failure = record.failure if record else None
        why = f": {printable(failure.message.partition(chr(10))[0])}" if failure else ""
        end = made[test.identity.key][1] if test.identity.key in made else Kept.BROKEN
        otherwise = in_words(test, end)
        if end is Kept.UNEXPECTED_PASS:
            say(f"unexpected pass: {outcome} {test.identity.key}: {printable(otherwise)}")
        else:
            also = f" and on {len(others)} more devices" if others else ""
            say(f"{outcome} {test.identity.key}{also}{why}")
        if end is Kept.OTHERWISE:
            say(f"    {printable(otherwise)}")
        if record is not None and record.started is not None:
            say(f"    reproduce: {reproduce(test, advice)}")
    if left := sum(map(len, groups[MOST_SHOWN:])):
        say(f"and {left} more")


def _tell_expected(made: Mapping[str, tuple[PlannedTest, Kept]], say: Speaker) -> None:
    """Those that did not run well and did as their entries say, each with the reason."""
    found = [
        (test, end) for test, end in made.values() if end in (Kept.EXPECTED_FAILURE, Kept.SKIPPED)
    ]
    for test, end in found[:MOST_SHOWN]:
        say(f"{end.value}: {test.identity.key}: {printable(in_words(test, end))}")
    if found[MOST_SHOWN:]:
        say(f"and {len(found) - MOST_SHOWN} more")


def _code(ended: Ended, unkept: Sequence[tuple[PlannedTest, TestRecord | None]]) -> ExitCode:
    if ended.how is End.INTERRUPTED:
        return ExitCode.INTERRUPTED
    if ended.how is not End.FINISHED:
        return ExitCode.INFRASTRUCTURE
    return exit_code(unkept)
