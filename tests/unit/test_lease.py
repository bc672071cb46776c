# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real device serves one process at a time, and outlives whoever holds it."""

import subprocess
import sys
import time
from pathlib import Path

from harness.devices.lease import capacity, lease

ROOT = Path(__file__).parents[2]
HOLD = (
    "import sys, time; from harness.devices.lease import lease\n"
    "with lease('pjrt:lease-test'): print('held', flush=True); time.sleep(60)"
)


def test_devices_in_memory_are_shared_and_others_are_not() -> None:
    assert capacity("cpu") is None and capacity("iree-cpu") is None
    assert capacity("cuda") == 1 and capacity("pjrt:anything") == 1


def test_a_lease_waits_for_its_holder_and_survives_its_death() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    second = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    time.sleep(1.0)
    assert second.poll() is None, "it waits"
    holder.kill()
    assert second.stdout is not None and second.stdout.readline() == "held\n"
    second.kill()
    second.wait()
    with lease("pjrt:lease-test"):
        pass
