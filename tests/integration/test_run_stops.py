# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs that are stopped or lose a process: records stay true and nothing keeps running."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from harness.records.run_dir import read_merged
from harness.records.schema import Outcome
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
def fleet(tmp_path: Path) -> SmallFleet:
    return SmallFleet(tmp_path)


def started(fleet: SmallFleet) -> int:
    return len(fleet.records()) if (fleet.output / "journal").exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_what_ran_and_what_did_not(
    fleet: SmallFleet, number: signal.Signals
) -> None:
    fleet.file("test_long", LONG)
    run = fleet.start("run", "--model", "long", "--device", "cpu", "--workers", "2")
    eventually(lambda: started(fleet) == 2)
    run.send_signal(number)
    run.send_signal(number)  # impatience is an answer too
    code, said = finish(run)
    assert code == 130, said
    assert Counter(fleet.outcomes().values()) == {Outcome.KILLED: 2, Outcome.NOT_RUN: 4}
    assert f"the run was interrupted by {number.name}" in said
    assert fleet.processes() == []
    assert len(read_merged(fleet.output)[1]) == 6


def test_nothing_outlives_a_supervisor_killed_at_any_moment(tmp_path: Path) -> None:
    dice = random.Random(7)
    fleets = [SmallFleet(tmp_path / str(i)) for i in range(4)]
    runs = []
    for fleet in fleets:
        fleet.file("test_long", LONG)
        runs.append(fleet.start("run", "--model", "long", "--device", "cpu", "--workers", "2"))
    time.sleep(1.0)
    for run in runs[:3]:
        time.sleep(dice.uniform(0.0, 2.0))
        run.kill()
    eventually(lambda: started(fleets[3]) == 2)
    runs[3].kill()
    for fleet in fleets:
        eventually(lambda f=fleet: not f.processes(), timeout_s=8.0)
    assert set(fleets[3].outcomes().values()) == {Outcome.CRASHED}  # gone without a word
    whole = tmp_path / "whole"
    code, _ = finish(fleets[3].start_plain("merge", str(fleets[3].output), "--into", str(whole)))
    _, records = read_merged(whole)
    assert Counter(r.outcome for r in records) == {Outcome.CRASHED: 2, Outcome.NOT_RUN: 4}
    assert code == 0
    for run in runs:
        run.communicate()


@pytest.mark.parametrize("victims", ["controllers", "watchdogs"])
def test_a_session_that_dies_costs_the_tests_it_was_running(
    fleet: SmallFleet, victims: str
) -> None:
    fleet.file("test_short", SHORT.replace("0.3", "1.0").replace("range(20)", "range(6)"))
    run = fleet.start("run", "--model", "short", "--device", "cpu", "--workers", "2")
    eventually(lambda: started(fleet) >= 1)
    for process in getattr(fleet, victims)():
        process.kill()
    code, said = finish(run)
    words = Counter(fleet.outcomes().values())
    assert words[Outcome.PASSED] + words[Outcome.KILLED] == 6, said
    assert 1 <= words[Outcome.KILLED] <= 2
    assert "the pytest session was killed by SIGKILL" in said
    assert code == 3
    assert fleet.processes() == []


def test_random_kills_below_the_supervisor_lose_no_test(fleet: SmallFleet) -> None:
    dice = random.Random(11)
    fleet.file("test_short", SHORT)
    run = fleet.start("run", "--model", "short", "--device", "cpu", "--workers", "2")
    eventually(lambda: started(fleet) >= 1)
    for _ in range(6):
        time.sleep(dice.uniform(0.2, 0.9))
        below = [p for p in fleet.processes() if p.pid != run.pid]
        if below:
            with contextlib.suppress(psutil.Error):
                os.kill(dice.choice(below).pid, signal.SIGKILL)
    code, said = finish(run)
    outcomes = fleet.outcomes()
    assert len(outcomes) == 20, said
    assert set(outcomes.values()) <= {Outcome.PASSED, Outcome.KILLED, Outcome.NOT_RUN}, said
    assert list(outcomes.values()).count(Outcome.PASSED) >= 12
    assert code in (0, 3)
    assert fleet.processes() == []
