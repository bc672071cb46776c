# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Sums of 16-bit floats: right as a device takes their steps, and as nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch_mlir import ir

from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.mlir import TorchMlir, main_of, read
from bringup.harness.op_by_op.judge import Conclusion, close_run, judge
from bringup.harness.op_by_op.op_tolerances import op_tolerances
from bringup.harness.ops.stablehlo_ops import StablehloOp, split
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.reference.references import Golden, References, Source, seeded_inputs
from bringup.harness.reference.stepwise import stepwise
from bringup.harness.reproduce.reproducer import read_expected, write_reproducer
from bringup.harness.reproduce.restore import golden_of
from bringup.harness.session import begin
from bringup.harness.verify import Tolerances


@pytest.fixture(scope="module", autouse=True)
def references() -> Iterator[None]:
    """End the references that the tests asked."""
    with begin():
        yield


@pytest.fixture(scope="module")
def pool() -> Iterator[OpPool]:
    made = OpPool("cpu", 1, deadline_s=120)
    yield made
    made.close()


class Summed(NamedTuple):
    """A reduction, and what the cpu device gave for it."""

    op: StablehloOp
    inputs: list[torch.Tensor]
    given: torch.Tensor
    golden: Golden

    def judged(self, given: torch.Tensor) -> Conclusion:
        run = OpRun(Ended.DONE, stage=Stage.EXECUTE, outputs=(given,))
        return close_run(run, lambda: self.golden, op_tolerances(Tolerances(), self.op.op))


def reduced(mlir: TorchMlir, shape: tuple[int, ...], over: list[int], to: str, by: str) -> bytes:
    def typed(sizes: list[int]) -> str:
        return f"tensor<{''.join(f'{n}x' for n in sizes)}{to}>"

    start = {"add": 0.0, "multiply": 1.0}[by]
    whole, left = typed([*shape]), typed([n for d, n in enumerate(shape) if d not in over])
    text = f"""func.func @main(%a: {whole}) -> {left} {{
        %s = stablehlo.constant dense<{start}> : tensor<{to}>
        %r = stablehlo.reduce(%a init: %s) applies stablehlo.{by} across dimensions = {over}
            : ({whole}, tensor<{to}>) -> {left}
        return %r : {left}
    }}"""
    return mlir.portable(ir.Module.parse(text, mlir.context))


@pytest.fixture(scope="module")
def summed(mlir: TorchMlir, pool: OpPool) -> Callable[..., Summed]:
    def sum_up(
        shape: tuple[int, ...], over: list[int], to: str = "bf16", by: str = "add"
    ) -> Summed:
        (op,) = split(reduced(mlir, shape, over, to, by), mlir)
        inputs = seeded_inputs(op, mlir)
        run = pool.submit(OpJob(stablehlo=op.artifact, inputs=tuple(inputs), execute=True)).result()
        assert run.outputs is not None, run.failure
        return Summed(op, inputs, run.outputs[0], References("cpu", mlir).ask(op, inputs)())

    return sum_up


@pytest.mark.parametrize(
    ("shape", "over", "to", "by"),
    [
        ((2, 28, 28, 768), [1, 2], "bf16", "add"),
        ((2, 768), [1], "bf16", "add"),
        ((2, 3136), [1], "bf16", "add"),
        ((2, 96, 1, 56), [3], "bf16", "add"),
        ((4, 40, 8, 50), [1, 3], "bf16", "add"),
        ((33, 7), [0], "bf16", "add"),
        ((64, 500), [1], "f16", "add"),
        ((3, 50), [1], "bf16", "multiply"),
    ],
)
def test_one_order_comes_to_what_the_device_gives(
    summed: Callable[..., Summed],
    mlir: TorchMlir,
    shape: tuple[int, ...],
    over: list[int],
    to: str,
    by: str,
) -> None:
    found = summed(shape, over, to, by)
    orders = [order for (order,) in stepwise(main_of(read(mlir, found.op.artifact)), found.inputs)]
    assert any(torch.equal(order, found.given) for order in orders)
    assert found.judged(found.given).outcome is Outcome.PASSED


def test_a_sum_far_from_the_exact_one_is_right_in_steps_and_the_record_says_so(
    summed: Callable[..., Summed],
) -> None:
    found = summed((2, 28, 28, 768), [1, 2])
    assert found.golden.source is Source.TORCH and found.golden.outputs is not None
    off = (found.given.double() - found.golden.outputs[0].double()).abs()
    assert float(off.max()) > 1, "784 steps, each rounded to 8 bits"
    end = found.judged(found.given)
    assert end.outcome is Outcome.PASSED
    assert end.golden is not None and end.golden.source is Source.STEPS


