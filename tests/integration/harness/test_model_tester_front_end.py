# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models that draw, switch gradients, write to parts, or are no modules."""

import pytest

from bringup.harness.records.schema import Outcome, Stage
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest

GOOD = (
    *(
        "whole",
        "grown",
        "swapped",
        "halved",
        "diagonal",
        "masked",
        "windows",
        "left_on",
        "exported",
    ),
    *("exported_module", "partial", "method", "compiled", "compiled_function", "zero"),
)
TRAINS = (
    *("inference", "drops", "branches", "weight_norm", "recurrent", "function"),
    *("convolutions_1d", "convolutions_2d", "convolutions_3d", "sparse_embedding"),
)
LOST = {
    "rounded": "lost at export: the backward of Rounded; computed on the host",
    "hooked_inside": "lost at export: a hook on a tensor inside of forward; ",
    "packed": "lost at export: something of the model; ",
    "hooked_weight": "lost at export: the hook on l.weight; ",
}
DRAWS = (
    *("rand_like", "normal", "multinomial", "dropout", "seeded", "seeded_whole"),
    *("generator_held", "generator_made", "generator_refused"),
)
REFUSED = {
    "script": (Stage.EXPORT, "TorchScript is not exported"),
    "class": (Stage.LOAD, "returned the class ReLU"),
    "text": (Stage.LOAD, "returned a str, not a torch.nn.Module"),
    "lazy": (Stage.LOAD, "weight is not initialised"),
    "meta": (Stage.LOAD, "weight is on the meta device"),
    "written_and_trained": (Stage.EXPORT, "a parameter that gets a gradient too"),
    "grown": (Stage.EXPORT, "forward gives buffers.n another shape"),
    "number": (Stage.EXPORT, "The output at `[1]` is a Python number that forward computes"),
    "branch": (Stage.EXPORT, "test_front_end.py:"),
    "imaginary": (Stage.TORCH_IR, "takes the complex number 1j"),
    "checkpoint": (Stage.EXPORT, "use_reentrant=True (False is exported)"),
    "half_way": (Stage.EXPORT, "half way"),
}


@pytest.fixture(scope="module")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run_pytest(tmp_path_factory.mktemp("run"), f"{MINIATURE}/test_front_end.py")


@pytest.mark.parametrize("key", [f"good[full-{c}-eval]" for c in GOOD])
def test_what_export_can_say_passes(front_end: Done, key: str) -> None:
    record = front_end.records[f"{key}@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


@pytest.mark.parametrize("case", TRAINS)
def test_a_step_of_training_is_not_spoiled_by_dropout(front_end: Done, case: str) -> None:
    record = front_end.records[f"trains[full-{case}-train]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure
    notes = [stage.attributes.get("dropout", "") for stage in record.stages]
    assert any(notes) == (case in ("drops", "branches", "recurrent"))


@pytest.mark.parametrize("case", DRAWS)
def test_a_model_that_draws_is_blamed_on_no_device(front_end: Done, case: str) -> None:
    record = front_end.records[f"draws[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED
    assert record.failure is not None and record.failure.kind == "NonDeterministic"
    refused = " failed besides" in record.failure.message
    assert refused == (case in ("multinomial", "generator_refused"))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_one_sentence(front_end: Done, case: str) -> None:
    (key,) = (key for key in front_end.records if key.startswith(f"refused[full-{case}"))
    record = front_end.records[key]
    stage, sentence = REFUSED[case]
    assert record.outcome is Outcome.FAILED
    assert record.failure is not None and record.failure.stage is stage
    assert sentence in record.failure.message


@pytest.mark.parametrize("case", LOST)
def test_what_export_loses_is_blamed_on_no_device(front_end: Done, case: str) -> None:
    record = front_end.records[f"lost[full-{case}-train]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED, record.failure
    assert record.failure is not None and record.failure.kind == "LostAtExport"
    assert record.failure.message.startswith(LOST[case]) and "grad.l." in record.failure.message
    assert record.failure.message in front_end.output


def test_a_gradient_that_is_derived_wrongly_is_incorrect(front_end: Done) -> None:
    record = front_end.records["lost[full-halved_gradient-train]@cpu"]
    assert record.outcome is Outcome.INCORRECT, record.failure


def test_what_is_drawn_and_not_used_excuses_nothing(front_end: Done) -> None:
    record = front_end.records["draws_and_is_wrong[full-eval]@cpu"]
    assert record.outcome is Outcome.INCORRECT
