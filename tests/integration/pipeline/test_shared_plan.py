# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night by the real command line: planned once, run in shards, merged; no test is lost."""

import json
from pathlib import Path

import pytest

from bringup.harness.records.outcomes import outcome_counts_of_run
from bringup.harness.records.run_dir import read_merged, read_shared_plan
from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from bringup.reports.build import build
from tests.integration.small_fleet import SmallFleet, finish

PLAN = "results/plan.json"
BODY = """
@full
@pytest.mark.parametrize("size", range(8))
def test_short(size, flow):
    time.sleep(0.01 * size)
"""
TWINS = """
@full
class TestA:
    def test_twin(self, flow): assert False
@full
class TestB:
    def test_twin(self, flow): pass
"""


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    path = fleet.file("test_all", BODY)
    fleet.write_list(
        NIGHTLY_FULL,
        cpu=[f"{path}::test_short[{i}-full-eval]" for i in range(8)],
        n150=[f"{path}::test_short[{i}-full-eval]" for i in range(2)],
        p150=[f"{path}::test_short[0-full-eval]"],
    )
    return fleet


def told(fleet: SmallFleet, *words: str) -> tuple[int, str]:
    return finish(fleet.start_plain(*words))


def test_two_nights_of_one_plan_each_lose_nothing(fleet: SmallFleet) -> None:
    devices = ("--devices-from", "devices.json")
    for night in ("1", "2"):
        code, said = told(
            fleet, "plan", "--shards", "2", "--device", "cpu,n150,p150", "--run-id", night, *devices
        )
        assert code == 0 and "11 tests on cpu, n150, p150" in said, said
        plan = read_shared_plan(fleet.root / PLAN)
        for i in ("1", "2"):  # each runner has what only it learned
            durations = ("--durations", f"durations-{i}.json")
            shard = (
                "--plan",
                PLAN,
                "--shard",
                f"{i}/2",
                "--output",
                f"{night}/shards/{i}",
            )
            code, said = told(fleet, "nightly", *shard, *durations, *devices)
            assert code in (0, 1, 3), said
        code, said = told(fleet, "merge", f"{night}/shards", "--into", f"{night}/night")
        assert code == 0 and "missing" not in said, said
        header, records = read_merged(fleet.root / night / "night")
        assert header.whole == plan.digest and header.missing == () and header.planned == 11
        words = {r.identity.key: r.outcome for r in records}
        assert words["short[full-0-eval]@p150"] is Outcome.INFRA, "no runner has a p150"
        assert len(words) == 11 and Outcome.NOT_RUN not in words.values()


def test_what_a_lost_shard_should_have_run_is_named_and_counted_alike(fleet: SmallFleet) -> None:
    devices = ("--devices-from", "devices.json", "--device", "cpu")
    told(fleet, "plan", "--shards", "2", "--run-id", "N", *devices)
    shard = ("--plan", PLAN, "--shard", "2/2", "--output", "shards/2")
    code, said = told(fleet, "nightly", *shard, *devices)
    assert code == 0, said
    code, said = told(fleet, "merge", "shards", "--plan", PLAN, "--into", "night")
    lost = [t.identity.key for t in read_shared_plan(fleet.root / PLAN).shards[0]]
    assert code == 3 and all(key in said for key in lost), said
    built = build(fleet.root / "night").run
    words = outcome_counts_of_run(fleet.root / "night")
    assert words == {Outcome.PASSED: 8 - len(lost), Outcome.NOT_RUN: len(lost)}
    assert built.overall.counts == words and built.lost == len(lost)
    assert f"({words[Outcome.PASSED]} PASSED, {len(lost)} NOT_RUN)" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nightly", "--plan", PLAN), 2, "say which one is to run with --shard I/2"),
        (("nightly", "--plan", PLAN, "--shard", "1/3"), 2, "is a plan for 2 shards"),
        (("weekly", "--plan", PLAN, "--shard", "1/2"), 2, "is a plan of nightly"),
        (
            ("nightly", "--plan", PLAN, "--shard", "1/2", "--device", "cpu,n150"),
            2,
            "give no option that chooses tests beside --plan",
        ),
        (
            ("nightly", "--plan", PLAN, "--shard", "1/2", "--run-id", "M"),
            2,
            "the run N",
        ),
        (("nightly", "--plan", "none.json", "--shard", "1/2"), 2, "cannot read none.json"),
        (("nightly", "--plan", "devices.json", "--shard", "1/2"), 2, "devices.json: not a"),
    ],
)
def test_a_plan_and_what_is_said_beside_it_agree(
    fleet: SmallFleet, words: tuple[str, ...], code: int, said: str
) -> None:
    told(fleet, "plan", "--shards", "2", "--run-id", "N", "--device", "cpu",
         "--devices-from", "devices.json")  # fmt: skip
    found, text = told(fleet, *words, "--devices-from", "devices.json", "--output", "out")
    assert (found, said in text, "Traceback" in text) == (code, True, False), text