def test_the_exact_sum_is_right_too(summed: Callable[..., Summed]) -> None:
    found = summed((2, 28, 28, 768), [1, 2])
    assert found.golden.outputs is not None
    end = found.judged(found.golden.outputs[0])
    assert end.outcome is Outcome.PASSED
    assert end.golden is not None and end.golden.source is Source.TORCH


@pytest.mark.parametrize("factor", [1.2, 1.1, 1.04, 0.97])
@pytest.mark.parametrize("exact", [False, True])
def test_a_sum_that_is_a_factor_off_is_wrong(
    summed: Callable[..., Summed], factor: float, exact: bool
) -> None:
    found = summed((2, 56, 56, 384), [1, 2])
    assert found.golden.outputs is not None
    right = found.golden.outputs[0] if exact else found.given
    end = found.judged((right.double() * factor).to(torch.bfloat16))
    assert end.outcome is Outcome.INCORRECT


def test_one_number_that_is_not_what_its_steps_come_to_is_wrong(
    summed: Callable[..., Summed],
) -> None:
    found = summed((2, 28, 28, 768), [1, 2])
    other = found.given.clone()
    other[1, 5] = other[1, 5] * 1.25 + 1
    assert found.judged(other).outcome is Outcome.INCORRECT


def test_what_a_sum_starts_from_counts_once(mlir: TorchMlir) -> None:
    """In windows it would count for each, and a device that does that is wrong."""
    text = """func.func @main(%a: tensor<2x768xbf16>) -> tensor<2xbf16> {
        %s = stablehlo.constant dense<5.0> : tensor<bf16>
        %r = stablehlo.reduce(%a init: %s) applies stablehlo.add across dimensions = [1]
            : (tensor<2x768xbf16>, tensor<bf16>) -> tensor<2xbf16>
        return %r : tensor<2xbf16>
    }"""
    (op,) = split(mlir.portable(ir.Module.parse(text, mlir.context)), mlir)
    inputs = seeded_inputs(op, mlir)
    (alone,) = stepwise(main_of(read(mlir, op.artifact)), inputs)
    answer = References("cpu", mlir).ask(op, inputs)()
    often = (inputs[0].double().sum(1) + 24 * 5).bfloat16()
    found = Summed(op, inputs, often, answer)
    assert found.judged(often).outcome is Outcome.INCORRECT
    assert found.judged(alone[0]).outcome is Outcome.PASSED


def test_a_reproducer_judges_steps_as_a_night_does(
    summed: Callable[..., Summed], tmp_path: Path
) -> None:
    found = summed((2, 28, 28, 768), [1, 2])
    other = found.given.clone()
    other[1, 5] = other[1, 5] * 1.25 + 1
    store, tolerances = ArtifactStore(tmp_path), op_tolerances(Tolerances(), found.op.op)
    run = OpRun(Ended.DONE, stage=Stage.EXECUTE, outputs=(other,))
    verdict = judge(found.op.op, "cpu", run, found.golden, tolerances, store, "run")
    assert verdict.outcome is Outcome.INCORRECT and found.golden.outputs is not None
    folder = write_reproducer(
        tmp_path,
        verdict,
        stablehlo=found.op.artifact,
        torch_ir=None,
        inputs=found.inputs,
        golden=found.golden.outputs,
        executes=True,
        device="cpu",
        deadline_s=60,
        versions={},
        options={},
        tolerances=tolerances,
        memory_limit=1 << 33,
    )
    again = golden_of(folder, read_expected(folder), found.inputs)
    right = OpRun(Ended.DONE, stage=Stage.EXECUTE, outputs=(found.given,))
    assert close_run(right, lambda: again, tolerances).outcome is Outcome.PASSED
    assert close_run(run, lambda: again, tolerances).outcome is Outcome.INCORRECT


def test_a_short_product_is_held_to_the_exact_one(mlir: TorchMlir) -> None:
    """The interpreter rounds each of its 768 steps: its word made a right device wrong."""
    text = """func.func @main(%a: tensor<2x768xbf16>, %b: tensor<768x2xbf16>) -> tensor<2x2xbf16> {
        %r = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
            : (tensor<2x768xbf16>, tensor<768x2xbf16>) -> tensor<2x2xbf16>
        return %r : tensor<2x2xbf16>
    }"""
    (op,) = split(mlir.portable(ir.Module.parse(text, mlir.context)), mlir)
    a, b = seeded_inputs(op, mlir)
    answer = References("cpu", mlir).ask(op, (a, b))()
    assert answer.source is Source.TORCH and answer.outputs is not None
    assert torch.equal(answer.outputs[0], (a.double() @ b.double()).bfloat16())
