# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verbs that run lists, from the command line to the proposals, on plain functions."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
from itertools import pairwise
from pathlib import Path

import pytest

from bringup.harness.records.moves import read_moves
from bringup.harness.records.run_dir import read_merged, read_plans
from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, NIGHTLY_FULL
from tests.integration.small_fleet import SmallFleet, finish

TESTS = """
from bringup.harness.recording.current_test import open_test
from bringup.harness.records.schema import Outcome
DEPTH = "TT_TORCH_COMPILE_DEPTH"

@full
def test_good(flow):
    assert DEPTH not in os.environ
    assert os.path.exists(os.environ["BRINGUP_RUN_DIR"] + "/plan.json")  # before anything runs
@full
def test_early(flow):
    assert os.environ[DEPTH] == "TTNN_IR"
    open_test().outcome = Outcome.REACHED
@full
def test_bad(flow): raise ValueError("no")
@pytest.fixture(scope="module")
def shared(): return []
@pytest.mark.parametrize("variant", range(5))
@full
def test_many(flow, variant, shared):
    shared.append(variant)
    time.sleep(0.1)
    assert int(os.environ["BRINGUP_TEST_DEADLINE"].partition(".")[0]) > time.time() + 800
"""
GOOD = "tests/models/test_night.py::test_good[full-eval]"
EARLY = "tests/models/test_night.py::test_early[full-eval]"
BAD = "tests/models/test_night.py::test_bad[full-eval]"
MANY = [f"tests/models/test_night.py::test_many[full-eval-{i}]" for i in range(5)]


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_night", TESTS)
    return fleet


def test_a_night_that_keeps_every_promise(fleet: SmallFleet) -> None:
    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD], p150=[GOOD])
    fleet.write_list(NIGHTLY_E2E_COMPILE, n150=[EARLY])
    code, said = fleet.run("nightly")
    assert code == 0, said
    assert fleet.outcomes() == {
        "good[full-eval]@cpu": Outcome.PASSED,
        "early[full-eval]@n150": Outcome.REACHED,
    }
    assert "left out: 1 test on p150: the plugin is not installed" in said
    assert "2 of 2 tests did what was promised" in said
    assert read_moves(fleet.output) is not None
    [plan] = read_plans(fleet.output)
    assert plan.session == "nightly" and plan.total == 2
    code, said = fleet.run("nightly", "--dry-run", output=fleet.root / "never")
    assert code == 0 and not (fleet.root / "never").exists()
    assert "nightly_e2e_compile" in said and "test_early[full-eval-n150]" in said
    rows = [line for line in said.splitlines() if "::" in line]
    assert rows and not any(re.match(r"\S+ +\? ", row) for row in rows)  # durations were learned
    before = {p: p.read_text() for p in (fleet.root / "tests/lists").iterdir()}
    code, said = finish(fleet.start_plain("promote", str(fleet.output)))
    assert code == 0, said
    assert {p: p.read_text() for p in before} == before


def test_a_broken_promise_and_a_device_that_is_not_here(fleet: SmallFleet) -> None:
    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD, BAD], p150=[GOOD])
    code, said = fleet.run("nightly", "--device", "cpu")
    assert code == 1
    assert "FAILED bad[full-eval]@cpu: no" in said
    assert "left out" not in said  # nobody asked for it
    output = fleet.root / "named"
    code, said = fleet.run("nightly", "--device", "cpu,p150", "--model", "good", output=output)
    assert code == 3
    assert fleet.outcomes(output) == {
        "good[full-eval]@cpu": Outcome.PASSED,
        "good[full-eval]@p150": Outcome.INFRA,
    }
    assert "p150 is not here: the plugin is not installed" in said


