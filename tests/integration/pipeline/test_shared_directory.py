# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run in a directory that several processes share: whoever dies, every test has one word."""

import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import load_journals, read_merged
from bringup.harness.records.schema import Outcome
from tests.integration.small_fleet import SmallFleet, eventually, finish

TESTS = """
@full
@pytest.mark.parametrize("size", range(15))
def test_short(size, flow): time.sleep(0.5)
"""


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    return SmallFleet(tmp_path)


SLOW_FIRST = """
from pathlib import Path
@full
@pytest.mark.parametrize("size", range(3))
def test_slow_once(size, flow):
    begun = Path("begun")
    if not begun.exists():
        begun.touch()
        time.sleep(600)
"""


def join(fleet: SmallFleet, night: Path, devices: str = "cpu") -> "subprocess.Popen[str]":
    engine = f"shared://{night}"
    return fleet.start_plain(
        "run", "tests/models", "--device", devices, "--workers", "1", "--engine", engine,
        "--devices-from", "devices.json", "--history", "none",
    )  # fmt: skip


def test_two_of_three_are_killed_and_every_test_has_one_word(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    fleet.file("test_all", TESTS)
    night = tmp_path / "night"
    runs = [join(fleet, night) for _ in range(3)]
    eventually(lambda: len(list((night / "holders").glob("*.json"))) == 3)
    eventually(lambda: len({r.provenance for r in load_journals(night)[0]}) >= 1)
    runs[0].kill()
    eventually(lambda: len(load_journals(night)[0]) >= 6)
    runs[1].kill()
    code, said = finish(runs[2], timeout_s=120)
    for run in runs[:2]:
        run.communicate()
    assert code == 0, said
    _, records = read_merged(night)
    words = {r.identity.key: r.outcome for r in latest(records)}
    assert len(words) == 15 and set(words.values()) == {Outcome.PASSED}
    ended = Counter(r.identity.key for r in records if r.outcome is Outcome.PASSED)
    assert set(ended.values()) == {1}
    died = [r for r in records if r.outcome is Outcome.KILLED]
    assert all("its runner died" in r.failure.message for r in died if r.failure)
    assert fleet.processes() == []


def test_what_is_given_back_is_run_by_others_of_whom_one_writes_what_the_run_comes_to(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    """And what nobody can try has its word once all know it."""
    fleet.file("test_all", SLOW_FIRST)
    night = tmp_path / "a night"
    first = join(fleet, night, "cpu,p150")
    eventually(lambda: (tmp_path / "begun").exists())
    code, said = fleet.run("run", "tests/models", "--device", "cpu", "--resume", str(night))
    assert code == 2 and "is still going on (participant " in said
    first.send_signal(signal.SIGTERM)
    code, said = finish(first)
    assert code == 130 and "the same command goes on with it" in said
    ends = [finish(run) for run in [join(fleet, night, "cpu,p150") for _ in range(2)]]
    assert sorted(code for code, _ in ends) == [0, 3], ends
    closing = ["3 of 6 tests did what was promised" in said for _, said in ends]
    assert sorted(closing) == [False, True]
    records = read_merged(night)[1]
    words = {r.identity.key: r.outcome for r in latest(records)}
    assert Counter(words.values()) == {Outcome.PASSED: 3, Outcome.INFRA: 3}
    cut_off = next(r for r in records if r.outcome is Outcome.KILLED)
    assert cut_off.attempt == 1 and words[cut_off.identity.key] is Outcome.PASSED
    code, said = finish(join(fleet, night))
    assert code == 2 and "is finished; name a fresh directory" in said
    assert list((night / "holders").iterdir()) == []


@pytest.mark.slow
def test_a_test_that_kills_its_runner_twice_is_quarantined(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    """It kills the participant, as a machine dies that it takes down."""
    fleet.file(
        "test_all",
        """
import psutil
@full
def test_deadly(flow):
    above = psutil.Process().parents()
    next(p for p in above if "--engine" in p.cmdline()).kill()
    time.sleep(30)

@full
def test_harmless(flow): pass
""",
    )
    night = tmp_path / "night"
    assert finish(join(fleet, night))[0] == -9
    assert finish(join(fleet, night), timeout_s=120)[0] == -9
    code, said = finish(join(fleet, night), timeout_s=120)
    assert code == 3, said
    words = {r.identity.model: r for r in latest(read_merged(night)[1])}
    assert words["harmless"].outcome is Outcome.PASSED
    deadly = words["deadly"]
    assert deadly.outcome is Outcome.KILLED and deadly.failure is not None
    assert "its runner died 2 times while it ran" in deadly.failure.message
