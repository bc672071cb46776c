# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The plan of all shards: made where the tests are chosen, taken up where a shard runs."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.door import command
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import read_shared_plan
from bringup.harness.records.variable_names import GITHUB_OUTPUT_VARIABLE
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.messages import Speaker
from bringup.pipeline.option_values import Span
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.planners import AFFINITY, Planner
from bringup.pipeline.planning.recorded_options import as_planned, choosing
from bringup.pipeline.planning.selection import Chosen, by_list, look_around
from bringup.pipeline.planning.shard import partition
from bringup.pipeline.planning.work import Runner


def share(
    chosen: Chosen,
    options: RunOptions,
    shards: int,
    run_id: str,
    created: float,
    planner: Planner = AFFINITY,
) -> SharedPlan:
    """Deal what was chosen out to so many shards, or to the fleet's runners, of which one that has
    nothing to do has no shard; `created` is in seconds since the epoch."""
    dealt = partition(chosen.tests, shards, planner.plan, chosen.runners)
    busy = [i for i, tests in enumerate(dealt) if tests or not chosen.runners]
    return SharedPlan(
        run_id=run_id,
        created=created,
        session=options.session,
        shards=tuple(tuple(dealt[i]) for i in busy),
        runners=tuple(chosen.runners[i].name for i in busy if chosen.runners),
        chosen=choosing(options, chosen.devices),
    )


def take_up(options: RunOptions, say: Speaker) -> tuple[SharedPlan, Chosen, RunOptions]:
    """Read the plan that `options` names, and look at what this machine has for its shard of it.

    A device that this machine lacks is MISSING: its tests are not tried, and their
    outcome says so. The options come back as they were when the plan was made.

    Raises:
        PipelineError: the options say otherwise than the plan.
        RecordError: the plan cannot be read.
    """
    assert options.plan is not None
    shared = read_shared_plan(options.plan)
    _refuse_otherwise(shared, options)
    how = "give no option that chooses tests beside --plan, or plan anew"
    options = as_planned(shared.chosen, options, f"{options.plan}", how)
    known, collected = look_around(options, say)
    for sentence in collected.broken.values():
        say(f"warning: {sentence}")
    i, n = options.shard
    tests = list(shared.shards[i - 1])
    lists = read_lists(options.lists) if n == 1 and by_list(options) else None
    devices = _devices(
        tests_on={t.identity.device for t in tests}, known={d.name: d for d in known}
    )
    return shared, Chosen(tests, shared.total, devices, collected, lists), options


def _refuse_otherwise(shared: SharedPlan, options: RunOptions) -> None:
    i, n = options.shard
    planned = len(shared.shards)
    if shared.session != options.session:
        words = ("--plan", str(options.plan), "--shard", f"{i}/{planned}")
        raise PipelineError(
            f"{options.plan} is a plan of {shared.session}; "
            f"`{command(shared.session, *words)}` carries it out"
        )
    if not shared.chosen or not planned:
        raise RecordError(f"{options.plan} says neither what was chosen nor for which shards")
    if n != planned:
        raise PipelineError(
            f"{options.plan} is a plan for {planned} {'shard' if planned == 1 else 'shards'}; say "
            f"which one is to run with --shard I/{planned}"
        )
    if "budget_s" in options.given and options.budget_s != shared.budget_s:
        was = f"with --budget {Span(shared.budget_s)}" if shared.budget_s else "without --budget"
        raise PipelineError(f"{options.plan} was planned {was}; leave it out, or plan anew")
    if options.run_id and options.run_id != shared.run_id:
        raise PipelineError(
            f"{options.plan} is the plan of the run {shared.run_id}; leave --run-id out"
        )


def _devices(tests_on: set[str], known: Mapping[str, ListedDevice]) -> dict[str, ListedDevice]:
    unknown = "this machine knows no device of that name"
    return {
        name: known.get(name, ListedDevice(name, DeviceState.MISSING, reason=unknown))
        for name in sorted(tests_on)
    }


def narrowed(chosen: Chosen, shared: SharedPlan, i: int) -> Chosen:
    """What was chosen, of shard `i` only."""
    return replace(chosen, tests=list(shared.shards[i - 1]))


def tell_github(shared: SharedPlan, fleet: Sequence[Runner] = ()) -> bool:
    """Give GitHub Actions, where it listens, the matrix of the shards' jobs.

    Of a fleet's runner a job has the name, and its labels to ask for it by.

    Raises:
        PipelineError: its file cannot be written.
    """
    path = os.environ.get(GITHUB_OUTPUT_VARIABLE)
    if not path:
        return False
    n = len(shared.shards)
    jobs: list[dict[str, object]] = [{"index": i, "shard": f"{i}/{n}"} for i in range(1, n + 1)]
    labels = {r.name: list(r.labels) for r in fleet}
    for job, name in zip(jobs, shared.runners, strict=False):  # of equal length, or without runners
        job |= {"runner": name, "labels": labels.get(name, [])}
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"matrix={json.dumps({'include': jobs})}\n")
    except OSError as error:
        raise PipelineError(f"cannot write {path}: {error.strerror}") from error
    return True
