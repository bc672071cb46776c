# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run with a budget: what does not fit is left out, is said to be, and counts for nothing."""

import json
import os
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bringup.harness.records.outcomes import is_left_out, latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.reports.build import load
from tests.integration.small_fleet import SmallFleet, eventually, finish

BODY = """
@full
@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_it(name, flow):
    with open("begun.txt", "a") as file:
        file.write(name)
"""
WORDS = ("run", "tests/models", "--device", "cpu", "--workers", "1", "--history", "history")


def measured(fleet: SmallFleet, **seconds: float) -> None:
    """Have the machine know how long tests take."""
    took = {f"it[full-{name}-eval]@cpu": [[s, 1.0]] for name, s in seconds.items()}
    path = fleet.root / "results" / "durations.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"schema": 1, "samples": took}))


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", BODY)
    return fleet


def test_what_does_not_fit_is_left_out_and_no_loss(fleet: SmallFleet) -> None:
    measured(fleet, a=1.0, b=1.0, c=5000.0, d=4000.0)
    code, said = fleet.run(*WORDS, "--budget", "10m")
    assert code == 0, said
    assert "budget 10m: 2 of 4 tests fit in" in said
    assert "left out by the budget of 10m: 2: 2 new" in said
    assert "2 of 2 tests did what was promised" in said
    assert sorted((fleet.root / "begun.txt").read_text()) == ["a", "b"]
    header, records = read_merged(fleet.output)
    out = {r.identity.variant: r for r in latest(records) if is_left_out(r)}
    assert set(out) == {"c", "d"} and not header.missing and not header.unrun
    reason = out["c"].failure
    assert reason and reason.message.endswith("says anything of it; about 5000 s")

    run = load(fleet.output)
    assert not run.missing and not run.lost and not run.attention
    assert len(run.left_out) == 2 and run.overall.planned == 2
    assert run.night and {test.test for test in run.night.tests}.isdisjoint(
        {r.identity.key for r in out.values()}
    )
    known = {s.test for s in samples(History(str(fleet.root / "history")))}
    assert known == {"it[full-a-eval]@cpu", "it[full-b-eval]@cpu"}, "nothing is known of the others"
    suite = ElementTree.parse(fleet.output / "junit.xml").getroot()
    skipped = [case.get("type") for case in suite.iter("skipped")]
    assert skipped == ["left out"] * 2 and not list(suite.iter("error"))

    code, said = finish(
        fleet.start_plain(
            *WORDS, "--devices-from", "devices.json", "--resume", "out", "--budget", "3h"
        )
    )
    assert code == 0 and "2 of 4 tests stay as they are" in said, said
    assert {r.outcome for r in latest(read_merged(fleet.output)[1])} == {Outcome.PASSED}


def test_time_that_is_left_goes_to_what_was_left_out(fleet: SmallFleet) -> None:
    """Estimates were far too long: nothing takes any time, and all four tests are run."""
    measured(fleet, a=250.0, b=250.0, c=250.0, d=250.0)
    code, said = fleet.run(*WORDS, "--budget", "10m")
    assert code == 0 and "budget 10m: 2 of 4 tests fit in" in said, said
    assert sorted((fleet.root / "begun.txt").read_text()) == list("abcd")
    assert "left out by the budget" not in said


def test_when_the_time_is_over_no_test_starts(fleet: SmallFleet) -> None:
    """Estimates were far too short: the first test takes all of the time."""
    fleet.file("test_slow", "@full\ndef test_slow(flow):\n    time.sleep(14)\n")
    measured(fleet, a=0.5, b=0.5, c=0.5, d=0.5)
    slow = {"slow[full-eval]@cpu": [[1.0, 1.0]]}
    path = fleet.root / "results" / "durations.json"
    path.write_text(
        json.dumps({"schema": 1, "samples": json.loads(path.read_text())["samples"] | slow})
    )
    code, said = fleet.run(*WORDS, "--budget", "14s")
    assert code == 0, said
    outcomes = fleet.outcomes()
    assert outcomes["slow[full-eval]@cpu"] is Outcome.PASSED, "what has begun is let finish"
    _, records = read_merged(fleet.output)
    assert all(is_left_out(r) for r in records if r.outcome is Outcome.NOT_RUN)
    assert any(is_left_out(r) for r in records)


def test_a_run_in_which_nothing_ran_is_no_good_one(fleet: SmallFleet) -> None:
    code, said = fleet.run(*WORDS, "--budget", "1s")
    assert code == 3 and "nothing was run: the budget was over before a test could start" in said
    assert not (fleet.root / "begun.txt").exists()


def test_in_a_shared_directory_all_leave_out_the_same(fleet: SmallFleet) -> None:
    """Whoever comes first says what is in time; a record is written of what was left out."""
    measured(fleet, a=1.0, b=1.0, c=5000.0, d=4000.0)
    there = fleet.root / "there"
    words = (
        *WORDS[:-2], "--history", "none", "--engine", f"shared://{there}",
        "--devices-from", "devices.json",
    )  # fmt: skip
    runs = [fleet.start_plain(*words, "--budget", "10m") for _ in range(2)]
    ends = [finish(run) for run in runs]
    assert [code for code, _ in ends] == [0, 0], ends
    said = next(said for _, said in ends if "did what was promised" in said)
    assert "budget 10m: 2 of 4 tests fit in" in said
    assert "left out by the budget of 10m: 2" in said and "2 of 2 tests did" in said
    header, records = read_merged(there)
    out = {r.identity.variant: r for r in latest(records) if is_left_out(r)}
    assert set(out) == {"c", "d"} and not header.missing and not header.unrun
    assert sorted((fleet.root / "begun.txt").read_text()) == ["a", "b"]
    assert not fleet.processes()


def test_who_joins_a_run_has_its_budget_and_what_is_left_of_it(fleet: SmallFleet) -> None:
    measured(fleet, a=30.0, b=30.0, c=5000.0, d=4000.0)
    fleet.file("test_all", BODY + "    if name == 'a' or name == 'b': time.sleep(600)\n")
    there = fleet.root / "there"
    words = (
        *WORDS[:-2], "--history", "none", "--engine", f"shared://{there}",
        "--devices-from", "devices.json",
    )  # fmt: skip
    first = fleet.start_plain(*words, "--budget", "10m")
    eventually(lambda: (fleet.root / "begun.txt").exists())
    code, said = finish(fleet.start_plain(*words, "--budget", "5m"))
    assert code == 2 and "has --budget 10m; give every participant the same" in said
    code, said = finish(fleet.start_plain(*words))
    assert code == 2 and "has --budget 10m" in said
    first.send_signal(signal.SIGTERM)
    finish(first)
    begun = (there / "shared.json").stat()
    os.utime(there / "shared.json", (begun.st_atime, begun.st_mtime - 590))  # ten minutes ago
    code, said = finish(fleet.start_plain(*words, "--budget", "10m"))
    left = {r.identity.variant for r in latest(read_merged(there)[1]) if is_left_out(r)}
    assert left == {"a", "b", "c", "d"}, said
