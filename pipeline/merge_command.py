# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`merge` and `finish`: runs that others carried out become whole ones."""

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.outcomes import (
    counts_text,
    is_left_out,
    latest,
    outcome_counts_of_run,
)
from bringup.harness.records.run_dir import (
    no_run,
    read_merged,
    read_plans,
    read_shared_plan,
)
from bringup.harness.records.schema import Outcome
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.expectations import made_of_promises
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.results.close_run import JUNIT_NAME
from bringup.pipeline.results.confirm import found_below
from bringup.pipeline.results.finish import finish_runs, is_whole
from bringup.pipeline.results.junit import write_junit
from bringup.pipeline.results.merge import merge
from bringup.pipeline.results.remember import remember, remember_and_judge
from bringup.pipeline.results.shards import shards_in
from bringup.pipeline.running.run_lock import refuse_if_held


def merge_runs(options: RunOptions, say: Speaker) -> ExitCode:
    """Make one run of many shards; exit as broken as the run is incomplete.

    With the plan of all shards none of them has to have arrived.
    """
    run_dirs, into, plan_file = options.run_dirs, options.into, options.plan
    absent = [path for path in run_dirs if not path.is_dir()]
    if absent and plan_file is None:
        raise PipelineError(no_run(*absent))
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
    say.told.append(into)
    confirm = found_below(into)
    remember_and_judge(into, header.run_id, options.history, options.lists, say, confirm)
    unrun = any(r.outcome is Outcome.NOT_RUN and not is_left_out(r) for r in latest(records))
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
