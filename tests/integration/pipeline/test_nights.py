# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights of real models, one after the other: what is new, known and fixed, and who says so."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bringup.harness.records.night import Judgement, read_night
from bringup.harness.records.recent import merged_runs
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.records.trends import read_trends
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from bringup.reports.build import build
from bringup.reports.catalog import chosen
from tests.integration.small_fleet import SmallFleet, finish

TESTS = """
import torch
from bringup import ModelTester

class Net(torch.nn.Module):
    def forward(self, x):
        return torch.special.airy_ai(x) if os.path.exists("broken") else x * 2 + 1

class Tester(ModelTester):
    def _load_model(self): return Net()
    def _load_inputs(self): return torch.rand(3, 4)

@full
def test_net(flow):
    tester = Tester("net", "eval")
    tester.test_model()
    tester.finalize()

@full
def test_other(flow):
    class Other(Tester):
        def _load_model(self): return torch.nn.Linear(4, 2)
    tester = Other("other", "eval")
    tester.test_model()
    tester.finalize()
"""
NET = "tests/models/test_night.py::test_net[full-eval]"
OTHER = "tests/models/test_night.py::test_other[full-eval]"
ALONE = ("--workers", "1")
"""A worker imports torch for seconds, and how many there are is no matter here."""


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallFleet, list[tuple[int, str]]]:
    """Four nights: good, broken, still broken, good again."""
    fleet = SmallFleet(tmp_path_factory.mktemp("nights"))
    fleet.file("test_night", TESTS)
    fleet.write_list(NIGHTLY_FULL, cpu=[NET, OTHER])
    told = []
    for night in range(4):
        broken = fleet.root / "broken"
        broken.touch() if night in (1, 2) else broken.unlink(missing_ok=True)
        told.append(
            finish(
                fleet.start(
                    "nightly", *ALONE, "--confirm", "0", output=fleet.root / f"night-{night}"
                ),
                timeout_s=600,
            )
        )
    return fleet, told


def details(told: list[str]) -> list[str]:
    """What `explain` tells below its ten lines."""
    assert told[10] == "in detail", told
    return [line.removeprefix("  ") for line in told[11:]]


def asked(fleet: SmallFleet, *words: str) -> tuple[int, list[str]]:
    process = fleet.start_plain(*words)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said.splitlines()


Nights = tuple[SmallFleet, list[tuple[int, str]]]


def test_each_night_is_judged_against_the_one_before(nights: Nights) -> None:
    _, told = nights
    assert [code for code, _ in told] == [0, 1, 1, 0], told
    assert "the first of its kind: 0 new, 0 known" in told[0][1]
    assert "1 new, 0 known; first: net[full-eval]@cpu, suspected" in told[1][1]
    assert "new cause: aten.special_airy_ai: no legal lowering (1 on cpu)" in told[1][1]
    assert re.search(r"against nightly-\S+: 0 new, 1 known", told[2][1])
    assert re.search(r"against nightly-\S+: 0 new, 0 known, 1 fixed", told[3][1])


def test_the_verdict_is_among_the_runs_records(nights: Nights) -> None:
    fleet, _ = nights
    verdict = read_night(fleet.root / "night-1")
    assert verdict is not None and verdict.regressed and verdict.baseline is not None
    (one,) = verdict.tests
    assert (one.test, one.judgement, one.gating) == (
        "net[full-eval]@cpu",
        Judgement.SUSPECTED,
        True,
    )
    assert one.stage in (Stage.TORCH_BACKEND_IR, Stage.STABLEHLO, Stage.EXPORT, Stage.DECOMPOSE)
    assert one.last_good is not None and one.last_good.run == verdict.baseline.run
    (cause,) = verdict.clusters
    assert cause.tests == (one.test,) and cause.first_seen is not None
    assert cause.first_seen.run == verdict.run and "bringup run" in cause.command
    fixed = read_night(fleet.root / "night-3")
    assert fixed is not None and not fixed.regressed
    assert [(t.test, t.judgement) for t in fixed.tests] == [("net[full-eval]@cpu", Judgement.FIXED)]


