# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What one of several commands needs that carry a run out together."""

import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bringup.harness.records.run_dir import read_plans
from bringup.harness.records.schema import Plan
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.option_values import span_text
from bringup.pipeline.options import RunOptions
from bringup.pipeline.plan_command import budgeted
from bringup.pipeline.planning.selection import Chosen, choose
from bringup.pipeline.planning.shared_plan import share
from bringup.pipeline.running.engine import Shares

_ALONE = {
    **{"shard": "--shard", "plan": "--plan", "fleet": "--fleet"},
    **{"resume": "--resume", "output": "--output"},
}
_MOST_NAMED = 3


class Part(NamedTuple):
    """A command's part of a run."""

    run_dir: Path
    plan: Plan
    chosen: Chosen
    holder: str
    begun: float
    """When the run began, on this machine's `time.monotonic`."""


def take_part(
    engine: Shares, address: str, options: RunOptions, name: str, created: float, say: Speaker
) -> Part:
    """Join the run at an address, or begin it there as `name` at `created` (Unix seconds).

    Raises:
        PipelineError: an option is for runs of one's own, or the run there is another one.
        RecordError: its directory cannot be read or written.
    """
    if wrong := [flag for option, flag in _ALONE.items() if option in options.given]:
        raise PipelineError(
            f"{options.engine} divides the run itself and keeps it in its own directory; leave "
            f"{wrong[0]} out"
        )
    joined = engine.join(address, options.run_id or name, created)
    begun = time.monotonic() - joined.age_s
    run_dir, run_id, created = joined.run_dir, joined.run_id, joined.created
    if options.run_id not in (None, run_id):
        raise PipelineError(f"the run in {run_dir} is {run_id}; leave --run-id out")
    chosen = choose(options, say)
    shared = budgeted(share(chosen, options, 1, run_id, created), chosen, options, say)
    plan = shared.of_shard(1, created=created)
    _refuse_other_tests(run_dir, plan)
    if plan.budget_s is not None:  # one choice of what is in time, whatever each knows of the tests
        plan = engine.agreed(run_dir, plan)
        _refuse_other_tests(run_dir, plan)
        chosen = replace(chosen, tests=list(plan.tests))
    return Part(run_dir, plan, chosen, joined.holder, begun)


def _refuse_other_tests(run_dir: Path, plan: Plan) -> None:
    """Hold a plan to the one that is carried out in a directory already, if any is.

    Raises:
        PipelineError: it is of other tests.
        RecordError: the one that is there cannot be read.
    """
    for there in read_plans(run_dir):
        ours = {test.identity.key for test in plan.tests}
        theirs = {test.identity.key for test in there.tests}
        if there.session != plan.session or ours != theirs:
            other = ", ".join(sorted(ours ^ theirs)[:_MOST_NAMED]) or f"session {there.session}"
            raise PipelineError(
                f"the run in {run_dir} is of other tests than this command chooses ({other}); "
                "give every participant the same options, or name a fresh directory"
            )
        if there.budget_s != plan.budget_s:
            was = f"--budget {span_text(there.budget_s)}" if there.budget_s else "no --budget"
            raise PipelineError(
                f"the run in {run_dir} has {was}; give every participant the same, or name a fresh "
                "directory"
            )
