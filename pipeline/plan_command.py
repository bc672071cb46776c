# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`plan`, and what a dry run prints: which tests run, where, and where options come from."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import Source, sources_of
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import (
    write_shared_plan,
)
from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.option_values import MOST_JOBS
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.budget import (
    Allowance,
    is_in_time,
    seconds_for_tests,
    with_turns,
)
from bringup.pipeline.planning.budget_texts import before_the_run
from bringup.pipeline.planning.known_tests import known_tests
from bringup.pipeline.planning.planners import planner_of
from bringup.pipeline.planning.selection import (
    Chosen,
    choose,
)
from bringup.pipeline.planning.shared_plan import share, tell_github
from bringup.pipeline.planning.slots import processes_for
from bringup.pipeline.planning.work import Runner, fill_estimates
from bringup.pipeline.results.confirm import confirm_seconds
from bringup.pipeline.results.planned_reruns import with_reruns
from bringup.pipeline.results.promote_run import Asked
from bringup.pipeline.run_names import name_of_now, run_of_this_job
from bringup.pipeline.running.engine import Elsewhere
from bringup.pipeline.running.engines import engine_of
from bringup.pipeline.running.memory import MEMORY_PER_WORKER
from bringup.pipeline.running.progress import clock
from bringup.pipeline.running.session import Settings, default_workers

_GIB = 1 << 30


def make_plan(options: RunOptions, say: Speaker) -> ExitCode:
    """Choose the tests once and write down which shard runs which.

    Raises:
        PipelineError: something asked for does not exist.
        RecordError: the plan cannot be written.
    """
    now = datetime.now(UTC)
    planner = planner_of(options.planner)
    chosen = choose(options, say)
    run_id = options.run_id or run_of_this_job(options) or name_of_now(options.session, now)
    if chosen.runners and options.shards:
        raise PipelineError("say --shards or --fleet, whose runners are the shards, and not both")
    if not (chosen.runners or options.shards):
        raise PipelineError("`plan` needs --shards N, or --fleet FILE with the runners there are")
    if len(chosen.runners) > MOST_JOBS:
        n = len(chosen.runners)
        raise PipelineError(f"{options.fleet} has {n} runners; a matrix takes at most {MOST_JOBS}")
    shards = min(options.shards, len(chosen.tests))
    shared = share(chosen, options, shards, run_id, now.timestamp(), planner)
    shared = budgeted(shared, chosen, options, say)
    if options.dry_run:
        turned = [test for own in shared.shards for test in own]
        print_plan(replace(chosen, tests=turned), options, "plan", say)
        print_shards(shared, say)
        return ExitCode.KEPT
    shared = reruns_of(shared, chosen, options, say)
    write_shared_plan(options.target, shared)
    print_shards(shared, say)
    say(f"{how_many(chosen.tests, chosen.total, chosen.devices)}; plan {shared.digest[:12]}")
    tell_github(shared, chosen.runners)
    say(f"wrote {options.target}")
    return ExitCode.KEPT


def reruns_of(shared: SharedPlan, chosen: Chosen, options: RunOptions, say: Speaker) -> SharedPlan:
    """The plan with what its shards are to run again, by the history that is known here."""
    asked = Asked(options.lists, options.history)
    return with_reruns(shared, asked, chosen.lists, chosen.collected.identify, say)


def budgeted(shared: SharedPlan, chosen: Chosen, options: RunOptions, say: Speaker) -> SharedPlan:
    """The plan with every test's turn, where there is a budget: what history says of them decides.

    A shard has the whole budget, since shards run at once.
    """
    if options.budget_s is None:
        return shared
    confirm_s = confirm_seconds(options, shared.session) / max(len(shared.shards), 1)
    seconds = seconds_for_tests(options.budget_s, confirm_s)
    known = known_tests(chosen, options, say)
    if not known.past:
        say("nothing is remembered of these tests: those that cover most are first")
    by_name = {runner.name: runner for runner in chosen.runners}
    of_shard = [by_name.get(name) for name in shared.runners] or [None] * len(shared.shards)
    allowed = [
        Allowance(seconds, _at_a_time(options, chosen, runner, own), capacities(chosen, runner))
        for own, runner in zip(shared.shards, of_shard, strict=True)
    ]
    shards = with_turns(shared.shards, allowed, known)
    return msgspec.structs.replace(shared, shards=shards, budget_s=float(options.budget_s))


