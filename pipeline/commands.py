# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each verb of the command line does, from its options to its exit code."""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError, StorageError
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import Source, sources_of
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.journal import run_attempt
from bringup.harness.records.moves import write_moves
from bringup.harness.records.outcomes import counts_text, latest, outcome_counts_of_run
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import (
    HEADER_NAME,
    read_merged,
    read_plans,
    read_shared_plan,
    write_plan,
    write_shared_plan,
)
from bringup.harness.records.schema import Outcome, Plan, PlannedTest
from bringup.harness.records.variable_names import GITHUB_RUN_VARIABLE
from bringup.harness.storage.scratch import sweep
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.lists.expectations import made_of_promises
from bringup.pipeline.lists.lists import apply, diff, read_lists
from bringup.pipeline.lists.specs import PROBE, list_specs
from bringup.pipeline.messages import Speaker, tell_run
from bringup.pipeline.options import MOST_JOBS, RunOptions
from bringup.pipeline.planning import verdict_cache
from bringup.pipeline.planning.collect import collect_tests
from bringup.pipeline.planning.planners import planner_of
from bringup.pipeline.planning.selection import (
    Chosen,
    alias_problems,
    choose,
    list_problems,
    look_around,
    refusals,
)
from bringup.pipeline.planning.shared_plan import narrowed, share, take_up, tell_github
from bringup.pipeline.planning.work import Runner, fill_estimates
from bringup.pipeline.promotion.decision import decide, situation_of
from bringup.pipeline.promotion.policy import policy_of, read_policy
from bringup.pipeline.promotion.preview import lines_of, preview, write_preview
from bringup.pipeline.promotion.standings import listed_tests
from bringup.pipeline.promotion.thresholds import told
from bringup.pipeline.results.close_run import JUNIT_NAME, close_run
from bringup.pipeline.results.confirm import NIGHTLY_S, Reruns
from bringup.pipeline.results.finish import finish_runs, is_whole
from bringup.pipeline.results.incidents import issues_of_tests
from bringup.pipeline.results.junit import write_junit
from bringup.pipeline.results.list_change import checks_off, prepare, tell_undone
from bringup.pipeline.results.merge import merge, shards_in
from bringup.pipeline.results.promote_run import Asked, Night, samples_of, tell, thresholds_of
from bringup.pipeline.results.remember import remember, remember_and_judge
from bringup.pipeline.running import memory, resume
from bringup.pipeline.running.engine import End
from bringup.pipeline.running.engines import engine_of
from bringup.pipeline.running.progress import clock, frame_of, watcher
from bringup.pipeline.running.run_lock import RunLock, refuse_if_held
from bringup.pipeline.running.session import Settings, default_workers

_GIB = 1 << 30


def run(options: RunOptions, say: Speaker) -> ExitCode:
    """Plan, run, close_run.

    Raises:
        PipelineError: something asked for does not exist; nothing was run.
        RecordError: the run directory cannot be written.
    """
    sweep()
    engine_of(options.engine)  # a wrong name is refused before anything is collected
    if options.resume is not None:
        return _resume(options, say)
    now = datetime.now(UTC)
    name = name_of_now(options.session, now)
    i, n = options.shard
    if options.fleet and (options.plan or n > 1):
        raise PipelineError(
            "a fleet's runners are its shards; leave --fleet out beside --plan and --shard"
        )
    if options.plan is not None:
        shared, chosen, options = take_up(options, say)
    else:
        chosen = choose(options, say)
        if not options.dry_run:
            _refuse_other_runners(chosen, options)
        run_id = name if options.dry_run else _run_id(options, name)
        shared = share(chosen, options, n, run_id, now.timestamp())
        if not (chosen.runners and options.dry_run):
            chosen = narrowed(chosen, shared, i)
    if options.dry_run:
        _print_plan(chosen, options, options.session, say)
        if shared.runners:
            _print_shards(shared, say)
        return ExitCode.KEPT
    run_dir = _fresh(options.output or Path("results") / name)
    plan = shared.of_shard(i, created=now.timestamp(), attempt=run_attempt())
    with RunLock(run_dir) as lock, _records_lost_to_the_machine():
        return _carry_out(run_dir, plan, chosen, chosen.tests, options, lock, say)


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
            f"{options.fleet} has {n} runners and this machine is one: `nox -s plan -- --fleet "
            f"{options.fleet}` makes their shards, --plan and --shard run one of them"
        )


