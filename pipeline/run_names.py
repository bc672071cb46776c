# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run is called."""

import os
import secrets
from datetime import datetime

from bringup.harness.records.variable_names import GITHUB_RUN_VARIABLE
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.options import RunOptions


def name_of_now(session: str, now: datetime) -> str:
    """A name that no other run has: several machines begin a night in the same second, and share a
    history in which a run is known by it."""
    return f"{session}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def run_of_this_job(options: RunOptions) -> str:
    """What all jobs of this run of a GitHub workflow call it; empty elsewhere."""
    job = os.environ.get(GITHUB_RUN_VARIABLE)
    return f"{options.session}-{job}" if job else ""


def run_id_of(options: RunOptions, name: str) -> str:
    """Shards of one run carry one id, and only that lets them merge."""
    if options.run_id:
        return options.run_id
    if options.shard[1] == 1:
        return name
    if run_id := run_of_this_job(options):
        return run_id
    raise PipelineError(
        "the shards of one run must carry one name to be merged: give each the same --run-id"
    )
