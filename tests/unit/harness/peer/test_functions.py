# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's functions for test bodies."""

import json
import math

import pytest
import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.errors import IncorrectResultError, UsageError
from bringup.harness.peer.functions import (
    calculate_atol,
    calculate_pcc,
    skip_full_eval_test,
    verify_against_golden,
)
from bringup.harness.tester.eager_runs import EagerRuns
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.tester.several_devices import parallelism

X = torch.linspace(-1, 1, 24).reshape(4, 6)


def skipping(depth: CompileDepth, **options: object) -> tuple[object, dict[str, object]]:
    config, said = CompilerConfig(), dict[str, object]()
    config.compile_depth = depth
    given = {"bringup_status": "FAILED_RUNTIME", "reason": "out of memory", **options}
    try:
        return skip_full_eval_test(said.__setitem__, config, "bert", **given), said
    except pytest.skip.Exception as skipped:
        return str(skipped), said


def test_only_a_test_that_executes_the_whole_model_is_skipped() -> None:
    reason, said = skipping(CompileDepth.EXECUTE, model_group="red")
    assert reason == "FAILED_RUNTIME: out of memory" and said["group"] == "red"
    assert json.loads(str(said["tags"]))["bringup_status"] == "FAILED_RUNTIME"
    assert skipping(CompileDepth.EXECUTE_OP_BY_OP) == (False, {})


@pytest.mark.parametrize(
    ("names", "skips"), [("bert", True), ("gpt", False), (["gpt", "bert"], True), (["gpt"], False)]
)
def test_a_filter_names_the_models(names: object, skips: bool) -> None:
    reason, _ = skipping(CompileDepth.EXECUTE, model_name_filter=names)
    assert (reason is not False) is skips


def test_the_golden_is_compared_by_our_own_checks() -> None:
    pccs, atols, right, close, limits = verify_against_golden(
        (X,), (X + 0.001,), True, True, required_atol=0.01
    )
    assert right and close and limits == [0.01]
    assert pccs[0] is not None and pccs[0] > 0.999 and atols[0] == pytest.approx(0.001, rel=1e-3)
    _, _, right, close, limits = verify_against_golden((X,), (-X,), False, False, relative_atol=0.5)
    assert not right and not close and limits == [0.5]


@pytest.mark.parametrize("spoiled", [-X, X.masked_fill(X > 0, math.nan), X[:2]])
def test_what_is_wrong_is_raised(spoiled: torch.Tensor) -> None:
    with pytest.raises(IncorrectResultError):
        verify_against_golden((X,), (spoiled,), True, True, required_atol=0.1)


@pytest.mark.parametrize("both", [{}, {"required_atol": 1.0, "relative_atol": 1.0}])
def test_one_of_the_two_tolerances_is_given(both: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="one of required_atol and relative_atol"):
        verify_against_golden((X,), (X,), True, True, **both)


def test_numbers() -> None:
    assert calculate_pcc(X * 2 + 1, X) == pytest.approx(1.0)
    assert calculate_atol(X + 0.5, X) == pytest.approx(0.5)
    assert math.isnan(calculate_pcc(X.masked_fill(X > 0, math.nan), X))
    assert math.isnan(calculate_atol(X.masked_fill(X > 0, math.nan), X))


def test_a_nan_is_the_worst_of_the_tags_wherever_it_stands() -> None:
    said: dict[str, object] = {}
    EagerRuns.GenerateCustomTestReport(
        said.__setitem__, "m", CompilerConfig(), [0.999, math.nan], [0.1, 0.2]
    )
    tags = json.loads(str(said["tags"]))
    assert math.isnan(tags["pcc"]) and tags["atol"] == 0.2
    assert tags["bringup_status"] == "INCORRECT_RESULT"


def test_both_ways_to_use_several_devices_at_once_are_refused() -> None:
    assert parallelism(True, False) == "runtime_data_parallel"
    assert parallelism(False, True) == "data_parallel"
    with pytest.raises(UsageError, match="leave out one of them"):
        parallelism(True, True)


def test_results_of_several_devices_are_printed_one_by_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ModelTester.print_outputs([1, 2], True, print)
    assert capsys.readouterr().out.split("\n")[:2] == ["Results for device 0:", "1"]
    with pytest.raises(UsageError, match="are a list"):
        ModelTester.print_outputs(X, True, print)
