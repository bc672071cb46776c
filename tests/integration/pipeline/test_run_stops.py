# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs that are stopped or lose a process: records stay true and nothing keeps running."""

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from tests.integration.small_fleet import SmallFleet, eventually, finish

LONG = """
@full
@pytest.mark.parametrize("size", range(6))
def test_long(size, flow):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["setsid", "sleep", "1000"])
    ctypes.PyDLL(None).sleep(1000)
"""
SHORT = """
@full
@pytest.mark.parametrize("size", range(20))
def test_short(size, flow): time.sleep(0.3)
"""


@pytest.fixture
def fleets(tmp_path: Path) -> list[SmallFleet]:
    """Several, so that a test can wait for all of them at once."""
    return [SmallFleet(tmp_path / str(i)) for i in range(4)]


def started(fleet: SmallFleet) -> int:
    return len(fleet.records()) if (fleet.output / "journal").exists() else 0


def start(fleet: SmallFleet, body: str, model: str) -> "subprocess.Popen[str]":
    fleet.file("test_all", body)
    return fleet.start("run", "--model", model, "--device", "cpu", "--workers", "2")


def test_an_interrupted_run_says_what_ran_and_what_did_not(fleets: list[SmallFleet]) -> None:
    numbers = [signal.SIGINT, signal.SIGTERM]
    runs = [start(fleet, LONG, "long") for fleet, _ in zip(fleets, numbers, strict=False)]
    for fleet, run, number in zip(fleets, runs, numbers, strict=False):
        eventually(lambda f=fleet: started(f) == 2)
        run.send_signal(number)
    time.sleep(0.5)
    for run, number in zip(runs, numbers, strict=True):
        run.send_signal(number)  # impatience: the tests here do not listen to SIGTERM
    for fleet, run, number in zip(fleets, runs, numbers, strict=False):
        code, said = finish(run)
        assert code == 130, said
        assert Counter(fleet.outcomes().values()) == {Outcome.KILLED: 2, Outcome.NOT_RUN: 4}
        assert f"the run was interrupted by {number.name}" in said
        assert fleet.processes() == []
        assert len(read_merged(fleet.output)[1]) == 6


def test_nothing_outlives_a_supervisor_killed_at_any_moment(
    fleets: list[SmallFleet], tmp_path: Path
) -> None:
    dice = random.Random(7)
    runs = [start(fleet, LONG, "long") for fleet in fleets]
    time.sleep(1.0)
    for run in runs[:3]:
        time.sleep(dice.uniform(0.0, 2.0))
        run.kill()
    eventually(lambda: started(fleets[3]) == 2)
    runs[3].kill()
    for fleet, run in zip(fleets, runs, strict=True):
        eventually(lambda f=fleet: not f.processes(), timeout_s=8.0)
        run.communicate()
    assert set(fleets[3].outcomes().values()) == {Outcome.CRASHED}  # gone without a word
    whole = tmp_path / "whole"
    code, said = finish(fleets[3].start_plain("merge", str(fleets[3].output), "--into", str(whole)))
    _, records = read_merged(whole)
    assert Counter(r.outcome for r in records) == {Outcome.CRASHED: 2, Outcome.NOT_RUN: 4}
    assert code == 3 and "missing: nobody ran 4 planned tests: long[full-" in said


def test_a_session_that_dies_costs_the_tests_it_was_running(fleets: list[SmallFleet]) -> None:
    body = SHORT.replace("0.3", "1.0").replace("range(20)", "range(6)")
    victims = [SmallFleet.controllers, SmallFleet.watchdogs]
    runs = [start(fleet, body, "short") for fleet, _ in zip(fleets, victims, strict=False)]
    for fleet, find in zip(fleets, victims, strict=False):
        eventually(lambda f=fleet: started(f) >= 1)
        for process in find(fleet):
            process.kill()
    for fleet, run in zip(fleets, runs, strict=False):
        code, said = finish(run)
        words = Counter(fleet.outcomes().values())
        assert words[Outcome.PASSED] + words[Outcome.KILLED] == 6, said
        assert 1 <= words[Outcome.KILLED] <= 2
        assert "the pytest session was killed by SIGKILL" in said
        assert code == 3
        assert fleet.processes() == []


def test_what_forks_the_workers_takes_them_along_and_others_come(fleets: list[SmallFleet]) -> None:
    fleet = fleets[0]
    run = start(fleet, SHORT.replace("0.3", "1.0").replace("range(20)", "range(6)"), "short")
    eventually(lambda: started(fleet) >= 2)
    [preloaded] = fleet.preloaded()
    preloaded.kill()
    code, said = finish(run)
    words = Counter(fleet.outcomes().values())
    assert words[Outcome.PASSED] + words[Outcome.KILLED] == 6, said
    assert 1 <= words[Outcome.KILLED] <= 2 and code == 3
    assert fleet.processes() == []


def test_random_kills_below_the_supervisor_lose_no_test(fleets: list[SmallFleet]) -> None:
    dice = random.Random(11)
    fleet = fleets[0]
    run = start(fleet, SHORT, "short")
    for _ in range(5):
        before = started(fleet)
        eventually(lambda n=before: started(fleet) > n)
        time.sleep(dice.uniform(0.0, 0.5))
        victim = dice.choice([p for p in fleet.processes() if p.pid != run.pid])
        with contextlib.suppress(psutil.Error):
            victim.kill()
    code, said = finish(run)
    outcomes = Counter(fleet.outcomes().values())
    assert outcomes[Outcome.PASSED] + outcomes[Outcome.KILLED] == 20, said
    assert outcomes[Outcome.KILLED] <= 2 * 5, said
    assert code == (3 if outcomes[Outcome.KILLED] else 0)
    assert fleet.processes() == []


def test_a_session_that_cannot_start_says_why(fleets: list[SmallFleet]) -> None:
    fleet = fleets[0]
    (fleet.root / "conftest.py").write_text(
        "def pytest_xdist_setupnodes(): raise RuntimeError('no nodes today')\n"
    )
    code, said = finish(start(fleet, SHORT, "short"))
    assert code == 3
    assert set(fleet.outcomes().values()) == {Outcome.NOT_RUN}
    assert "RuntimeError: no nodes today" in said and f"{fleet.output}/pytest.log" in said
