# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`fleet_false_fail` and `golden_cost_share`: whole models on the two devices that execute here.

No model of the fleet is known to be miscompiled, so each INCORRECT counts as ours until somebody
shows whose it is.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Outcome, Stage, TestRecord
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import ROOT, child_environment

_EXECUTED = (Outcome.PASSED, Outcome.INCORRECT, Outcome.UNVERIFIED)


def measure(folder: Path, tests: Sequence[str], size: str, devices: str) -> list[Figure]:
    """Run the full flow of `tests`, files or folders, on devices of this machine."""
    records = [record for path in tests for record in _run(folder, path, size, devices)]
    executed = [record for record in records if record.outcome in _EXECUTED]
    wrong = [record for record in executed if record.outcome is Outcome.INCORRECT]
    for record in records:
        if record.outcome is not Outcome.PASSED:
            said = record.failure.message if record.failure else ""
            print(f"{record.outcome.value}: {record.identity.key}: {said}")
    shares = sorted(cost_share(record) for record in executed)
    text = f"{len(executed)} full tests, {size}, on {devices}"
    return [
        Figure("fleet_false_fail", len(wrong), "", "== 0", text),
        Figure(
            "golden_cost_share",
            sum(map(_reference_s, executed)) / max(sum(map(_all_s, executed)), 1e-9),
            "",
            "<= 0.10",
            f"{text}: seconds of golden and reference among those of all stages; the most in one"
            f" test {shares[-1] if shares else 0:.3f}",
        ),
    ]


def _run(folder: Path, path: str, size: str, devices: str) -> list[TestRecord]:
    directory = folder / f"fleet-{path.strip('/').replace('/', '-')}"
    command = [sys.executable, "-m", "pytest", path, "-q", "-k", "full", "--size", size]
    subprocess.run(
        [*command, "--device", devices, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=child_environment(BRINGUP_RUN_DIR=os.fspath(directory)),
        capture_output=True,
        check=False,  # what failed is in the records
    )
    return load_journals(directory)[0] if directory.exists() else []


def cost_share(record: TestRecord) -> float:
    """What golden and reference took of the seconds of all stages of a test."""
    return _reference_s(record) / max(_all_s(record), 1e-9)


def _reference_s(record: TestRecord) -> float:
    golden = sum(s.wall_s or 0.0 for s in record.stages if s.stage is Stage.GOLDEN)
    verify = (s.attributes.get("reference_s", "0") for s in record.stages)
    return golden + sum(map(float, verify))


def _all_s(record: TestRecord) -> float:
    return sum(stage.wall_s or 0.0 for stage in record.stages)