def test_why_explain_and_compare(nights: Nights) -> None:
    fleet, _ = nights
    code, why = asked(fleet, "why", "night-1")
    assert code == 1 and "1 new, 0 known; first: net[full-eval]@cpu" in why[0]
    verdict = read_night(fleet.root / "night-1")
    assert verdict is not None
    assert asked(fleet, "why", verdict.run) == (code, why), "its directory is none of results/"
    code, why = asked(fleet, "why")
    assert code == 0 and "1 fixed" in why[0]
    code, told = asked(fleet, "explain", "net")
    assert code == 0 and told[0].startswith("net[full-eval]@cpu: runs end to end"), told
    story = details(told)
    assert story[0] == "net[full-eval]@cpu: fixed", story
    assert any(line.startswith("streak") and "[.FF.]" in line for line in story), story
    assert story[-1].startswith("again       bringup run ")
    code, said = asked(fleet, "compare", "night-0", "night-1")
    assert code == 1 and any("PASSED -> FAILED" in line for line in said), said
    code, said = asked(fleet, "compare", "night-1", "night-0")  # the earlier one against the later
    assert code == 0 and any("fixed net[full-eval]@cpu: FAILED -> PASSED" in line for line in said)
    code, said = asked(fleet, "compare", "night-3", "night-2")
    assert code == 1 and any("PASSED -> FAILED" in line for line in said), said
    code, said = asked(fleet, "compare", "night-1", "night-3")
    assert code == 0 and any("fixed net[full-eval]@cpu: FAILED -> PASSED" in line for line in said)


def test_two_runs_are_a_page_of_their_own(nights: Nights) -> None:
    fleet, _ = nights
    runs = [read_merged(fleet.root / f"night-{night}")[0].run_id for night in (2, 3)]
    code, said = asked(fleet, "compare", "night-3", "night-2", "--html")
    assert code == 1 and any("PASSED -> FAILED" in line for line in said), said
    into = fleet.root / "night-2" / "against" / runs[1]
    verdict, trends = read_night(into), read_trends(into)
    assert verdict is not None and verdict.baseline is not None and trends is not None
    assert (verdict.run, verdict.baseline.run) == (runs[0], runs[1])
    assert {text.test for text in trends.earlier} == {"net[full-eval]@cpu"}  # to lay side by side
    assert into / "run.json" not in merged_runs(fleet.root)
    page, *_ = build(into, reporters=chosen(("html",))).of_run.documents
    assert "suspected" in page.path.read_text() and "side by side" in page.path.read_text()
    assert read_night(fleet.root / "night-2") != verdict  # a night's own verdict stays
    code, said = asked(fleet, "compare", "night-3", runs[0], "--html")
    assert code == 2 and len(said) == 1 and "there is no results/" in said[0], said


def test_what_is_tried_at_a_desk_is_no_night(nights: Nights) -> None:
    fleet, _ = nights
    (fleet.root / "broken").touch()
    try:
        code, said = finish(
            fleet.start("run", NET, *ALONE, "--device", "cpu", output=fleet.root / "tried"),
            timeout_s=600,
        )
    finally:
        (fleet.root / "broken").unlink()
    assert code == 1 and "FAILED net[full-eval]@cpu" in said
    story = details(asked(fleet, "explain", "net")[1])
    assert story[0] == "net[full-eval]@cpu: fixed" and any("[.FF.]" in line for line in story)


def test_what_is_not_there_is_one_sentence(nights: Nights) -> None:
    fleet, _ = nights
    for words, why in (
        (("why", "nightly-never"), "history knows no run nightly-never"),
        (("explain", "nett"), "history knows no test `nett`"),
        (("explain", "full"), "`full` is 2 tests: "),
        (("compare", "night-0", "never"), "history knows no run never"),
        (("why", "--history", "none"), "there is no history"),
        (("why", "--history", "empty"), "has no run yet"),
    ):
        code, said = asked(fleet, *words)
        assert code == 2 and len(said) == 1 and why in said[0], said


