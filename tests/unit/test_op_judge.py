# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is put on record of an op that ran, was refused or ended its host."""

from pathlib import Path

import pytest

from harness.devices.op_run import Ended, OpFailure, OpRun
from harness.devices.wire import Usage
from harness.op_by_op.judge import judge
from harness.records.blobs import BlobStore
from harness.records.schema import Stage, StageResult
from harness.verify import Tolerances
from tests.unit.run_builder import op_result


def stages_of(run: OpRun, folder: Path) -> dict[Stage, StageResult]:
    op = op_result().verdict.op
    verdict = judge(op, "cpu", run, None, Tolerances(), BlobStore(folder), "run")
    return {stage.stage: stage for stage in verdict.stages}


@pytest.mark.parametrize("ended", [Ended.TIMEOUT, Ended.CRASH])
def test_the_stage_that_an_op_died_in_has_the_rest_of_its_time(
    ended: Ended, tmp_path: Path
) -> None:
    spent = {Stage.STABLEHLO: Usage(0.02, 0.01, 1 << 20), Stage.COMPILE: Usage(0.5, 0.4, 1 << 20)}
    failure = OpFailure("TIMEOUT", "not through", "", Stage.EXECUTE)
    run = OpRun(ended, Stage.COMPILE, usages=spent, failure=failure, wall_s=5.25)
    stages = stages_of(run, tmp_path)
    assert stages[Stage.EXECUTE].wall_s == pytest.approx(4.73)
    assert stages[Stage.EXECUTE].cpu_s is None
    assert sum(stage.wall_s or 0.0 for stage in stages.values()) == pytest.approx(5.25)


def test_a_stage_that_refused_has_its_own_time(tmp_path: Path) -> None:
    failure = OpFailure("CompileError", "no", "", Stage.COMPILE)
    spent = {Stage.COMPILE: Usage(0.5, 0.4, 1 << 20)}
    stages = stages_of(
        OpRun(Ended.REFUSED, None, usages=spent, failure=failure, wall_s=0.7), tmp_path
    )
    assert stages[Stage.COMPILE].wall_s == 0.5


def test_what_was_said_while_an_op_ran_is_kept_with_its_last_stage(tmp_path: Path) -> None:
    spent = {stage: Usage(0.5, 0.4, 1 << 20) for stage in (Stage.COMPILE, Stage.EXECUTE)}
    run = OpRun(Ended.DONE, Stage.EXECUTE, usages=spent, stderr="warning: slow path")
    stages = stages_of(run, tmp_path)
    (said,) = stages[Stage.EXECUTE].artifacts
    assert (said.level, BlobStore(tmp_path).get(said)) == ("stderr", b"warning: slow path")
    assert not stages[Stage.COMPILE].artifacts