def _at_a_time(
    options: RunOptions, chosen: Chosen, runner: Runner | None, own: Sequence[PlannedTest]
) -> int:
    """How many tests run at a time, wherever that is: elsewhere one on each device."""
    if not isinstance(engine_of(options.engine).engine, Elsewhere):
        return slots_of(options, runner, len(own))
    return max(sum(capacities(chosen, None).values()), 1)


def slots_of(options: RunOptions, runner: Runner | None, tests: int) -> int:
    """How many tests a runner runs at a time; without one, this machine."""
    return options.workers or (runner.slots if runner else default_workers(tests))


def capacities(chosen: Chosen, runner: Runner | None) -> dict[str, int]:
    """The most tests a device runs at a time: what it can, and no more than the fleet says."""
    most = {d.name: d.capacity for d in chosen.devices.values() if d.capacity}
    said = (runner.kinds or {}) if runner else {}
    return most | {k: min(n, most.get(k, n)) for k, n in said.items() if k in chosen.devices}


def processes_of(
    options: RunOptions, chosen: Chosen, tests: Sequence[PlannedTest], settings: Settings
) -> int:
    """How many processes run tests: more than compute at a time where some will wait for a board,
    as far as memory goes. Who asks for one worker gets one test after the other."""
    if options.workers == 1:
        return 1
    most = settings.capacities or {}
    boards = {d.name: most[d.name] for d in chosen.devices.values() if d.capacity}
    return processes_for(settings.workers, tests, boards, settings.memory, MEMORY_PER_WORKER)


def print_shards(shared: SharedPlan, say: Speaker) -> None:
    """A line for each shard: whose it is, how many tests it has, for how long."""
    expected = fill_estimates(t for tests in shared.shards for t in tests)
    for i, tests in enumerate(shared.shards, start=1):
        fit = [t for t in tests if is_in_time(t)]
        seconds = sum(expected[t.identity.key] for t in fit)
        noun = "test" if len(tests) == 1 else "tests"
        count = f"{len(tests)}" if len(fit) == len(tests) else f"{len(fit)} of {len(tests)}"
        whose = f" {shared.runners[i - 1]}" if shared.runners else ""
        of = f"shard {i}/{len(shared.shards)}{whose}"
        say(f"{of}: {count} {noun}, about {clock(seconds)} of work")


def how_many(tests: Sequence[PlannedTest], total: int, devices: Iterable[str]) -> str:
    """How many tests of how many on which devices, in words."""
    part = f"{len(tests)} of {total}" if len(tests) < total else str(total)
    noun = "test" if total == 1 else "tests"
    return f"{part} {noun} on {', '.join(devices)}"


def print_plan(chosen: Chosen, options: RunOptions, verb: str, say: Speaker) -> None:
    """The tests, the longest first or in their turn, and every option that has not its default."""
    expected = fill_estimates(chosen.tests)

    def order(test: PlannedTest) -> tuple[float, Identity]:
        place = -expected[test.identity.key] if test.turn is None else test.turn.place
        return place, test.identity

    for test in sorted(chosen.tests, key=order):
        known = "" if test.estimate_s is None else clock(test.estimate_s)
        peak = "?" if test.estimate_bytes is None else f"{test.estimate_bytes / _GIB:.1f} GiB"
        line = f"{test.list_name or '-':<28} {known or '?':>8} {peak:>9}  {test.nodeid}"
        if test.turn is not None:
            fits = "in time" if test.turn.in_time else "left out"
            line = f"{test.turn.place:>5} {fits:<8} {line}  ({test.turn.why})"
        say(line)
    counted = how_many(chosen.tests, chosen.total, chosen.devices)
    say(f"{counted}, about {clock(sum(expected.values()))} of work")
    if options.budget_s is not None:
        slots = slots_of(options, None, len(chosen.tests))
        for sentence in before_the_run(options.budget_s, chosen.tests, slots, name=False):
            say(sentence)
    for text, source in sources_of(options, options.sources, verb):
        if source is not Source.DEFAULT:
            say(f"{text}  ({source})")
    say("every other option has its default")
