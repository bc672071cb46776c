# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night in two shards confirms and tries again as a night by itself: real models, real runs."""

from pathlib import Path

import pytest

from bringup.harness.records.night import Judgement, read_night
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import load_journals, read_shared_plan
from bringup.harness.storage.writable import encoded
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.lists.specs import NIGHTLY_FULL, NIGHTLY_OP_BY_OP
from bringup.pipeline.planning.durations import Durations, Sample
from tests.integration.pipeline.test_nights import FLAKE, FLAKY, NET, OTHER, TESTS
from tests.integration.small_fleet import SmallFleet, eventually, finish

pytestmark = pytest.mark.slow
BOTH = """
both = pytest.mark.parametrize("flow", ["full-eval", "op_by_op_torch-eval"])
"""
STEADY = """
@full
def test_steady(flow):
    class Steady(Tester):
        def _load_model(self): return torch.nn.Linear(4, 3)
    tester = Steady("steady", "eval")
    tester.test_model()
    tester.finalize()

@both
def test_rising(flow):
    class Rising(Tester):
        def _load_model(self): return torch.nn.ReLU()
    tester = Rising("rising", "eval")
    tester.test_model()
    tester.finalize()
"""
STEADY_ONE, RISING = (NET.replace("net", name) for name in ("steady", "rising"))
FULL = [NET, OTHER, FLAKY, STEADY_ONE]
RISING_OPS = RISING.replace("full", "op_by_op_torch")
POLICY = """
[demote]
error_rate = 0.005  # after one good night, with two reruns
[promote]
error_rate = 0.08
nights = 1
attempts = 2
cool_down = 0
"""


ON = ("--devices-from", "devices.json")
ALONE = ("--workers", "1", "--history", "none", "--confirm", "120s", *ON)


def said_by(fleet: SmallFleet, *words: str) -> tuple[int, str]:
    return finish(fleet.start_plain(*words), timeout_s=300)


def planned(fleet: SmallFleet, name: str) -> SharedPlan:
    """A plan of two shards, each of three tests, as they all take as long."""
    keys = [f"{t.partition('::test_')[2]}@cpu" for t in (*FULL, RISING, RISING_OPS)]
    durations = Durations({key: (Sample(1.0, 0.0),) for key in keys})
    (fleet.root / "equal.json").write_bytes(encoded(durations))
    places = ("--output", f"{name}/plan.json", "--durations", "equal.json", *ON)
    code, told = said_by(fleet, "plan", "--session", "nightly", "--shards", "2", *places)
    assert code == 0, told
    plan = read_shared_plan(fleet.root / name / "plan.json")
    assert [len(own) for own in plan.shards] == [3, 3]
    return plan


def shard(name: str, i: int) -> tuple[str, ...]:
    """What runs a shard where there is no history."""
    plan, output = f"{name}/plan.json", f"{name}/shards/{i}"
    return ("nightly", "--plan", plan, "--shard", f"{i}/2", "--output", output, *ALONE)


def merged(fleet: SmallFleet, name: str) -> tuple[Path, str]:
    places = ("--plan", f"{name}/plan.json", "--into", f"{name}/night")
    code, said = said_by(fleet, "merge", f"{name}/shards", *places)
    assert code == 0, said
    return fleet.root / name / "night", said


def killed_and_resumed(fleet: SmallFleet, name: str, i: int) -> str:
    """A shard that is killed after its first test, and taken up again."""
    run_dir = fleet.root / name / "shards" / f"{i}"
    process = fleet.start_plain(*shard(name, i))

    def ended() -> set[str]:
        found = load_journals(run_dir)[0] if run_dir.exists() else []
        return {r.identity.model for r in found if r.ended}

    eventually(ended, timeout_s=120)
    process.kill()
    process.communicate()
    eventually(lambda: not fleet.processes(), timeout_s=60)
    if "flaky" not in ended():
        (fleet.root / "once").touch()  # it fails in the run that counts
    return said_by(fleet, "nightly", "--resume", f"{name}/shards/{i}", *ALONE)[1]


def test_two_nights_in_shards(tmp_path: Path) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_night", BOTH + TESTS.replace("@full", "@both", 1) + FLAKE + STEADY)
    fleet.write_list(NIGHTLY_FULL, cpu=FULL)
    fleet.write_list(NIGHTLY_OP_BY_OP, cpu=[RISING_OPS])
    (tmp_path / "tests" / "lists" / "policy.toml").write_text(POLICY)
    planned(fleet, "first")
    said = "".join(said_by(fleet, *shard("first", i))[1] for i in (1, 2))
    assert "starts of pytest" not in said, said  # there is nothing to compare with
    assert "running 1 test again that may go up" in said, said
    first, _ = merged(fleet, "first")
    rounds = {path.name for path in (first / "confirm").iterdir()}
    assert rounds in ({"1-of-2-1-more-1"}, {"2-of-2-1-more-1"})
    history = History(str(tmp_path / "results" / "history"))
    assert {s.passed for s in samples(history) if s.test == "rising[full-eval]@cpu"} == {2}

    for name in ("broken", "once"):
        (tmp_path / name).touch()
    plan = planned(fleet, "second")
    assert all(t.again.new for own in plan.shards for t in own if t.list_name == NIGHTLY_FULL.name)
    has_net = 1 if any(t.identity.model == "net" for t in plan.shards[0]) else 2
    said = killed_and_resumed(fleet, "second", has_net)
    said += said_by(fleet, *shard("second", 3 - has_net))[1]
    assert "run again: net[full-eval]@cpu: regression" in said, said
    assert "run again: flaky[full-eval]@cpu: flake" in said, said
    second, told = merged(fleet, "second")
    assert (second / "confirm" / f"{has_net}-of-2-2-1").is_dir()  # its second attempt confirmed
    verdict = read_night(second)
    assert verdict is not None and verdict.regressed, told
    judged = {t.test.partition("[")[0]: (t.judgement, t.settled) for t in verdict.tests}
    assert judged["net"] == (Judgement.REGRESSION, True), told
    assert judged["flaky"] == (Judgement.FLAKE, True), told
    newest = {s.test: s for s in samples(history, history.runs()[-1:])}
    net = newest["net[full-eval]@cpu"]
    assert (net.passed, net.failed) == (0, 3)
    assert newest["rising[full-eval]@cpu"].passed == 1  # last night's two are enough

    code, said = said_by(fleet, "promote", str(second), "--write")
    assert code == 0, said
    lists = read_lists(tmp_path / "tests" / "lists")
    assert {e.test for e in lists.of(NIGHTLY_FULL)} == {*FULL, RISING} - {NET}
