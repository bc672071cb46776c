# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the verbs that run tests do, from their options to the exit code."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError, StorageError
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.door import command
from bringup.harness.records.journal import run_attempt
from bringup.harness.records.outcomes import is_left_out, latest
from bringup.harness.records.run_dir import (
    read_merged,
    write_plan,
)
from bringup.harness.records.schema import Plan, PlannedTest
from bringup.harness.records.variable_names import STARTED_BY_VARIABLE
from bringup.harness.storage.scratch import sweep
from bringup.pipeline.early_python import early_python
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.specs import PROBE
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.plan_command import (
    budgeted,
    capacities,
    how_many,
    print_plan,
    print_shards,
    processes_of,
    reruns_of,
    slots_of,
)
from bringup.pipeline.planning import verdict_cache
from bringup.pipeline.planning.budget_texts import after_the_run, before_the_run
from bringup.pipeline.planning.recorded_options import advice_of
from bringup.pipeline.planning.selection import (
    Chosen,
    choose,
    refusals,
)
from bringup.pipeline.planning.shared_plan import narrowed, share, take_up
from bringup.pipeline.results.close_run import close_run
from bringup.pipeline.results.confirm import Reruns, confirm_seconds, found_below
from bringup.pipeline.results.incidents import known_issues
from bringup.pipeline.results.planned_reruns import run_again, wanted_by
from bringup.pipeline.results.promote_run import Asked, Night
from bringup.pipeline.results.remember import remember_and_judge
from bringup.pipeline.run_names import name_of_now, run_id_of
from bringup.pipeline.running import memory, resume
from bringup.pipeline.running.engine import Elsewhere, End, Ended, Engine, Shares
from bringup.pipeline.running.engines import engine_of
from bringup.pipeline.running.progress import frame_of, watcher
from bringup.pipeline.running.run_lock import RunLock
from bringup.pipeline.running.session import Settings
from bringup.pipeline.running.supervisor import LOCAL
from bringup.pipeline.taking_part import take_part


def run(options: RunOptions, say: Speaker) -> ExitCode:
    """Plan, run, close_run.

    Raises:
        PipelineError: something asked for does not exist; nothing was run.
        RecordError: the run directory cannot be written.
    """
    begun = time.monotonic()
    sweep()
    engine, address = engine_of(options.engine)  # a wrong one is refused before anything is done
    if isinstance(engine, Elsewhere) and (early := early_python()):
        early.close()  # it would wait here for nothing
    if options.budget_s is not None:
        _refuse_budget_elsewhere(engine, options)
    if isinstance(engine, Shares) and not options.dry_run:
        return _share(engine, address, options, say)
    if options.resume is not None:
        return _resume(options, begun, say)
    now = datetime.now(UTC)
    name = name_of_now(options.session, now)
    i, n = options.shard
    if options.fleet and (options.plan or n > 1):
        raise PipelineError(
            "a fleet's runners are its shards; leave --fleet out beside --plan and --shard"
        )
    if options.plan is not None:
        shared, chosen, options = take_up(options, say)
        chosen = _seen(chosen, options)
    else:
        chosen = _seen(choose(options, say), options)
        if not options.dry_run:
            _refuse_other_runners(chosen, options)
        run_id = name if options.dry_run else run_id_of(options, name)
        shared = share(chosen, options, n, run_id, now.timestamp())
        if n > 1 and not options.dry_run:
            shared = reruns_of(shared, chosen, options, say)
        shared = budgeted(shared, chosen, options, say)
        if not (chosen.runners and options.dry_run):
            chosen = narrowed(chosen, shared, i)
    if options.dry_run:
        print_plan(chosen, options, options.session, say)
        if shared.runners:
            print_shards(shared, say)
        return ExitCode.KEPT
    run_dir = _fresh(options.output or Path("results") / name)
    plan = shared.of_shard(i, created=now.timestamp(), attempt=run_attempt())
    with RunLock(run_dir) as lock, _records_lost_to_the_machine():
        return _carry_out(run_dir, plan, chosen, chosen.tests, options, lock, begun, say)


