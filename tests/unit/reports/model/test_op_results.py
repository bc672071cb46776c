# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What one op's result counts as, and how it reads."""

import pytest

from bringup.harness.records.schema import OpResult, Outcome, Stage, Status
from bringup.reports.model.op_results import command_of, seconds_of
from tests.unit.reports.op_runs import REACHED
from tests.unit.run_builder import op_result, stages


@pytest.mark.parametrize(
    "result",
    [
        op_result(),
        REACHED,
        op_result(0, Status.NOT_STARTED, Outcome.INFRA),
        op_result(0, Status.NOT_STARTED, Outcome.KILLED),
        op_result(0, Status.NOT_STARTED, Outcome.CRASHED, stage=None, spent=()),
    ],
    ids=["passed", "reached", "infra", "killed", "no word"],
)
def test_an_op_without_a_reproducer_has_no_command(result: OpResult) -> None:
    assert command_of(result) == ""


def test_the_time_of_an_op_is_that_of_all_its_stages_or_unknown() -> None:
    assert seconds_of(op_result(spent=stages(Stage.TORCH_IR))) == pytest.approx(5.7)
    lost = op_result(0, Status.CONVERTED_TO_STABLE_HLO, Outcome.TIMEOUT)
    assert lost.verdict.stages[-1].wall_s is None
    assert seconds_of(lost) is None