def test_history_is_rebuilt_from_the_runs(nights: Nights, tmp_path: Path) -> None:
    fleet, _ = nights
    runs = tmp_path / "runs"
    for night in range(4):
        shutil.copytree(fleet.root / f"night-{night}", runs / f"night-{night}")
    code, said = asked(fleet, "history", "rebuild", str(runs), "--history", str(tmp_path / "new"))
    assert (code, said) == (0, [f"4 runs in the history at {tmp_path / 'new'}"])
    kept = json.loads((fleet.root / "night-1" / "night.json").read_text())
    (fleet.root / "night-1" / "night.json").unlink()
    judged = asked(fleet, "why", "night-1", "--history", str(tmp_path / "new"))
    (fleet.root / "night-1" / "night.json").write_text(json.dumps(kept))
    assert judged == asked(fleet, "why", "night-1")


@pytest.fixture(scope="module")
def sandwich(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallFleet, str, str]:
    """A regression and a flake, found in one night after a good one, and run again at once."""
    fleet = SmallFleet(tmp_path_factory.mktemp("sandwich"))
    fleet.file("test_night", TESTS + FLAKE)
    fleet.write_list(NIGHTLY_FULL, cpu=[NET, OTHER, FLAKY])
    sure_at_once = "[demote]\nerror_rate = 0.005\n"  # after one good night, with two reruns
    (fleet.root / "tests" / "lists" / "policy.toml").write_text(sure_at_once)
    _, first = finish(fleet.start("nightly", *ALONE, output=fleet.root / "night-0"), timeout_s=600)
    for name in ("broken", "once"):
        (fleet.root / name).touch()
    _, second = finish(fleet.start("nightly", *ALONE, output=fleet.root / "night-1"), timeout_s=600)
    header = read_merged(fleet.root / "night-1")[0]
    (fleet.root / "results" / header.run_id).symlink_to(fleet.root / "night-1")  # as by default
    return fleet, first, second


FLAKE = """
class Sometimes(torch.nn.Module):
    def forward(self, x):
        return torch.special.airy_ai(x) if self.bad else x * 3

@full
def test_flaky(flow):
    class Flaky(Tester):
        def _load_model(self):
            model = Sometimes()
            model.bad = os.path.exists("once")
            if model.bad: os.remove("once")
            return model
    tester = Flaky("flaky", "eval")
    tester.test_model()
    tester.finalize()
"""
FLAKY = "tests/models/test_night.py::test_flaky[full-eval]"


def test_a_regression_is_told_from_a_flake_in_the_same_night(
    sandwich: tuple[SmallFleet, str, str],
) -> None:
    fleet, first, second = sandwich
    assert "run again" not in first and "running" not in first  # nothing to compare with
    assert "running 2 new failures again, about " in second
    assert "run again: net[full-eval]@cpu: regression" in second
    assert "run again: flaky[full-eval]@cpu: flake" in second
    verdict = read_night(fleet.root / "night-1")
    assert verdict is not None and verdict.regressed
    words = {one.test.partition("[")[0]: (one.judgement, one.settled) for one in verdict.tests}
    assert words == {"net": (Judgement.REGRESSION, True), "flaky": (Judgement.FLAKE, True)}
    assert "1 new, 0 known, 1 flaky; first: net[full-eval]@cpu, regression" in second
    story = details(asked(fleet, "explain", "net")[1])
    assert story[0] == "net[full-eval]@cpu: regression"
    assert "first: net[full-eval]@cpu, regression" in asked(fleet, "why")[1][0]
    runs = sorted((fleet.root / "night-1" / "confirm").iterdir())
    assert [len(read_merged(run)[1]) for run in runs] == [1, 2, 1, 2, 1]
    assert {r.identity.model for run in runs[::2] for r in read_merged(run)[1]} == {"other"}


def test_reruns_are_attempts_in_the_history_and_no_runs_of_their_own(
    sandwich: tuple[SmallFleet, str, str],
) -> None:
    fleet, _, _ = sandwich
    history = History(str(fleet.root / "results" / "history"))
    assert len(history.runs()) == 2
    newest = {s.test.partition("[")[0]: s for s in samples(history, history.runs()[-1:])}
    assert (newest["net"].passed, newest["net"].failed) == (0, 3)
    assert (newest["flaky"].passed, newest["flaky"].failed) == (2, 1)
    assert (newest["other"].passed, newest["other"].failed) == (4, 0)
    assert newest["flaky"].outcome is Outcome.FAILED  # what the night itself saw stays
    assert len(merged_runs(fleet.root / "night-1")) == 1