def _seen(chosen: Chosen, options: RunOptions) -> Chosen:
    """What was chosen, with the devices as they are where the tests are run."""
    engine, address = engine_of(options.engine)
    return engine.seen_there(address, chosen) if isinstance(engine, Elsewhere) else chosen


def _share(engine: Shares, address: str, options: RunOptions, say: Speaker) -> ExitCode:
    """Carry out a part of a run that several commands carry out together."""
    now = datetime.now(UTC)
    name = name_of_now(options.session, now)
    part = take_part(engine, address, options, name, now.timestamp(), say)
    with _records_lost_to_the_machine():
        run_dir, plan, chosen, holder, begun = part
        return _carry_out(run_dir, plan, chosen, chosen.tests, options, None, begun, say, holder)


@contextlib.contextmanager
def _records_lost_to_the_machine() -> Iterator[None]:
    """Records that cannot be read once a run has begun are ours, so the machine is at fault and not
    the user: the exit code is that of the infrastructure."""
    try:
        yield
    except RecordError as error:
        raise StorageError(str(error)) from error


def _refuse_other_runners(chosen: Chosen, options: RunOptions) -> None:
    if len(chosen.runners) > 1:
        n = len(chosen.runners)
        raise PipelineError(
            f"{options.fleet} has {n} runners and this machine is one: "
            f"`{command('plan', '--fleet', str(options.fleet))}` makes their shards, "
            "--plan and --shard run one of them"
        )


def _refuse_budget_elsewhere(engine: Engine, options: RunOptions) -> None:
    if engine is not LOCAL and not isinstance(engine, Shares | Elsewhere):
        raise PipelineError(
            f"nobody knows whether {options.engine} keeps to a --budget; leave it out (--all does, "
            "where pyproject.toml says it), or give each machine a shard"
        )


def _resume(options: RunOptions, begun: float, say: Speaker) -> ExitCode:
    """Go on with a run that was cut off, in its own directory."""
    run_dir = resume.find(options, Path("results"))
    with RunLock(run_dir) as lock:
        plan = resume.plan_of(run_dir, options.session)
        ledger = resume.what_stays(run_dir, plan)
        options = resume.options_of(plan, run_dir, options)
        known = {t.identity.key for t in plan.tests if t.list_name == PROBE} | plan.elsewhere.keys()
        chosen = resume.same_tests(plan, run_dir, _seen(choose(options, say, known), options))
        left = resume.left(ledger)
        if options.dry_run:
            print_plan(replace(chosen, tests=left), options, options.session, say)
            return ExitCode.KEPT
        given = options.budget_s if "budget_s" in options.given else None
        plan = resume.take_up(run_dir, plan, ledger, given)
        say(f"resumed: {len(plan.tests) - len(left)} of {len(plan.tests)} tests stay as they are")
        with _records_lost_to_the_machine():
            return _carry_out(run_dir, plan, chosen, left, options, lock, begun, say)


