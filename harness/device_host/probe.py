# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A tiny program that a device must get right before it is believed again."""

from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.records.machine_faults import KILLED_FROM_OUTSIDE

PROBE_DEADLINE = 60.0
"""Seconds; a first compile may unpack or calibrate something."""
_PROBE = b"""
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}"""


def probe_job(*, executes: bool) -> OpJob:
    """The program as an op: 1 + 2, computed where the device executes."""
    if not executes:
        return OpJob(stablehlo=_PROBE)
    import torch

    inputs = (torch.full((4,), 1.0), torch.full((4,), 2.0))
    return OpJob(stablehlo=_PROBE, inputs=inputs, execute=True)


def diagnosis(run: OpRun) -> str:
    """Why the device is not well, in a sentence; empty when it is."""
    if run.ended is not Ended.DONE:
        assert run.failure is not None
        return f"the device's probe failed: {run.failure.message}"
    if run.outputs is not None and run.outputs[0].tolist() != [3.0] * 4:
        return f"the device's probe computed 1 + 2 = {run.outputs[0].tolist()}"
    return ""


def is_bystander(run: OpRun) -> bool:
    """Did an op end by what was not its doing: a host that was dead, or was killed?"""
    if run.ended is Ended.INFRA:
        return True
    killed = run.failure is not None and run.failure.kind == KILLED_FROM_OUTSIDE
    return run.ended is Ended.CRASH and killed
