# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each op's stages cost is on record, unless the settings say that it shall not be."""

from pathlib import Path

from bringup.harness.records.run_dir import load_ops
from bringup.harness.records.schema import OpVerdict, Outcome, Stage
from tests.integration.pytest_runs import MINIATURE, run_pytest

COMPILE = f"{MINIATURE}/test_ops.py::test_ops[op_by_op_torch-COMPILE_OP_BY_OP-eval]"


def verdicts(tmp_path: Path, run: str, **environment: str) -> list[OpVerdict]:
    cache = str(tmp_path / "verdicts.sqlite")
    done = run_pytest(tmp_path / run, COMPILE, BRINGUP_CACHE=cache, **environment)
    assert done.code == 0, done.output
    return [line.result.verdict for line in load_ops(done.directory)]


def test_costs_are_left_off_the_record_but_not_out_of_the_cache(tmp_path: Path) -> None:
    without = verdicts(tmp_path, "without", TT_TORCH_PROFILE_OPS="0")
    costs = {(s.wall_s, s.cpu_s, s.peak_rss) for v in without for s in v.stages}
    assert costs == {(None, None, None)}
    whole = verdicts(tmp_path, "whole")
    assert [(v.outcome, v.computed) for v in whole] == [(v.outcome, v.computed) for v in without]
    compiled = [v for v in whole if v.outcome is Outcome.REACHED]
    assert compiled
    for verdict in compiled:
        stages = {stage.stage: stage for stage in verdict.stages}
        assert {Stage.TORCH_IR, Stage.STABLEHLO, Stage.COMPILE} <= stages.keys()
        for stage in stages.values():
            assert stage.wall_s is not None and stage.cpu_s is not None and stage.peak_rss
