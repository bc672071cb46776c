# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model's ops make of it."""

from pathlib import Path

from bringup.harness.records.schema import (
    Failure,
    Outcome,
    Stage,
    Status,
    TestRecord,
)
from bringup.reports.build import load
from tests.unit.reports.op_runs import CPU, N150, REACHED, WRONG, low, ops_run, summary_text
from tests.unit.run_builder import identity, op_result, record, write_run


def test_what_the_machine_did_to_an_op_does_not_make_its_model_bad(tmp_path: Path) -> None:
    lost = op_result(1, Status.NOT_STARTED, Outcome.INFRA)
    run = load(ops_run(tmp_path, {N150: [REACHED, lost]}, status=Status.CONVERTED_TO_TTNN))
    assert run.attention == ()
    assert run.blockers == ()


def test_an_op_that_was_under_way_when_its_test_ended_is_not_to_blame(tmp_path: Path) -> None:
    silent = op_result(1, Status.NOT_STARTED, Outcome.TIMEOUT, stage=None, spent=())
    run = load(ops_run(tmp_path, {CPU: [op_result(0), silent]}, Outcome.TIMEOUT, ops_found=3))
    assert run.blockers == ()
    assert run.ops[0].good.text == "1/3 (33 %)"
    assert "1 never begun; none of the rest blocks a model" in summary_text(run)


def test_a_device_that_stopped_an_op_while_executing_it_executes(tmp_path: Path) -> None:
    died = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.CRASHED, stage=Stage.EXECUTE)
    run = load(ops_run(tmp_path, {N150: [died]}))
    assert run.ops[0].executed.text == "0/1 (0 %)"


def test_a_device_on_which_others_ran_executes(tmp_path: Path) -> None:
    refused = {CPU: [low(1, device="cpu")]}
    assert load(ops_run(tmp_path / "alone", refused)).ops[0].executed.text == "n/a"
    other = {identity("vit", "cpu", flow="op_by_op_torch"): [op_result(0, device="cpu")]}
    ops = load(ops_run(tmp_path / "both", refused | other)).ops
    assert [model.executed.text for model in ops] == ["0/1 (0 %)", "1/1 (100 %)"]


def test_the_records_of_other_flows_stay_as_they_are(tmp_path: Path) -> None:
    failed = record(identity("vit"), Outcome.FAILED)
    op_by_op = record(CPU, Outcome.PASSED)
    run = load(write_run(tmp_path, [failed, op_by_op], ops={CPU: [WRONG]}))
    kept: dict[str, TestRecord] = {r.identity.flow: r.record for r in run.results}
    assert kept["full"] == failed
    assert kept["op_by_op_torch"].failure == Failure(
        Stage.COMPILE, "INCORRECT", run.attention[0].failure_line
    )