def test_shards_run_apart_and_merge_into_the_whole(fleet: SmallFleet) -> None:
    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD], n150=[GOOD])
    shards = [fleet.root / f"shard-{i}" for i in (1, 2, 3)]
    runs = [
        fleet.start("nightly", "--shard", f"{i}/3", "--run-id", "N1", output=shard)
        for i, shard in enumerate(shards, start=1)
    ]
    ends = [finish(run) for run in runs]
    ran = [len(read_merged(shard)[1]) for shard in shards]
    assert sorted(ran) == [0, 1, 1]
    assert ends[ran.index(0)][0] == 0  # an empty shard is no failure
    whole = fleet.root / "whole"
    code, said = finish(fleet.start_plain("merge", *map(str, shards), "--into", str(whole)))
    assert code == 0, said
    header, records = read_merged(whole)
    assert header.shards == ((1, 3), (2, 3), (3, 3)) and header.missing == ()
    assert [r.identity.key for r in records] == ["good[full-eval]@cpu", "good[full-eval]@n150"]
    half = [str(shards[0]), str(shards[2]), "--into", str(fleet.root / "half")]
    code, said = finish(fleet.start_plain("merge", *half))
    assert code == 3 and "shard 2 of 3 never reported" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nightly", "--device", "n510"], "there is no device `n510`; did you mean n150?"),
        (["nightly", "--model", "goood"], "did you mean good?"),
        (["nightly", "--shard", "1/2"], "give each the same --run-id"),
        (["run", GOOD.replace("good", "goood")], f"did you mean {GOOD}?"),
        (["run"], "`run` needs ids of tests, --model or another filter, or --tests DIR"),
        (["nightly", "--output", "tests"], "exists and is not empty; name another --output"),
        (["nightly", "--lists", "nowhere"], "cannot read the list nowhere/"),
        (["nightly", "--tests", "nowhere"], "the folder of tests nowhere does not exist"),
    ],
)
def test_what_does_not_exist_is_one_sentence_and_nothing_runs(
    fleet: SmallFleet,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    from bringup.pipeline.cli import main

    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD])
    monkeypatch.chdir(fleet.root)
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    assert main([*arguments, "--devices-from", "devices.json"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1
    assert not (fleet.root / "results").exists()


def test_a_misspelled_entry_stops_the_night_before_it_starts(fleet: SmallFleet) -> None:
    fleet.write_list(
        NIGHTLY_FULL, cpu=[GOOD.replace("good", "goood"), EARLY.replace("early", "earyl")]
    )
    code, said = fleet.run("nightly")
    assert code == 2
    assert f"did you mean {GOOD}?" in said and "(and 1 more; see `bringup lists`)" in said
    (fleet.root / "tests" / "lists" / "weekly_full_model_execute.toml").unlink()  # it may be absent
    code, said = finish(fleet.start_plain("lists", "--devices-from", "devices.json"))
    assert code == 2
    assert "nightly_full_model_execute.toml:3" in said
    assert "2 entries on 4 lists, 2 problems" in said


def test_a_device_runs_no_more_tests_at_a_time_than_it_can(fleet: SmallFleet) -> None:
    """And a reader that leaves, as `head` does, does not end the run."""
    fleet.write_list(NIGHTLY_FULL, n150=MANY)
    run = fleet.start("nightly", "--workers", "2")
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(60) == 0
    assert set(fleet.outcomes().values()) == {Outcome.PASSED}
    times = sorted((r.started or 0.0, r.ended or 0.0) for r in fleet.records())
    assert all(end <= start for (_, end), (start, _) in pairwise(times))


def test_a_terminal_gets_a_picture_and_what_failed_stays_on_it(fleet: SmallFleet) -> None:
    fleet.write_list(NIGHTLY_FULL, cpu=[BAD, *MANY])
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    run = fleet.start("nightly", stdout=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # a terminal whose last writer left answers EIO
        while data := os.read(ours, 65536):
            shown += data
    os.close(ours)
    assert run.wait(60) == 1
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "\x1b[" in shown.decode()
    assert "nightly 0/6, 0 ok, about" in text
    assert "FAILED bad[full-eval]@cpu" in text
    assert "PASSED many" not in text
    assert "5 of 6 tests did what was promised" in text
