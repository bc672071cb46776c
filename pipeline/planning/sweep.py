# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is the op sweep's own: where its tests are, how many cases of an op, and their names.

The cases are the harness's (`harness/sweep`); they are told by a child, as devices are.
"""

import subprocess
import sys
from collections.abc import Sequence

import msgspec

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.schema import PlannedTest
from bringup.harness.records.variable_names import SWEEP_LIMIT_VARIABLE
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker

SWEEP_TESTS = "tests/sweep"


def limited(tests: Sequence[PlannedTest], limit: int) -> list[PlannedTest]:
    """Tests of at most `limit` cases on a device: of every op as many or, where the ops are more,
    one of evenly chosen ones."""
    entries = list(dict.fromkeys(test.entry for test in tests))
    count = min(limit, len(entries))
    kept = {entries[i * len(entries) // count] for i in range(count)}
    cases = {SWEEP_LIMIT_VARIABLE: str(limit // max(count, 1))}
    return [
        msgspec.structs.replace(test, environment={**test.environment, **cases})
        for test in tests
        if test.entry in kept
    ]


def list_cases(ops: Sequence[str], say: Speaker) -> ExitCode:
    """Say the cases of some ops, or of all.

    Raises:
        PipelineError: the sweep has no such op.
    """
    command = [sys.executable, "-m", "bringup.harness.sweep", *ops]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise PipelineError(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
    for line in done.stdout.decode("utf-8").splitlines():
        say(line)
    return ExitCode.KEPT