def make_plan(options: RunOptions, say: Speaker) -> ExitCode:
    """Choose the tests once and write down which shard runs which.

    Raises:
        PipelineError: something asked for does not exist.
        RecordError: the plan cannot be written.
    """
    now = datetime.now(UTC)
    planner = planner_of(options.planner)
    chosen = choose(options, say)
    run_id = options.run_id or _run_of_this_job(options) or name_of_now(options.session, now)
    if chosen.runners and options.shards:
        raise PipelineError("say --shards or --fleet, whose runners are the shards, and not both")
    if not (chosen.runners or options.shards):
        raise PipelineError("`plan` needs --shards N, or --fleet FILE with the runners there are")
    if len(chosen.runners) > MOST_JOBS:
        n = len(chosen.runners)
        raise PipelineError(f"{options.fleet} has {n} runners; a matrix takes at most {MOST_JOBS}")
    shards = min(options.shards, len(chosen.tests))
    shared = share(chosen, options, shards, run_id, now.timestamp(), planner)
    if options.dry_run:
        _print_plan(chosen, options, "plan", say)
        _print_shards(shared, say)
        return ExitCode.KEPT
    write_shared_plan(options.target, shared)
    _print_shards(shared, say)
    say(f"{_counted(chosen.tests, chosen.total, chosen.devices)}; plan {shared.digest[:12]}")
    tell_github(shared, chosen.runners)
    say(f"wrote {options.target}")
    return ExitCode.KEPT


def _print_shards(shared: SharedPlan, say: Speaker) -> None:
    expected = fill_estimates(t for tests in shared.shards for t in tests)
    for i, tests in enumerate(shared.shards, start=1):
        seconds = sum(expected[t.identity.key] for t in tests)
        noun = "test" if len(tests) == 1 else "tests"
        whose = f" {shared.runners[i - 1]}" if shared.runners else ""
        of = f"shard {i}/{len(shared.shards)}{whose}"
        say(f"{of}: {len(tests)} {noun}, about {clock(seconds)} of work")


def _resume(options: RunOptions, say: Speaker) -> ExitCode:
    """Go on with a run that was cut off, in its own directory."""
    run_dir = resume.find(options, Path("results"))
    with RunLock(run_dir) as lock:
        plan = resume.plan_of(run_dir, options.session)
        ledger = resume.what_stays(run_dir, plan)
        options = resume.options_of(plan, run_dir, options)
        known = {t.identity.key for t in plan.tests if t.list_name == PROBE} | plan.elsewhere.keys()
        chosen = resume.same_tests(plan, run_dir, choose(options, say, known))
        left = resume.left(ledger)
        if options.dry_run:
            _print_plan(replace(chosen, tests=left), options, options.session, say)
            return ExitCode.KEPT
        plan = resume.take_up(run_dir, plan, ledger)
        say(f"resumed: {len(plan.tests) - len(left)} of {len(plan.tests)} tests stay as they are")
        with _records_lost_to_the_machine():
            return _carry_out(run_dir, plan, chosen, left, options, lock, say)


def _carry_out(
    run_dir: Path,
    plan: Plan,
    chosen: Chosen,
    tests: Sequence[PlannedTest],
    options: RunOptions,
    lock: RunLock,
    say: Speaker,
) -> ExitCode:
    """Run `tests`, those of the plan that are to be run, and close_run the plan."""
    engine, address = engine_of(options.engine)
    states = {d.name: d.state for d in chosen.devices.values()}
    plan = msgspec.structs.replace(plan, devices=states)  # whoever merges shards has no devices
    here = chosen.runners[0] if len(chosen.runners) == 1 else None
    slots = options.workers or (here.slots if here else default_workers(len(tests)))
    workers = min(slots, max(len(tests), 1))
    settings = Settings(
        run_dir=run_dir.absolute(),
        run_id=plan.run_id,
        plan=write_plan(run_dir, plan).absolute(),
        root=Path.cwd(),
        workers=workers,
        timeout_s=options.timeout_s,
        capacities=_capacities(chosen, here),
        memory=min(memory.available(), (here and here.memory) or sys.maxsize),
        variables=verdict_cache.variables(plan, options),
        attempt=plan.attempt,
        lock=lock.descriptor,
        address=address,
    )
    counted = _counted(tests, plan.total, chosen.devices)
    say(f"{plan.session}: {counted}, {settings.workers} at a time, in {run_dir}")
    with watcher(say.stream, frame_of(plan, settings.workers, options.timeout_s)) as display:
        ended = engine.run(plan, settings, display, refusals(chosen, slots))
    code = close_run(
        run_dir,
        plan,
        ended,
        states,
        options.durations,
        say,
        read_aliases(options.lists),
    )
    tell_run(run_dir)
    if plan.shard[1] == 1:  # of a shard's tests the merged run knows all
        night = Night(
            Asked(options.lists, options.history, run_dir), run_dir, chosen.lists, chosen.collected
        )
        confirm_s = _confirm_s(plan, options, ended.how)
        again = Reruns(plan, settings, engine, confirm_s, say, night.attempts_wanted)
        remember_and_judge(run_dir, plan.run_id, options.history, options.lists, say, again.confirm)
        night.try_more(again, say)
        night.propose(say)
    if ended.how is End.FINISHED:
        verdict_cache.prune(plan, say)
    return code


