# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How long a worker is away after a crash.

`python -m tests.benchmarks.op_by_op.recovery DEVICE CRASHES PLAN` prints a JSON array of
`Recovery`; PLAN is where the faults are written to.
"""

import dataclasses
import os
import sys
import time
from pathlib import Path

import msgspec
import torch

from bringup.harness.device_host.faults import Fault, FaultKind
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import Ended, OpJob
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from tests.benchmarks.op_by_op.costs import Recovery

ADD = b"""
func.func @main(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %0 = stablehlo.add %x, %y : tensor<64xf32>
  return %0 : tensor<64xf32>
}"""
_SETTLE_S = 4.0
"""A spare opens meanwhile, where there is one."""


def recoveries(device: str, crashes: int, plan: Path) -> list[Recovery]:
    """Crash a worker again and again; a first crash, before any spare, is left out."""
    plan.write_bytes(msgspec.json.encode({"bad": Fault(FaultKind.SEGV)}))
    os.environ[FAULTS_VARIABLE] = str(plan)
    good = OpJob(stablehlo=ADD, inputs=(torch.ones(64), torch.ones(64)), execute=True)
    found = []
    with OpPool(device, 1) as pool:
        assert pool.submit(good).result().ended is Ended.DONE
        for _ in range(crashes + 1):
            found.append(_recovery(pool, good, Path(f"{plan}.struck")))
            time.sleep(_SETTLE_S if pool._spare.device else 0.2)
    return found[1:]


def _recovery(pool: OpPool, good: OpJob, struck: Path) -> Recovery:
    worker = pool._workers[0]
    before = worker._device
    crashed = pool.submit(dataclasses.replace(good, key="bad"))
    after = pool.submit(good)
    assert crashed.result().ended is Ended.CRASH
    run = after.result()
    done = time.time()
    assert run.ended is Ended.DONE
    at = float(struck.read_text().splitlines()[-1].split()[0])
    reopened = worker._device is before  # else a spare took its place, open already
    opening = worker._device.open().usage.wall_s if reopened else 0.0
    return Recovery(done - run.wall_s - at, opening)


if __name__ == "__main__":
    found = recoveries(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    print(msgspec.json.encode(found).decode())