def _carry_out(
    run_dir: Path,
    plan: Plan,
    chosen: Chosen,
    tests: Sequence[PlannedTest],
    options: RunOptions,
    lock: RunLock | None,
    begun: float,
    say: Speaker,
    holder: str = "",
) -> ExitCode:
    """Run `tests`, those of the plan that are to be run, and close_run the plan.

    `begun` is when the command began, on `time.monotonic`; `holder` is what this command is called
    among those that carry the plan out together.
    """
    engine, address = engine_of(options.engine)
    states = {d.name: d.state for d in chosen.devices.values()}
    plan = msgspec.structs.replace(  # whoever merges shards has no devices
        plan, devices=states, started_by=advice_of(options).text
    )
    here = chosen.runners[0] if len(chosen.runners) == 1 else None
    slots = slots_of(options, here, len(tests))
    workers = min(slots, max(len(tests), 1))
    settings = Settings(
        run_dir=run_dir.absolute(),
        run_id=plan.run_id,
        plan=write_plan(run_dir, plan).absolute(),
        root=chosen.collected.root.absolute(),
        workers=workers,
        timeout_s=options.timeout_s,
        capacities=capacities(chosen, here),
        memory=min(memory.available(), (here and here.memory) or sys.maxsize),
        variables={
            **verdict_cache.variables(plan, options),
            STARTED_BY_VARIABLE: plan.started_by,
        },
        attempt=plan.attempt,
        lock=lock.descriptor if lock else None,
        holder=holder,
        address=address,
        until=None if plan.budget_s is None else begun + plan.budget_s,
    )
    settings = replace(settings, processes=processes_of(options, chosen, tests, settings))
    counted = how_many(tests, plan.total, chosen.devices)
    say(f"{plan.session}: {counted}, {settings.workers} at a time, in {run_dir}")
    if plan.budget_s is not None:
        for sentence in before_the_run(plan.budget_s, tests, settings.workers):
            say(sentence)
    with watcher(say.stream, frame_of(plan, settings.workers, options.timeout_s)) as display:
        here_slots = None if isinstance(engine, Elsewhere) else slots
        ended = engine.run(plan, settings, display, refusals(chosen, here_slots))
    if holder and ended.how is not End.FINISHED:
        return _left(ended, say)
    code = close_run(
        run_dir,
        plan,
        ended,
        states,
        options.durations,
        say,
        read_aliases(options.lists),
        known_issues(options.lists, say),
    )
    say.told.append(run_dir)
    if plan.budget_s is not None:
        ran = _say_left_out(run_dir, plan, say)
        code = code if ran else max(code, ExitCode.INFRASTRUCTURE)
    confirm_s = _confirm_s(plan, options, ended.how)
    alone = replace(settings, holder=""), LOCAL if holder else engine  # the others have left
    if plan.more_s is not None:
        again = Reruns(plan, *alone, confirm_s, say, lambda: wanted_by(plan))
        run_again(again, run_dir, options.lists, say)
    if plan.shard[1] == 1:  # of a shard's tests the merged run knows all
        asked = Asked(options.lists, options.history, run_dir)
        night = Night(asked, run_dir, chosen.lists, chosen.collected)
        again = Reruns(plan, *alone, confirm_s, say, night.attempts_wanted)
        confirm = again.confirm if plan.more_s is None else found_below(run_dir)
        remember_and_judge(run_dir, plan.run_id, options.history, options.lists, say, confirm)
        if plan.more_s is None:
            night.try_more(again, say)
        night.propose(say)
    if ended.how is End.FINISHED:
        verdict_cache.prune(plan, say)
    if isinstance(engine, Shares):
        engine.leave(settings)
    return code


def _say_left_out(run_dir: Path, plan: Plan, say: Speaker) -> bool:
    """Say what the run's budget left out, and the command that runs it; was anything run?"""
    _, records = read_merged(run_dir)
    keys = {record.identity.key for record in latest(records) if is_left_out(record)}
    out = [test for test in plan.tests if test.identity.key in keys]
    goes_on = command(plan.session, "--resume", str(run_dir), "--budget", "TIME")
    for sentence in after_the_run(plan.budget_s or 0.0, out, goes_on):
        say(sentence)
    if out and len(out) == len(plan.tests):
        say("nothing was run: the budget was over before a test could start")
        return False
    return True


def _left(ended: Ended, say: Speaker) -> ExitCode:
    """The exit code of one who left a run to others."""
    for sentence in ended.sentences:
        say(sentence)
    if ended.how is End.ELSEWHERE:
        return ExitCode.KEPT
    return ExitCode.INTERRUPTED if ended.how is End.INTERRUPTED else ExitCode.INFRASTRUCTURE


def _confirm_s(plan: Plan, options: RunOptions, how: End) -> float:
    """Seconds for running new failures again, of a shard its share; none of a run that did not
    come to its end."""
    if how is not End.FINISHED:
        return 0.0
    return confirm_seconds(options, plan.session) / plan.shard[1]


def _fresh(run_dir: Path) -> Path:
    """A run directory nobody wrote to; two runs in one would be one run to every reader."""
    if run_dir.exists() and (not run_dir.is_dir() or any(run_dir.iterdir())):
        raise PipelineError(f"{run_dir} exists and is not empty; name another --output")
    return run_dir
