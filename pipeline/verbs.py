# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each verb of the command line does, from its options to its exit code."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.records.atomic import write_atomically
from harness.records.moves import write_moves
from harness.records.run_dir import HEADER_NAME, read_merged, write_plan
from harness.records.schema import Plan, PlannedTest
from harness.records.scratch import sweep
from pipeline import resume, verdict_cache
from pipeline.choose import Chosen, RunOptions, choose, list_problems, look_around, refusals
from pipeline.collect import collect_tests
from pipeline.conclude import JUNIT_NAME, conclude, print_moves
from pipeline.errors import PipelineError
from pipeline.junit import write_junit
from pipeline.lists import ListName, apply, diff, read_lists
from pipeline.merge import merge
from pipeline.progress import clock, frame_of, watcher
from pipeline.promises import ExitCode
from pipeline.promote import propose
from pipeline.run import End, run_plan
from pipeline.run_lock import RunLock, refuse_if_held
from pipeline.scheduler import fill_estimates
from pipeline.session import Settings, default_workers
from pipeline.speech import Speaker

RUN_DIR_FILE_VARIABLE = "BRINGUP_RUN_DIR_FILE"
"""Names a file for the run's directory, which is written when the run has its records."""


def run(options: RunOptions, say: Speaker) -> ExitCode:
    """Plan, run, conclude.

    Raises:
        PipelineError: something asked for does not exist; nothing was run.
        RecordError: the run directory cannot be written.
    """
    sweep()
    if options.resume is not None:
        return _resume(options, say)
    chosen = choose(options, say)
    if options.dry_run:
        _print_plan(chosen, say)
        return ExitCode.KEPT
    now = datetime.now(UTC)
    name = f"{options.session}-{now:%Y%m%dT%H%M%SZ}"
    run_dir = _fresh(options.output or Path("results") / name)
    plan = Plan(
        run_id=_run_id(options, name),
        created=now.timestamp(),
        session=options.session,
        shard=options.shard,
        tests=tuple(chosen.tests),
        total=chosen.total,
        chosen=resume.choosing(options, chosen.devices),
    )
    with RunLock(run_dir) as lock:
        return _carry_out(run_dir, plan, chosen, chosen.tests, options, lock, say)


def _resume(options: RunOptions, say: Speaker) -> ExitCode:
    """Go on with a run that was cut off, in its own directory."""
    run_dir = resume.find(options, Path("results"))
    with RunLock(run_dir) as lock:
        plan = resume.plan_of(run_dir, options.session)
        ledger = resume.what_stays(run_dir, plan)
        options = resume.options_of(plan, run_dir, options)
        chosen = resume.same_tests(plan, run_dir, choose(options, say))
        left = resume.left(ledger)
        if options.dry_run:
            _print_plan(replace(chosen, tests=left), say)
            return ExitCode.KEPT
        plan = resume.take_up(run_dir, plan, ledger)
        say(f"resumed: {len(plan.tests) - len(left)} of {len(plan.tests)} tests stay as they are")
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
    """Run `tests`, those of the plan that are to be run, and conclude the plan."""
    settings = Settings(
        run_dir=run_dir.absolute(),
        run_id=plan.run_id,
        plan=write_plan(run_dir, plan).absolute(),
        root=Path.cwd(),
        workers=min(options.workers or default_workers(len(tests)), max(len(tests), 1)),
        timeout_s=options.timeout_s,
        capacities={d.name: d.capacity for d in chosen.devices.values() if d.capacity},
        variables=verdict_cache.variables(plan, options),
        lock=lock.descriptor,
    )
    counted = _counted(tests, plan.total, chosen.devices)
    say(f"{plan.session}: {counted}, {settings.workers} at a time, in {run_dir}")
    with watcher(say.stream, frame_of(plan, settings.workers, options.timeout_s)) as display:
        ended = run_plan(plan, settings, display, refusals(chosen))
    states = {d.name: d.state for d in chosen.devices.values()}
    code = conclude(
        run_dir, plan, ended, states, chosen.lists, chosen.collected.ids, options.durations, say
    )
    _tell(run_dir)
    if ended.how is End.FINISHED:
        verdict_cache.prune(plan, say)
    return code


