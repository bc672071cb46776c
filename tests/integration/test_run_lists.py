# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verbs that run lists, from the command line to the proposals, on plain functions."""

from pathlib import Path

import msgspec
import pytest

from harness.records.moves import read_moves
from harness.records.run_dir import read_merged, read_plans
from harness.records.schema import Outcome
from pipeline.lists import ListName
from tests.integration.small_fleet import SmallFleet, finish

TESTS = """
from harness import recording
from harness.records.schema import Outcome
DEPTH = "TT_TORCH_COMPILE_DEPTH"

@full
def test_good(flow): assert DEPTH not in os.environ
@full
def test_early(flow):
    assert os.environ[DEPTH] == "TTNN_IR"
    recording.current_test.verdict = Outcome.REACHED
@full
def test_bad(flow): raise ValueError("no")
@pytest.fixture(scope="module")
def shared(): return []
@pytest.mark.parametrize("variant", range(5))
@full
def test_many(flow, variant, shared):
    shared.append(variant)
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
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD], p150=[GOOD])
    fleet.write_list(ListName.NIGHTLY_E2E_COMPILE, n150=[EARLY])
    code, said = fleet.run("nightly")
    assert code == 0, said
    assert fleet.outcomes() == {
        "good[full-eval]@cpu": Outcome.PASSED,
        "early[full-eval]@n150": Outcome.REACHED,
    }
    assert "left out: 1 tests on p150: the plugin is not installed" in said
    assert "2 of 2 tests did what was promised" in said
    assert read_moves(fleet.output) is not None
    [plan] = read_plans(fleet.output)
    assert plan.session == "nightly" and plan.total == 2
    code, said = fleet.run("nightly", "--dry-run", output=fleet.root / "never")
    assert code == 0 and not (fleet.root / "never").exists()
    assert "nightly_e2e_compile" in said and "test_early[full-eval-n150]" in said
    assert "?" not in said  # durations were learned


def test_a_broken_promise_and_a_device_that_is_not_here(fleet: SmallFleet) -> None:
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD, BAD], p150=[GOOD])
    code, said = fleet.run("nightly", "--device", "cpu")
    assert code == 1
    assert "FAILED bad[full-eval]@cpu: no" in said
    assert "left out: 1 tests on p150: the plugin is not installed" in said
    output = fleet.root / "named"
    code, said = fleet.run("nightly", "--device", "cpu,p150", "--model", "good", output=output)
    assert code == 3
    assert fleet.outcomes(output) == {
        "good[full-eval]@cpu": Outcome.PASSED,
        "good[full-eval]@p150": Outcome.INFRA,
    }
    assert "p150 is not here: the plugin is not installed" in said


def test_shards_run_apart_and_merge_into_the_whole(fleet: SmallFleet) -> None:
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD, *MANY], n150=[GOOD])
    shards = [fleet.root / f"shard-{i}" for i in (1, 2)]
    runs = [
        fleet.start("nightly", "--shard", f"{i}/2", "--run-id", "N1", output=shard)
        for i, shard in enumerate(shards, start=1)
    ]
    ends = [finish(run) for run in runs]
    assert [code for code, _ in ends] == [1, 1] or {code for code, _ in ends} <= {0, 1}, ends
    whole = fleet.root / "whole"
    merging = fleet.start_plain("merge", *map(str, shards), "--into", str(whole))
    code, said = finish(merging)
    assert code == 0, said
    header, records = read_merged(whole)
    assert header.shards == ((1, 2), (2, 2)) and header.missing == ()
    keys = [r.identity.key for r in records]
    assert len(keys) == header.planned == 7 == len(set(keys))
    partial = finish(fleet.start_plain("merge", str(shards[0]), "--into", str(fleet.root / "half")))
    assert partial[0] == 3 and "shard 2 of 2 never reported" in partial[1]


def test_an_empty_shard_is_no_failure(fleet: SmallFleet) -> None:
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD])
    codes = [
        fleet.start("nightly", "--shard", f"{i}/3", "--run-id", "N", output=fleet.root / str(i))
        for i in (1, 2, 3)
    ]
    assert [finish(run)[0] for run in codes] == [0, 0, 0]
    ran = [len(read_merged(fleet.root / str(i))[1]) for i in (1, 2, 3)]
    assert sorted(ran) == [0, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nightly", "--device", "n510"], "there is no device `n510`; did you mean n150?"),
        (["nightly", "--model", "goood"], "did you mean good?"),
        (["nightly", "--shard", "1/2"], "give each the same --run-id"),
        (["run", GOOD.replace("good", "goood")], f"did you mean {GOOD}?"),
        (["run"], "`run` needs ids of tests, or --model"),
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
    from pipeline.cli import main

    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD])
    monkeypatch.chdir(fleet.root)
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    assert main([*arguments, "--devices-from", "devices.json"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1
    assert not (fleet.root / "results").exists()


def test_a_misspelled_entry_stops_the_night_before_it_starts(fleet: SmallFleet) -> None:
    fleet.write_list(
        ListName.NIGHTLY_FULL, cpu=[GOOD.replace("good", "goood"), EARLY.replace("early", "earyl")]
    )
    code, said = fleet.run("nightly")
    assert code == 2
    assert f"did you mean {GOOD}?" in said and "(and 1 more; see `bringup lists`)" in said
    code, said = finish(fleet.start_plain("lists", "--devices-from", "devices.json"))
    assert code == 2
    assert "nightly_full_model_execute.toml:3" in said and "2 problems" in said


def test_promote_writes_the_lists_only_when_asked(fleet: SmallFleet) -> None:
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=[GOOD])
    code, _ = fleet.run("nightly")
    assert code == 0
    before = {p: p.read_text() for p in (fleet.root / "tests/lists").iterdir()}
    code, said = finish(fleet.start_plain("promote", str(fleet.output)))
    assert code == 0, said
    assert {p: p.read_text() for p in before} == before
    assert read_moves(fleet.output) is not None


def test_a_reader_that_leaves_does_not_end_the_run(fleet: SmallFleet) -> None:
    fleet.write_list(ListName.NIGHTLY_FULL, cpu=MANY)
    run = fleet.start("nightly")
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(60) == 0
    assert set(fleet.outcomes().values()) == {Outcome.PASSED}


def test_the_plan_is_written_before_anything_runs(fleet: SmallFleet) -> None:
    fleet.file(
        "test_peek",
        "@full\ndef test_peek(flow):\n    open('plan-seen', 'wb').write(open("
        "os.environ['BRINGUP_RUN_DIR'] + '/plan.json', 'rb').read())\n",
    )
    code, said = fleet.run("run", "--model", "peek", "--device", "cpu")
    assert code == 0, said
    seen = msgspec.json.decode((fleet.root / "plan-seen").read_bytes())
    assert len(seen["tests"]) == 1
