# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The pass that makes a program's numbers wrong, found in XLA as it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.devices.catalog import kind_of
from bringup.harness.reduce.pass_blame import Blamed, blame, can_blame, names_in
from tests.integration.harness.test_devices import ADD, portable

LOG_OF_EXP = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.exponential %x : tensor<4xf32>
  %1 = stablehlo.log %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}"""
X = torch.tensor([1000.0, 1.0, 0.0, -5.0])


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


def differs_from(golden: torch.Tensor) -> Callable[[OpRun], bool]:
    def is_wrong(run: OpRun) -> bool:
        assert run.outputs is not None
        return not torch.allclose(run.outputs[0], golden)

    return is_wrong


def test_the_simplifier_is_to_blame_for_log_of_exp(cpu: Device) -> None:
    job = OpJob(stablehlo=portable(LOG_OF_EXP), inputs=(X,), execute=True)
    wrong = differs_from(torch.log(torch.exp(X)))  # inf, where the simplifier makes it 1000
    found = blame(cpu, job, wrong, 30.0, 60.0)
    assert found.passes == ("algsimp",) and found.tried >= 2
    assert found.told().startswith("The pass to blame is algsimp: without it the numbers are right")


def test_what_no_pass_made_wrong_blames_none(cpu: Device) -> None:
    ones = torch.ones(4)
    job = OpJob(stablehlo=portable(ADD), inputs=(ones, ones), execute=True)
    found = blame(cpu, job, differs_from(torch.zeros(4)), 30.0, 60.0)
    assert found.passes == ()


def test_names_are_of_passes_and_not_of_pipelines(tmp_path: Path) -> None:
    for name in (
        *("0004.outer.after_pipeline-start.before_x", "0006.simplification.after_algsimp.before_y"),
        *("0008.outer.after_simplification.before_z", "0017.copy-insertion.after_copies"),
    ):
        (tmp_path / f"module_0000.main.{name}.txt").touch()
    (tmp_path / "module_0000.main.cpu_after_optimizations.txt").touch()
    assert names_in(tmp_path) == ["algsimp", "copies"]
    assert Blamed((), 0).told() == "No pass of the compiler changed the program."
    assert can_blame(kind_of("cpu")) and not can_blame(kind_of("iree-cpu"))
