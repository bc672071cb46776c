# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Taking a run up again: which run, whether it can be, and what is left of it.

What a test came to stays, unless that was the machine's or somebody's doing (KILLED, INFRA,
NOT_RUN): such a test is run again, as another attempt. Inside an op-by-op test that was cut off the
ops that have a result are taken as they are; see `bringup.harness.records.verdicts.earlier`.
"""

import time
from dataclasses import replace
from pathlib import Path

import msgspec

from bringup.harness.records.door import command
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.provenance import collect
from bringup.harness.records.run_dir import HEADER_NAME, no_run, plan_files, read_plans
from bringup.harness.records.schema import UNSETTLED, Failure, Outcome, Plan, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.option_values import Shard
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.budget import BEGIN_S
from bringup.pipeline.planning.recorded_options import as_planned, otherwise
from bringup.pipeline.planning.selection import Chosen
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.worker_death import stopped

_MOST_NAMED = 3


def find(options: RunOptions, results: Path) -> Path:
    """The run that is meant: the one named, or the session's newest that is not finished.

    Raises:
        PipelineError: there is none.
        RecordError: a plan cannot be read.
    """
    if options.resume:
        if not Path(options.resume).is_dir():
            raise PipelineError(no_run(Path(options.resume)))
        return Path(options.resume)
    folders = [path for path in results.glob("*") if plan_files(path)]
    plans = [
        (plan, d) for d in folders for plan in read_plans(d) if plan.session == options.session
    ]
    for plan, run_dir in sorted(plans, key=lambda p: -max(p[0].created, p[0].resumed)):
        if not (run_dir / HEADER_NAME).exists() or left(_ledger(run_dir, plan)):
            return run_dir
    raise PipelineError(
        f"there is nothing to resume: no run of {options.session} below {results} is unfinished"
    )


def plan_of(run_dir: Path, session: str) -> Plan:
    """The plan of a run of `session`.

    Raises:
        PipelineError: it has none, or more than one, or is of another session.
        RecordError: it cannot be read.
    """
    plans = read_plans(run_dir)
    if not plans:
        raise PipelineError(f"there is no plan in {run_dir}: no run was begun there")
    if len(plans) > 1:
        raise PipelineError(
            f"{run_dir} is {len(plans)} shards merged; resume a shard in its own directory"
        )
    if plans[0].session != session:
        raise PipelineError(
            f"{run_dir} is a run of {plans[0].session}; "
            f"`{command(plans[0].session, '--resume', str(run_dir))}` takes it up"
        )
    return plans[0]


def what_stays(run_dir: Path, plan: Plan) -> Ledger:
    """What the tests came to so far.

    Raises:
        PipelineError: all that they can; the run is finished.
    """
    ledger = _ledger(run_dir, plan)
    if (run_dir / HEADER_NAME).exists() and not left(ledger):
        raise PipelineError(
            f"there is nothing to resume: the run in {run_dir} is finished, "
            "every test has its result"
        )
    return ledger


def _ledger(run_dir: Path, plan: Plan) -> Ledger:
    ledger = Ledger(run_dir, plan.tests, plan.attempt)
    ledger.read()
    return ledger


def left(ledger: Ledger) -> list[PlannedTest]:
    """The tests that are to be run (again)."""
    words = ledger.outcomes
    return [t for key, t in ledger.tests.items() if words.get(key, Outcome.NOT_RUN) in UNSETTLED]


def options_of(plan: Plan, run_dir: Path, options: RunOptions) -> RunOptions:
    """The options that say what the plan is of, with `options` for everything else.

    Raises:
        PipelineError: an option that is given says otherwise than the plan.
    """
    if not plan.chosen:
        raise PipelineError(f"{run_dir} was planned by an older bringup, which cannot be resumed")
    how = f"resume it with `--resume {run_dir}` alone, or start anew"
    if "output" in options.given:
        raise PipelineError("--resume goes on in the run's own directory; leave --output out")
    if "shard" in options.given and options.shard != plan.shard:
        raise PipelineError(otherwise(str(run_dir), "shard", [str(Shard(*plan.shard))], how))
    if "run_id" in options.given and options.run_id != plan.run_id:
        raise PipelineError(otherwise(str(run_dir), "run_id", [plan.run_id], how))
    return replace(as_planned(plan.chosen, options, str(run_dir), how), shard=Shard(1, 1))


def same_tests(plan: Plan, run_dir: Path, now: Chosen) -> Chosen:
    """What was chosen again, narrowed to the plan's tests.

    Raises:
        PipelineError: other tests are chosen now than were then.
    """
    keys = {t.identity.key for t in now.tests}
    gone = [t.identity.key for t in plan.tests if t.identity.key not in keys]
    if gone or now.total != plan.total:
        named = ", ".join(gone[:_MOST_NAMED]) + (" ..." if gone[_MOST_NAMED:] else "")
        what = f"{len(gone)} of its tests are not chosen any more ({named})" if gone else ""
        what = what or f"now {now.total} of its tests are chosen and not {plan.total}"
        raise PipelineError(
            f"the lists or the tests have changed since {run_dir} was planned: {what}; start anew"
        )
    fresh = {t.identity.key: t for t in now.tests}
    for test in plan.tests:  # what is run comes out of the plan, which may be anybody's
        chosen = fresh[test.identity.key]
        if (test.nodeid, test.environment) != (chosen.nodeid, chosen.environment):
            raise PipelineError(
                f"the plan in {run_dir} runs {test.identity.key} otherwise than it is chosen now:"
                " another test or other variables; start anew"
            )
    return replace(now, tests=list(plan.tests), total=plan.total)


def take_up(run_dir: Path, plan: Plan, ledger: Ledger, budget_s: float | None = None) -> Plan:
    """Give tests that were cut off their outcome; the plan as it goes on. The run's lock is held.

    `budget_s` is the time that somebody gives it now; None: what is left of its own.

    Raises:
        PipelineError: it is given time, and was planned to take as long as it takes.
        RecordError: the disk is full or gone.
    """
    if budget_s is not None and plan.budget_s is None:
        raise PipelineError(f"{run_dir} was planned without --budget; leave it out, or start anew")
    given = budget_s if plan.budget_s is None else float(budget_s or budget_left(plan, ledger))
    give_their_word(run_dir, plan, ledger)
    return msgspec.structs.replace(
        plan, resumed=time.time(), attempt=plan.attempt + 1, budget_s=given
    )


def budget_left(plan: Plan, ledger: Ledger) -> float:
    """Seconds of its budget that a run which was cut off has left.

    A run that came to its end has run what fits in: it is taken up for what was left out, and has
    the whole once more.
    """
    assert plan.budget_s is not None
    words = ledger.outcomes
    cut_off = any(
        words.get(test.identity.key, Outcome.KILLED) in UNSETTLED
        for test in plan.tests
        if test.turn is None or test.turn.in_time
    )
    left_s = plan.budget_s - max(ledger.newest - max(plan.created, plan.resumed), 0.0)
    return float(int(left_s)) if cut_off and left_s > BEGIN_S else plan.budget_s


def give_their_word(run_dir: Path, plan: Plan, ledger: Ledger) -> None:
    """Write down that the tests which were running were killed. The run's lock is held.

    Raises:
        RecordError: the disk is full or gone.
    """
    if ledger.running:
        journal = JournalWriter(run_dir, plan.run_id, collect(), plan.attempt)
        failure = Failure(None, "KILLED", "stopped while it ran: the run was killed")
        for key in ledger.running:
            journal.append(stopped(ledger.tests[key], Outcome.KILLED, failure, plan.attempt))
        journal.close()
