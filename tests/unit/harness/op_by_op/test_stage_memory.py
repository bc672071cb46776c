# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is expected of an op by what became of others, and when nothing is."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from bringup.harness.op_by_op.stage_memory import ENOUGH, StageMemory
from bringup.harness.predict.answer import predict
from bringup.harness.records.predictions import By
from bringup.harness.records.schema import (
    Failure,
    Op,
    OpVerdict,
    Outcome,
    Stage,
    Status,
    TensorType,
)
from bringup.harness.records.verdicts.cache import VerdictCache

DEVICE = "mi300x"


def op(name: str, *shape: int, dtype: str = "float32", **attributes: str) -> Op:
    kind = TensorType(shape, dtype)
    key = f"{name} {shape} {dtype} {sorted(attributes.items())}"
    return Op(key, name, "torch", (kind,), (kind,), attributes)


def ended(one: Op, outcome: Outcome = Outcome.REACHED) -> OpVerdict:
    good = outcome is Outcome.REACHED
    return OpVerdict(
        op=one,
        device=DEVICE,
        status=Status.CONVERTED_TO_TTNN if good else Status.CONVERTED_TO_STABLE_HLO,
        failure=None if good else Failure(Stage.COMPILE, "CompileError", "too much of it\nat 3"),
        outcome=outcome,
    )


@pytest.fixture
def cache(tmp_path: Path) -> Iterable[VerdictCache]:
    kept = VerdictCache(tmp_path / "verdicts.sqlite")
    yield kept
    kept.close()


@pytest.fixture
def memory(cache: VerdictCache) -> StageMemory:
    return StageMemory(cache, DEVICE, {}, executes=False)


def by(memory: StageMemory, one: Op) -> tuple[By, Outcome] | None:
    found = memory.expected(one)
    return found and (found.by, found.verdict.outcome)


def test_an_op_is_expected_to_end_as_it_did(memory: StageMemory) -> None:
    memory.note(ended(op("aten.tan", 3, 4), Outcome.FAILED))
    assert by(memory, op("aten.tan", 3, 4)) == (By.ITSELF, Outcome.FAILED)


def test_one_of_its_kin_is_enough(memory: StageMemory) -> None:
    memory.note(ended(op("aten.sum", 3, 4, dim="[0]", keepdim="True")))
    assert by(memory, op("aten.sum", 7, 9, dim="[1]", keepdim="True")) == (By.KIN, Outcome.REACHED)
    assert by(memory, op("aten.sum", 7, 9, dim="[1]", keepdim="False")) is None
    assert by(memory, op("aten.sum", 7, dim="[1]", keepdim="True")) is None


def test_of_its_name_it_takes_several_different_ones(memory: StageMemory) -> None:
    for rank in range(1, ENOUGH):
        memory.note(ended(op("aten.tanh", *(2,) * rank)))
        memory.note(ended(op("aten.tanh", *(2,) * rank)))  # the same one tells nothing new
    other = op("aten.tanh", *(2,) * (ENOUGH + 1))
    assert by(memory, other) is None
    memory.note(ended(op("aten.tanh", *(2,) * ENOUGH)))
    assert by(memory, other) == (By.NAME, Outcome.REACHED)
    assert by(memory, op("aten.tanh", 2, dtype="bfloat16")) is None
    assert by(memory, op("aten.cos", 2)) is None


def test_where_likes_of_it_ended_otherwise_nothing_is_expected(memory: StageMemory) -> None:
    for size in range(ENOUGH + 2):
        memory.note(ended(op("aten.sort", size)))
    assert by(memory, op("aten.sort", 99)) == (By.KIN, Outcome.REACHED)
    assert by(memory, op("aten.sort", 99, 99)) == (By.NAME, Outcome.REACHED)
    memory.note(ended(op("aten.sort", 50), Outcome.FAILED))
    assert by(memory, op("aten.sort", 99)) is None
    assert by(memory, op("aten.sort", 99, 99)) is None
    assert by(memory, op("aten.sort", 50)) == (By.ITSELF, Outcome.FAILED)


def test_what_does_not_hold_any_more_is_no_evidence(memory: StageMemory) -> None:
    flaky, other = op("aten.sort", 50), op("aten.sort", 99)
    memory.note(ended(flaky, Outcome.FAILED))
    assert by(memory, other) == (By.KIN, Outcome.FAILED)
    memory.note(ended(flaky))
    assert by(memory, other) == (By.KIN, Outcome.REACHED)


def test_a_model_is_told_if_all_of_its_ops_are(cache: VerdictCache, memory: StageMemory) -> None:
    for size in (1, 2):
        memory.note(ended(op("aten.relu", size)))
        memory.note(ended(op("aten.tan", size), Outcome.FAILED))
    ops = [op("aten.relu", 1), op("aten.relu", 9)]
    good = predict(ops, DEVICE, cache, {}, executes=False)
    assert (good.known, good.kin, good.named, good.status) == (1, 1, 0, Status.CONVERTED_TO_TTNN)
    bad = predict([*ops, op("aten.tan", 5)], DEVICE, cache, {}, executes=False)
    assert bad.status is Status.CONVERTED_TO_STABLE_HLO
    assert "in the way: an op like aten.tan, FAILED: too much of it" in bad.said()
    unknown = predict([*ops, op("aten.elu", 5)], DEVICE, cache, {}, executes=False)
    assert unknown.status is None and unknown.never_tried == ("aten.elu",)
    assert unknown.said() == "unknown: 1 of 3 ops were never tried there: aten.elu"
