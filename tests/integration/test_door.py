# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The door: nox sessions as a person starts them, with the real noxfile on a small fleet."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.records.run_dir import read_merged
from tests.integration.nox_door import nox, start, with_door
from tests.integration.small_fleet import ENVIRONMENT, SmallFleet, eventually
from tests.unit.run_builder import STARTED, record, write_run

TESTS = """
@full
def test_good(flow): pass
@full
def test_bad(flow): raise ValueError("no")
@full
def test_slow(flow):
    open("begun.txt", "w").close()
    time.sleep(60)
"""
PLACES = ("--devices-from", "devices.json")


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    """A project whose door is ours and whose environment is the one these tests run in."""
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", TESTS)
    with_door(fleet)
    return fleet


def a_newer_run(fleet: SmallFleet) -> Path:
    """Another run, merged into results/ while ours went on."""
    return write_run(fleet.root / "results" / "other", [record()], created=STARTED + 10**9)


def test_a_run_ends_with_its_own_report_and_its_own_exit_code(fleet: SmallFleet) -> None:
    other = a_newer_run(fleet)
    code, said = nox(fleet, "run", "--", "--model", "good", *PLACES, "--output=out")
    assert code == 0, said
    assert (fleet.root / "out" / "index.html").exists()
    code, said = nox(fleet, "run", "--", "--model", "bad", *PLACES)
    assert code == 1, said
    [ours] = (fleet.root / "results").glob("run-*")
    assert (ours / "index.html").exists()
    assert not (other / "index.html").exists()


def test_what_was_refused_or_only_planned_reports_nothing(fleet: SmallFleet) -> None:
    other = a_newer_run(fleet)
    code, said = nox(fleet, "run", "--", "--model", "nobody", *PLACES)
    assert code == 2 and "has `nobody` in its name" in said
    code, said = nox(fleet, "run", "--", "--resume", "out")
    assert code == 2 and "there is no run directory out" in said
    code, said = nox(fleet, "run", "--", "--model", "good", "--dry-run", *PLACES)
    assert code == 0, said
    assert not (other / "index.html").exists()


def test_the_exit_codes_of_other_commands_come_through(fleet: SmallFleet) -> None:
    for words in (("repro", "--", "abc"), ("report", "--", "nowhere"), ("merge", "--", "nowhere")):
        code, said = nox(fleet, *words)
        assert code == 2, said


def test_help_and_the_variables_come_through(fleet: SmallFleet) -> None:
    code, said = nox(fleet, "help_env", "--", "env", "cache_days")
    assert code == 0, said
    assert f"BRINGUP_ENV={fleet.root / 'env'}\n" in said
    assert "default: 90" in said and "BRINGUP_RUN_DIR" not in said
    for session in ("report", "merge"):
        code, said = nox(fleet, session, "--", "--help")
        assert code == 0 and "examples:" in said and "exit codes:" in said, said


def test_an_empty_list_says_how_to_choose(fleet: SmallFleet) -> None:
    code, said = nox(fleet, "op_by_op", "--", *PLACES)
    assert code == 2
    assert (
        "bringup: there is nothing to run: tests/lists/nightly_op_by_op.toml is empty; "
        "choose models with --model NAME, or --all\n"
    ) in said


def test_an_interrupted_run_says_how_to_go_on_and_is_reported_when_asked(
    fleet: SmallFleet,
) -> None:
    process = start(fleet, "run", "--", "tests/models", *PLACES, "--output", "out")
    eventually(lambda: (fleet.root / "begun.txt").exists(), 60)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to nox and all it started
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "`nox -s run -- --resume out` goes on with it" in said
    assert {r.outcome.value for r in read_merged(fleet.output)[1]} >= {"KILLED"}
    code, said = nox(fleet, "report", "--", "out")
    assert code == 0, said
    assert (fleet.output / "index.html").exists()


def test_plain_pytest_is_reported_from_what_it_left(fleet: SmallFleet) -> None:
    run_dir = fleet.root / "results" / "local-1"
    pytest_run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "bringup.harness.pytest_plugin", "tests/models"],
        cwd=fleet.root,
        env={**os.environ, **ENVIRONMENT, "BRINGUP_RUN_DIR": str(run_dir)},
        stdout=subprocess.DEVNULL,
    )
    eventually(lambda: (fleet.root / "begun.txt").exists(), 60)
    code, said = nox(fleet, "report", "--", "results/local-1")
    assert code == 2, said
    assert f"results/local-1 is still going on (process {pytest_run.pid})" in said
    pytest_run.kill()
    pytest_run.wait()
    code, said = nox(fleet, "report", "--", "results/local-1")
    assert code == 0, said
    assert "merged results/local-1: 1 PASSED, 1 FAILED, 1 CRASHED" in said
    assert (run_dir / "index.html").exists()
    code, said = nox(fleet, "report", "--", "results/local-1")
    assert code == 0 and "merged" not in said
