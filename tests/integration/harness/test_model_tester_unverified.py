# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests that say nothing are no passes, and bodies get outputs to look at in every flow."""

import pytest

from bringup.harness.records.schema import ModelStatus, Outcome
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest

OPS = ("op_by_op_torch", "op_by_op_stablehlo")


@pytest.fixture(scope="module")
def unverified(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run_pytest(tmp_path_factory.mktemp("run"), f"{MINIATURE}/test_unverified.py")


@pytest.mark.parametrize(
    "key",
    [
        *(f"nothing[full-{case}-eval]" for case in ("none", "empty_tuple", "empty_dict")),
        *(f"nothing[full-{case}-eval]" for case in ("literals", "no_elements")),
        *(f"nothing[full-{case}-eval]" for case in ("nan", "nan_beside_what_is_right")),
        "nothing[full-infinities-eval]",
        *(
            f"constants[full-{case}-{folds}-eval]"
            for case in ("buffer", "parameter", "copy", "made_of_nothing", "shape_only", "written")
            for folds in (False, True)
        ),
        *("extracts_a_constant_beside[full-eval]", "folded[full-eval]", "inlined[full-eval]"),
        *("onnx_constant[full-eval]", "never_finalized[full-eval]"),
        "extracts_a_literal[full-eval]",
        *(f"extracts_what_says_nothing[full-{case}-eval]" for case in ("text", "shape", "ones")),
        "no_tokens[full-eval]",
        *(f"no_op[{flow}-eval]" for flow in OPS),
    ],
)
def test_nothing_compared_is_said_so(unverified: Done, key: str) -> None:
    record = unverified.records[f"{key}@cpu"]
    assert record.outcome is Outcome.UNVERIFIED
    assert record.model_status is ModelStatus.UNKNOWN
    assert record.failure is not None and record.failure.kind == "NothingCompared"


@pytest.mark.parametrize("case", ["input_handed_on", "of_a_parameter", "one_of_two", "counter"])
def test_what_a_device_has_a_hand_in_is_compared(unverified: Done, case: str) -> None:
    record = unverified.records[f"beside_constants[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


@pytest.mark.parametrize("case", ["python_random", "numpy_random", "call_counter", "one_row"])
def test_a_model_that_differs_from_itself_is_blamed_on_no_device(
    unverified: Done, case: str
) -> None:
    record = unverified.records[f"unstable[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED
    assert record.failure is not None and record.failure.kind == "NonDeterministic"
    assert "the model differs from itself: output is off by" in record.failure.message
    assert record.failure.message in unverified.output


@pytest.mark.parametrize("case", ["multinomial", "dropout", "normal"])
def test_an_onnx_model_that_draws_is_blamed_on_no_device(unverified: Done, case: str) -> None:
    record = unverified.records[f"onnx_draws[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED, record.failure
    assert record.failure is not None and record.failure.kind == "NonDeterministic"


def test_a_text_made_of_a_tensor_is_compared(unverified: Done) -> None:
    record = unverified.records["extracts_a_text_of_a_tensor[full-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


def test_the_bodys_own_check_has_the_word_where_we_have_none(unverified: Done) -> None:
    record = unverified.records["body_checks_and_is_wrong[full-eval]@cpu"]
    assert record.outcome is Outcome.INCORRECT


@pytest.mark.parametrize("flow", OPS)
def test_op_by_op_the_body_gets_the_goldens_outputs(unverified: Done, flow: str) -> None:
    record = unverified.records[f"body[{flow}-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


def test_a_check_that_refuses_the_golden_blames_no_device(unverified: Done) -> None:
    outcomes = [
        unverified.records[f"checker_fails[{flow}-eval]@cpu"].outcome for flow in ("full", *OPS)
    ]
    assert outcomes == [Outcome.INCORRECT, Outcome.FAILED, Outcome.FAILED]


@pytest.mark.parametrize("flow", OPS)
def test_a_golden_that_fails_takes_nothing_from_good_ops(unverified: Done, flow: str) -> None:
    good = unverified.records[f"golden_fails[{flow}-eval]@cpu"]
    assert good.outcome is Outcome.PASSED
    assert any("no eager today" in warning for warning in good.warnings)
    looked_at = unverified.records[f"golden_fails_and_is_looked_at[{flow}-eval]@cpu"]
    assert looked_at.outcome is Outcome.FAILED
    assert looked_at.failure is not None and looked_at.failure.message == "no eager today"
