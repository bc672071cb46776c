# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A test whose process not even SIGKILL ends, as one that hangs in a driver.

The freezer of control groups, version 1, makes such a process: a frozen one dies when thawed.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from tests.integration.small_fleet import SmallFleet, eventually, finish

FROZEN = """
@full
def test_frozen(flow):
    open("{folder}/cgroup.procs", "w").write(str(os.getpid()))
    open("{folder}/freezer.state", "w").write("FROZEN")
    time.sleep(1000)
@full
def test_fine(flow): pass
"""


@pytest.fixture
def freezer() -> Iterator[Path]:
    folder = Path(f"/sys/fs/cgroup/freezer/bringup-test-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"cannot make a freezer cgroup here: {error}")
    yield folder
    (folder / "freezer.state").write_text("THAWED")
    time.sleep(0.5)
    folder.rmdir()


@pytest.mark.slow
def test_the_run_goes_on_without_it(tmp_path: Path, freezer: Path) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", FROZEN.format(folder=freezer))
    arguments = ["--device", "cpu", "--workers", "1", "--timeout", "3"]
    code, said = finish(fleet.start("run", "--flow", "full", *arguments), timeout_s=300)
    assert code == 1, said
    assert fleet.outcomes() == {
        "frozen[full-eval]@cpu": Outcome.TIMEOUT,
        "fine[full-eval]@cpu": Outcome.PASSED,
    }
    assert "its process cannot be killed" in said
    (freezer / "freezer.state").write_text("THAWED")
    eventually(lambda: not fleet.processes())
