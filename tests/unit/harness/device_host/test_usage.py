# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The peak of a piece of work is its own: not an earlier piece's, not another process's."""

import os
import subprocess
import sys

import numpy as np
import psutil
import pytest

from bringup.harness.device_host.usage import Meter

MIB = 1 << 20
LARGE = 400 * MIB
PEAK_OF_NOTHING = "from bringup.harness.device_host.usage import Meter; print(Meter().read()[2])"
PEAK_OF_SOMETHING = (
    "import numpy; from bringup.harness.device_host.usage import Meter; m = Meter();"
    f"numpy.ones({LARGE // 4}, numpy.uint8); print(m.read()[2])"
)


def peak_of(program: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True
    )
    return int(done.stdout)


def test_a_peak_is_what_was_used_since_the_meter_was_made() -> None:
    before = Meter()
    held = np.ones(LARGE, np.uint8)
    during = Meter()
    assert before.read()[2] > LARGE and during.read()[2] > LARGE
    del held
    after = Meter()
    np.ones(LARGE // 4, np.uint8)
    peak = after.read()[2]
    now = psutil.Process().memory_info().rss
    assert abs(peak - now - LARGE // 4) < 30 * MIB


@pytest.mark.parametrize("size", [0, LARGE])
def test_a_child_has_its_own_peak_however_large_its_parent(size: int) -> None:
    held = np.ones(size, np.uint8)
    nothing, something = peak_of(PEAK_OF_NOTHING), peak_of(PEAK_OF_SOMETHING)
    assert held.size == size
    assert 5 * MIB < nothing < LARGE // 2
    assert LARGE // 4 < something < LARGE


def test_a_forked_process_measures_itself() -> None:
    held = np.ones(LARGE, np.uint8)
    peak = Meter().read()[2]
    pid = os.fork()
    if pid == 0:
        del held
        os._exit(Meter().read()[2] > peak - LARGE // 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
