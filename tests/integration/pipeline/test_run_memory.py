# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The kernel kills a test for memory, really, in a small memory cgroup."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from bringup.pipeline.running.memory import cgroup_of
from tests.integration.small_fleet import SmallFleet

TESTS = """
@full
def test_greedy(flow): bytearray(b"x") * 2**30
@full
def test_modest(flow): pass
"""
LIMIT = 400 * 1024**2


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A memory cgroup of `LIMIT` bytes, for children; this process is too large to be in it."""
    own = cgroup_of(Path("/proc/self/cgroup").read_text())
    if own is None:
        pytest.skip("this process is in no memory cgroup of its own")
    home = own.limit.parent
    small = home / f"bringup-test-{os.getpid()}"
    try:
        small.mkdir()
        (small / own.limit.name).write_text(str(LIMIT))
    except OSError as error:
        if small.exists():
            small.rmdir()
        pytest.skip(f"cannot make a memory cgroup here: {error}")
    yield small
    for _ in range(50):
        try:
            small.rmdir()
            return
        except OSError:
            time.sleep(0.1)


def test_a_kill_for_memory_is_called_by_its_name(tmp_path: Path, small_memory: Path) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.cgroup = small_memory
    fleet.file("test_memory", TESTS)
    code, said = fleet.run("run", "tests/models", "--device", "cpu", "--workers", "1")
    assert fleet.outcomes() == {
        "greedy[full-eval]@cpu": Outcome.KILLED,
        "modest[full-eval]@cpu": Outcome.PASSED,
    }, said
    assert "killed by the kernel: out of memory" in said
    assert code == 3


BESIDE = """
import time
from pathlib import Path

HERE = Path(__file__).parent

def until(name):
    while not (HERE / name).exists():
        time.sleep(0.05)

@full
def test_greedy(flow):
    if (HERE / "tried").exists():
        return
    until("beside")
    (HERE / "tried").touch()
    bytearray(b"x") * 2**30

@full
def test_modest(flow):
    (HERE / "beside").touch()
    until("tried")
    time.sleep(2)
"""


def test_what_was_killed_for_memory_beside_others_is_run_once_more_alone(
    tmp_path: Path, small_memory: Path
) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.cgroup = small_memory
    fleet.file("test_memory", BESIDE)
    code, said = fleet.run("run", "tests/models", "--device", "cpu", "--workers", "2")
    tries = [(r.identity.model, r.outcome) for r in fleet.records()]
    assert tries == [
        ("greedy", Outcome.KILLED),
        ("greedy", Outcome.PASSED),
        ("modest", Outcome.PASSED),
    ], said
    log = next(tmp_path.rglob("pytest.log")).read_text()
    assert "is run once more, alone: the worker was killed by the kernel: out of memory" in log
    assert code == 0