def _confirm_s(plan: Plan, options: RunOptions, how: End) -> float:
    """Seconds for running new failures again; none of a run that did not come to its end."""
    if how is not End.FINISHED:
        return 0.0
    given = options.confirm_s
    return given if given is not None else NIGHTLY_S if plan.session == "nightly" else 0.0


def check_lists(options: RunOptions, say: Speaker) -> ExitCode:
    """Say everything that is wrong with the lists."""
    lists = read_lists(options.lists)
    known, collected = look_around(options)
    said = [
        *list_problems(lists, lists.entries, collected, known),
        *alias_problems(read_aliases(options.lists), collected, options.lists),
        *collected.broken.values(),
    ]
    for sentence in said:
        say(sentence)
    say(f"{len(lists.entries)} entries on {len(list_specs())} lists, {len(said)} problems")
    return ExitCode.USAGE if said else ExitCode.KEPT


def merge_runs(options: RunOptions, say: Speaker) -> ExitCode:
    """Make one run of many shards; exit as broken as the run is incomplete.

    With the plan of all shards none of them has to have arrived.
    """
    run_dirs, into, plan_file = options.run_dirs, options.into, options.plan
    absent = [str(path) for path in run_dirs if not path.is_dir()]
    if absent and plan_file is None:
        raise PipelineError(f"there is no run directory {', '.join(absent)}")
    shared = read_shared_plan(plan_file) if plan_file else None
    sources = [d for path in run_dirs for d in shards_in(path)]
    for path in (*sources, into):
        refuse_if_held(path)
    header = merge(sources, into, shared)
    _, records = read_merged(into)
    by_key = {record.identity.key: record for record in latest(records)}
    made = made_of_promises(read_plans(into), by_key)
    write_junit(into / JUNIT_NAME, records, header.missing, made)
    words = outcome_counts_of_run(into)
    tests = f"{words.total()} records of {header.planned} planned tests"
    say(f"{header.run_id}: {tests} ({counts_text(words)})")
    for sentence in header.missing:
        say(f"missing: {sentence}")
    say(f"merged into {into}")
    tell_run(into)
    remember_and_judge(into, header.run_id, options.history, options.lists, say)
    unrun = any(r.outcome is Outcome.NOT_RUN for r in latest(records))
    return ExitCode.INFRASTRUCTURE if header.missing or unrun else ExitCode.KEPT


def finish(options: RunOptions, say: Speaker) -> ExitCode:
    """Merge runs that nobody merged, and remember each as what it is.

    A run that was planned is judged too. Plain pytest's, which somebody tried, is no night.
    """
    for run_dir, header in finish_runs(options.run_dirs, say):
        if header.session and is_whole(header):
            remember_and_judge(run_dir, header.run_id, options.history, options.lists, say)
        elif is_whole(header):
            remember(run_dir, options.history, say)
    return ExitCode.KEPT