def check_lists(options: RunOptions, say: Speaker) -> ExitCode:
    """Say everything that is wrong with the lists."""
    lists = read_lists(options.lists)
    known, collected = look_around(options)
    said = [
        *list_problems(lists, lists.entries, collected, known),
        *collected.broken.values(),
    ]
    for sentence in said:
        say(sentence)
    say(f"{len(lists.entries)} entries on {len(ListName)} lists, {len(said)} problems")
    return ExitCode.USAGE if said else ExitCode.KEPT


def merge_runs(run_dirs: Sequence[Path], into: Path, say: Speaker) -> ExitCode:
    """Make one run of many shards."""
    absent = [str(path) for path in run_dirs if not path.is_dir()]
    if absent:
        raise PipelineError(f"there is no run directory {', '.join(absent)}")
    for path in (*run_dirs, into):
        refuse_if_held(path)
    header = merge(run_dirs, into)
    _, records = read_merged(into)
    write_junit(into / JUNIT_NAME, records, header.missing)
    words = Counter(record.outcome for record in records)
    counts = ", ".join(f"{n} {outcome}" for outcome, n in sorted(words.items()))
    say(f"{header.run_id}: {len(records)} records of {header.planned} planned tests ({counts})")
    for sentence in header.missing:
        say(f"missing: {sentence}")
    say(f"merged into {into}")
    return ExitCode.INFRASTRUCTURE if header.missing else ExitCode.KEPT


def promote(run_dir: Path | None, options: RunOptions, write: bool, say: Speaker) -> ExitCode:
    """Propose the list moves that a run's records support, and make them when asked."""
    run_dir = run_dir or _newest_run(Path("results"))
    lists = read_lists(options.lists)
    _, records = read_merged(run_dir)
    collected = collect_tests(options.tests, Path.cwd())
    moves = propose(records, lists, collected.ids)
    say(f"proposals in {write_moves(run_dir, moves)}")
    print_moves(moves, say)
    if moves:
        say(diff(options.lists, moves).rstrip("\n"))
    if moves and write:
        for path in apply(options.lists, moves):
            say(f"wrote {path}")
    elif moves:
        say("nothing was changed; add --write to make these moves")
    return ExitCode.KEPT


# --- where it goes --------------------------------------------------------------------------


def _fresh(run_dir: Path) -> Path:
    """A run directory nobody wrote to; two runs in one would be one run to every reader."""
    if run_dir.exists() and (not run_dir.is_dir() or any(run_dir.iterdir())):
        raise PipelineError(f"{run_dir} exists and is not empty; name another --output")
    return run_dir


def _tell(run_dir: Path) -> None:
    """Tell whoever started this, and asked to know, which run can be reported now."""
    if file := os.environ.get(RUN_DIR_FILE_VARIABLE):
        write_atomically(Path(file), str(run_dir).encode(), sync=False)


def _run_id(options: RunOptions, name: str) -> str:
    """Shards of one run carry one id, and only that lets them merge."""
    if options.run_id:
        return options.run_id
    if options.shard[1] == 1:
        return name
    if job := os.environ.get("GITHUB_RUN_ID"):
        return f"{options.session}-{job}"
    raise PipelineError(
        "the shards of one run must carry one name to be merged: give each the same --run-id"
    )


def _newest_run(results: Path) -> Path:
    found = sorted(results.glob(f"*/{HEADER_NAME}"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise PipelineError(f"there is no merged run below {results}; name one")
    return found[-1].parent


def _counted(tests: Sequence[PlannedTest], total: int, devices: Iterable[str]) -> str:
    part = f"{len(tests)} of {total}" if len(tests) < total else str(total)
    noun = "test" if total == 1 else "tests"
    return f"{part} {noun} on {', '.join(devices)}"


def _print_plan(chosen: Chosen, say: Speaker) -> None:
    expected = fill_estimates(chosen.tests)
    for test in sorted(chosen.tests, key=lambda t: (-expected[t.identity.key], t.identity)):
        known = "" if test.estimate_s is None else clock(test.estimate_s)
        say(f"{test.list_name or '-':<28} {known or '?':>8}  {test.nodeid}")
    counted = _counted(chosen.tests, chosen.total, chosen.devices)
    say(f"{counted}, about {clock(sum(expected.values()))} of work")