def test_github_gets_the_matrix_of_the_shards(
    fleet: SmallFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(fleet.root / "outputs"))
    told(fleet, "plan", "--shards", "50", "--device", "cpu", "--devices-from", "devices.json")
    name, _, value = (fleet.root / "outputs").read_text().partition("=")
    jobs = json.loads(value)["include"]
    assert name == "matrix" and [j["index"] for j in jobs] == list(range(1, 9))
    assert jobs[-1]["shard"] == "8/8", "no more shards than tests"


def test_classes_are_told_apart_and_files_of_one_name_are_refused(fleet: SmallFleet) -> None:
    fleet.file("test_classes", TWINS)
    code, said = fleet.run("run", "--model", "twin", "--device", "cpu")
    assert code == 1, said
    assert fleet.outcomes() == {
        "TestA.twin[full-eval]@cpu": Outcome.FAILED,
        "TestB.twin[full-eval]@cpu": Outcome.PASSED,
    }
    for name in ("test_one", "test_other"):
        fleet.file(name, "@full\ndef test_same(flow): assert __name__.endswith('one')\n")
    refused = "test_one.py::test_same[full-eval] and tests/models/test_other.py::test_same"
    code, said = fleet.run("run", "--model", "same", "--device", "cpu", output=fleet.root / "new")
    assert code == 2 and refused in said


NEEDY = """
import pytest

@pytest.mark.needs(kinds=["n150"], chips=2)
@full
def test_two_boards(flow): pass

@pytest.mark.needs(exclusive=True)
@full
def test_alone(flow): pass
"""
FLEET = """
[[runner]]
name = "hosted"
count = 2
labels = ["ubuntu-latest"]
devices = { cpu = 2 }

[[runner]]
name = "board"
labels = ["self-hosted", "n150"]
devices = { cpu = 1, n150 = 1 }
"""


def test_a_fleets_runners_get_what_they_can_run_and_their_labels(
    fleet: SmallFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fleet.root / "fleet.toml").write_text(FLEET)
    monkeypatch.setenv("GITHUB_OUTPUT", str(fleet.root / "outputs"))
    words = ("plan", "--fleet", "fleet.toml", "--devices-from", "devices.json")
    code, said = told(fleet, *words)
    assert code == 0 and "left out: 1 test on p150" in said, said
    shared = read_shared_plan(fleet.root / PLAN)
    assert shared.runners == ("hosted-1", "hosted-2", "board") and shared.total == 10
    of_board = shared.shards[shared.runners.index("board")]
    assert [t for s in shared.shards for t in s if t.identity.device == "n150"] == [
        t for t in of_board if t.identity.device == "n150"
    ]
    jobs = json.loads((fleet.root / "outputs").read_text().partition("=")[2])["include"]
    assert [job["labels"] for job in jobs] == [["ubuntu-latest"]] * 2 + [["self-hosted", "n150"]]
    code, said = told(fleet, "nightly", *words[1:], "--dry-run")
    assert code == 0 and "shard 3/3 board:" in said, said
    code, said = told(fleet, "nightly", *words[1:])
    assert code == 2 and "fleet.toml has 3 runners and this machine is one" in said, said
    code, said = told(fleet, "nightly", *words[1:], "--shard", "2/3")
    assert code == 2 and "leave --fleet out beside --plan and --shard" in said, said


def test_what_nothing_here_can_meet_is_refused_by_name(fleet: SmallFleet) -> None:
    path = fleet.file("test_needy", NEEDY)
    devices = ("--device", "cpu", "--devices-from", "devices.json")
    code, said = fleet.run("run", path, *devices)
    assert fleet.outcomes() == {
        "two_boards[full-eval]@cpu": Outcome.NOT_RUN,
        "alone[full-eval]@cpu": Outcome.PASSED,
    }, said
    assert code == 3 and "it needs n150, and is planned on cpu" in said, said
    (fleet.root / "fleet.toml").write_text(FLEET)
    code, said = told(
        fleet, "run", path, "--fleet", "fleet.toml", "--device", "n150", *devices[2:], "--dry-run"
    )
    assert code == 2 and "two_boards[full-eval]@n150: no runner has 2 of n150" in said, said