def promote(options: RunOptions, say: Speaker) -> ExitCode:
    """Propose the list moves that nights support, and make them when asked.

    With a run they are those after it, by it and by the history before; without one those of the
    whole history, or of the newest run below `results/` where there is no history yet.
    """
    if options.commit and not options.pr:
        raise PipelineError("--commit goes with --pr, which says on which branch")
    asked = Asked(options.lists, options.history, options.run_dir or _run_without_history(options))
    policy = read_policy(options.policy) if options.policy else policy_of(options.lists)
    lists = read_lists(options.lists)
    listed = listed_tests(lists)
    found = samples_of(asked, policy.evidence.window, options.preview, listed)
    collected = collect_tests(options.tests, Path.cwd(), loaders=options.loaders)
    situation = situation_of(found, lists, policy, collected.identify)
    if options.preview:
        shown = preview(situation, options.preview)
        for line in lines_of(shown):
            say(line)
        say(f"wrote {write_preview(shown, Path('results'))}")
        return ExitCode.KEPT
    newest = asked.run_dir or _newest_of(found)
    off = checks_off(newest, issues_of_tests(options.lists))
    decision = decide(situation, collected.ids, off)
    if asked.run_dir is not None:
        say(f"proposals in {write_moves(asked.run_dir, decision.moves)}")
    tell(decision, say)
    for line in told(thresholds_of(asked, policy)):
        say(line)
    taken_back = tell_undone(Path.cwd(), lists, situation, say)
    moves = decision.moves
    if moves:
        say(diff(options.lists, moves).rstrip("\n"))
    if options.pr:
        if newest is None:
            raise PipelineError("--pr writes below a run, and the newest is not here; name one")
        prepare(newest, options.lists, moves, found, taken_back, options.commit, say)
    if moves and options.write:
        for path in apply(options.lists, moves):
            say(f"wrote {path}")
    elif moves and not options.pr:
        say("nothing was changed; add --write to make these moves")
    return ExitCode.KEPT


def _newest_of(found: Sequence[Sample]) -> Path | None:
    """The directory of the newest run that has samples, where it is still here."""
    run = max(found, key=lambda s: (s.at, s.run)).run if found else ""
    path = Path("results") / run
    return path if run and (path / HEADER_NAME).exists() else None


def _run_without_history(options: RunOptions) -> Path | None:
    """The newest run, where the history has none."""
    from bringup.pipeline.history.store.history import History  # with it comes the database

    if options.history != NOWHERE and History(options.history).runs():
        return None
    return _newest_run(Path("results"))


# --- where it goes --------------------------------------------------------------------------


def _fresh(run_dir: Path) -> Path:
    """A run directory nobody wrote to; two runs in one would be one run to every reader."""
    if run_dir.exists() and (not run_dir.is_dir() or any(run_dir.iterdir())):
        raise PipelineError(f"{run_dir} exists and is not empty; name another --output")
    return run_dir


def _run_id(options: RunOptions, name: str) -> str:
    """Shards of one run carry one id, and only that lets them merge."""
    if options.run_id:
        return options.run_id
    if options.shard[1] == 1:
        return name
    if run_id := _run_of_this_job(options):
        return run_id
    raise PipelineError(
        "the shards of one run must carry one name to be merged: give each the same --run-id"
    )


def name_of_now(session: str, now: datetime) -> str:
    """A name that no other run has: several machines begin a night in the same second, and share a
    history in which a run is known by it."""
    return f"{session}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def _capacities(chosen: Chosen, here: Runner | None) -> dict[str, int]:
    """The most tests a device runs at a time: what it can, and no more than the fleet says."""
    most = {d.name: d.capacity for d in chosen.devices.values() if d.capacity}
    said = (here.kinds or {}) if here else {}
    return most | {k: min(n, most.get(k, n)) for k, n in said.items() if k in chosen.devices}


def _run_of_this_job(options: RunOptions) -> str:
    """What all jobs of this run of a GitHub workflow call it; empty elsewhere."""
    job = os.environ.get(GITHUB_RUN_VARIABLE)
    return f"{options.session}-{job}" if job else ""


def _newest_run(results: Path) -> Path:
    found = sorted(results.glob(f"*/{HEADER_NAME}"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise PipelineError(f"there is no merged run below {results}; name one")
    return found[-1].parent


def _counted(tests: Sequence[PlannedTest], total: int, devices: Iterable[str]) -> str:
    part = f"{len(tests)} of {total}" if len(tests) < total else str(total)
    noun = "test" if total == 1 else "tests"
    return f"{part} {noun} on {', '.join(devices)}"


def _print_plan(chosen: Chosen, options: RunOptions, verb: str, say: Speaker) -> None:
    expected = fill_estimates(chosen.tests)
    for test in sorted(chosen.tests, key=lambda t: (-expected[t.identity.key], t.identity)):
        known = "" if test.estimate_s is None else clock(test.estimate_s)
        peak = "?" if test.estimate_bytes is None else f"{test.estimate_bytes / _GIB:.1f} GiB"
        say(f"{test.list_name or '-':<28} {known or '?':>8} {peak:>9}  {test.nodeid}")
    counted = _counted(chosen.tests, chosen.total, chosen.devices)
    say(f"{counted}, about {clock(sum(expected.values()))} of work")
    for text, source in sources_of(options, options.sources, verb):
        if source is not Source.DEFAULT:
            say(f"{text}  ({source})")
    say("every other option has its default")
