# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A StableHLO module's ops fed what a real device gives: what is wrong there, and what inherits."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import torch
from msgspec.structs import replace
from torch_mlir import ir

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.mlir import TorchMlir
from bringup.harness.op_by_op.follow_stablehlo import FollowStablehlo
from bringup.harness.ops.stablehlo_ops import split
from bringup.harness.records.followed import Followed
from bringup.harness.records.schema import OpResult, OpVerdict, Outcome, Status
from bringup.harness.reference.references import References
from bringup.harness.verify import Tolerances
from tests.integration.harness.test_op_by_op import CHAIN
from tests.integration.pytest_runs import run_pytest

CALLS = """
func.func private @twice(%x: tensor<64xf32>) -> tensor<64xf32> {
  %0 = stablehlo.add %x, %x : tensor<64xf32>
  return %0 : tensor<64xf32>
}
func.func @main(%x: tensor<64xf32>, %which: tensor<i32>) -> (tensor<64xf32>, tensor<f32>) {
  %many = stablehlo.constant dense<"0xMANY"> : tensor<64xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = func.call @twice(%x) : (tensor<64xf32>) -> tensor<64xf32>
  %1 = stablehlo.multiply %0, %many : tensor<64xf32>
  %2 = "stablehlo.case"(%which) ({
    %n = stablehlo.negate %1 : tensor<64xf32>
    stablehlo.return %n : tensor<64xf32>
  }, {
    stablehlo.return %x : tensor<64xf32>
  }) : (tensor<i32>) -> tensor<64xf32>
  %3 = func.call @twice(%2) : (tensor<64xf32>) -> tensor<64xf32>
  %4 = stablehlo.reduce(%3 init: %zero) applies stablehlo.add across dimensions = [0]
    : (tensor<64xf32>, tensor<f32>) -> tensor<f32>
  return %3, %4 : tensor<64xf32>, tensor<f32>
}""".replace("MANY", "0000803F" * 32 + "00000040" * 32)
TINY = """
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = stablehlo.exponential %x : tensor<8xf32>
  %1 = stablehlo.log %0 : tensor<8xf32>
  %2 = stablehlo.negate %1 : tensor<8xf32>
  return %2 : tensor<8xf32>
}"""


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


def followed(device: Device, text: str, *inputs: torch.Tensor, seconds: float = 60.0) -> Followed:
    mlir = TorchMlir()
    with mlir.context:
        artifact = mlir.portable(ir.Module.parse(text))
    ops = split(artifact, mlir)
    alone = [
        OpResult(
            index=op.index,
            count=op.count,
            node=op.node,
            verdict=OpVerdict(
                op=op.op, device="cpu", status=Status.EXECUTED, outcome=Outcome.PASSED
            ),
        )
        for op in ops
    ]

    def run(job: OpJob) -> "Future[OpRun]":
        done: Future[OpRun] = Future()
        done.set_result(device.run_op(job))
        return done

    bounds = Tolerances(required_pcc=0.99, scale=1.0)
    follow = FollowStablehlo(run, {}, bounds, alone, seconds, References("cpu", mlir))
    return follow.through(artifact, ops, inputs)


def test_calls_regions_and_large_constants_are_followed(cpu: Device) -> None:
    found = followed(cpu, CALLS, torch.randn(64), torch.tensor(0, dtype=torch.int32))
    assert not found.ended, found.ended
    assert found.nodes == found.compared == 5  # add, multiply, case, add, reduce
    assert not found.past and not found.first_wrong_alone


def test_the_op_that_is_wrong_on_this_modules_own_values_is_told(cpu: Device) -> None:
    """XLA takes values below the least normal number for 0, and their logarithm is then infinite.

    Each op's verdict, on inputs that were drawn, is PASSED.
    """
    found = followed(cpu, TINY, torch.linspace(-101, -90, 8))
    assert found.first_wrong_alone.endswith("(stablehlo.log)")
    assert found.first_past == found.first_wrong_alone
    assert {one.op: one.wrong_alone for one in found.past} == {
        "stablehlo.log": True,
        "stablehlo.negate": False,
    }
    assert found.inherited == 1


def test_what_there_was_no_time_for_is_said(cpu: Device) -> None:
    found = followed(cpu, TINY, torch.zeros(8), seconds=0.0)
    assert found.compared == 0 and found.nodes == 3
    assert "the seconds for it were spent before stablehlo.exponential_0" in found.said()


def test_a_models_stablehlo_is_followed_with_its_own_inputs(tmp_path: Path) -> None:
    test = CHAIN.replace("op_by_op_torch", "op_by_op_stablehlo").replace(
        "    tester = Chain",
        "    config.op_by_op_backend = OpByOpBackend.STABLEHLO\n    tester = Chain",
    )
    test = test.replace("CompilerConfig, ModelTester", "CompilerConfig, ModelTester, OpByOpBackend")
    (tmp_path / "test_chain.py").write_text(test)

    def followed_in(run: str) -> Followed:
        variables = {"BRINGUP_FOLLOW": "always", "BRINGUP_CACHE": str(tmp_path / "cache")}
        done = run_pytest(tmp_path / run, f"{tmp_path}/test_chain.py", **variables)
        record = done.records["chain[op_by_op_stablehlo-eval]@cpu"]
        assert record.followed is not None and not record.warnings, done.output
        return record.followed

    first = followed_in("first")
    assert first.first_wrong_alone.endswith("(stablehlo.log)")
    assert first.inherited > 0 and not first.origin
    again = followed_in("again")
    assert again.origin and again == replace(first, origin=again.origin)
    assert again.said() == f"{first.said()}; as {again.origin} found"
    (tmp_path / "test_chain.py").write_text(test.replace("linspace(-3, 3", "linspace(-2, 3"))
    assert not followed_in("of others").origin, "its values are others"
