# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a person asks for, by filters, ids and variables, from the command line to what is run."""

from pathlib import Path

import pytest

from bringup.harness.records.run_dir import read_plans, read_shared_plan
from bringup.harness.records.schema import Outcome
from bringup.pipeline.cli import main
from bringup.pipeline.lists.specs import NIGHTLY_FULL, NIGHTLY_OP_BY_OP
from tests.integration.small_fleet import SmallFleet

BODY = """
FLOWS = ["full", "op_by_op_torch", "op_by_op_stablehlo"]
evals = pytest.mark.parametrize("flow", [f"{flow}-eval" for flow in FLOWS])
@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_bert(flow, mode):
    assert "BRINGUP_NO_CACHE" not in os.environ
    assert os.environ["BRINGUP_RECHECK"] == "1%"
@evals
def test_albert(flow): pass
@evals
def test_bad_full(flow): pass
"""
HERE = ("--devices-from", "devices.json", "--device", "cpu")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    path = fleet.file("test_all", BODY)
    full = [f"{path}::test_{model}[full-eval]" for model in ("albert", "bad_full")]
    fleet.write_list(NIGHTLY_FULL, cpu=full)
    ops = f"{path}::test_bad_full[op_by_op_torch-eval]"
    fleet.write_list(NIGHTLY_OP_BY_OP, cpu=[ops])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    return fleet


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    """The tests of a dry run, without their file and device."""
    assert main([*words, "--dry-run", *HERE]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line.rpartition("::")[2].replace("-cpu]", "]") for line in lines if "::" in line}


def test_filters_narrow_what_lists_ids_and_the_fleet_hold(
    fleet: SmallFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(planned(capsys, "nightly")) == 3
    assert planned(capsys, "nightly", "--flow", "full", "--model", "bad_") == {
        "test_bad_full[full-eval]"
    }
    assert planned(capsys, "nightly", "--flow", "op_by_op") == {
        "test_bad_full[op_by_op_torch-eval]"
    }
    whole = planned(capsys, "run", "--model", "bad_", "--model", "albert", "--flow", "full")
    assert whole == {"test_bad_full[full-eval]", "test_albert[full-eval]"}
    trained = planned(capsys, "run", "./tests/models/test_all.py", "--mode", "train")
    assert len(trained) == 3 and all("train" in name for name in trained)
    split = planned(capsys, "op_by_op", "--model", "bert", "--mode", "eval")
    assert len(split) == 1 and "op_by_op_torch" in split.pop()
    assert planned(
        capsys, "op_by_op", "--all", "--flow", "op_by_op_stablehlo", "--model", "alb"
    ) == {"test_albert[op_by_op_stablehlo-eval]"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nightly", "--model", "bert"], "no test of nightly on cpu is of model `bert`"),
        (["nightly", "--model", "albret"], "did you mean albert?"),
        (["run", "--model", "bad_", "--model", "op_by_op_torch"],
         "no model has `op_by_op_torch` in its name; a flow is called so: --flow op_by_op_torch"),
        (["op_by_op", "--all", "--flow", "full"], "is of flow `full`"),
        (["run", "tests/models/test_all.py::test_alber"], "did you mean"),
        (["plan", "--shards", "2", "--mode", "trian"], "did you mean train?"),
    ],
)  # fmt: skip
def test_what_leaves_nothing_is_one_sentence(
    fleet: SmallFleet,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    assert main([*words, *HERE]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_a_dry_run_says_where_each_value_came_from(
    fleet: SmallFleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_DEVICE", "cpu")
    monkeypatch.setenv("BRINGUP_WORKERS", "3")
    devices = ("--devices-from", "devices.json")
    assert main(["plan", "--shards", "1", "--flow", "full", *devices]) == 0
    assert read_shared_plan(Path("results/plan.json")).chosen["flows"] == ("full",)
    capsys.readouterr()
    monkeypatch.setenv("BRINGUP_DEVICE", "n150")
    assert main(["nightly", "--plan", "results/plan.json", "--dry-run", *devices]) == 0
    said = capsys.readouterr().out
    for line in (
        "--flow full  (plan)",
        "--device cpu  (plan)",
        "--workers 3  (environment)",
        "--plan results/plan.json  (command line)",
        "--dry-run  (command line)",
        "every other option has its default",
    ):
        assert f"\n{line}\n" in said, said
    assert "--timeout" not in said and "test_albert[full-eval-cpu]" in said
    refused = ["nightly", "--plan", "results/plan.json", "--flow", "op_by_op_torch", *devices]
    assert main(refused) == 2
    assert "was planned with --flow full; give no option" in capsys.readouterr().err


def test_what_is_resumed_is_filtered_as_it_was_and_knows_no_other_cache(
    fleet: SmallFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_NO_CACHE", "1")
    chosen = ("op_by_op", "--model", "bert", "--flow", "op_by_op_stablehlo", "--recheck", "1%")
    code, said = fleet.run(*chosen, "--device", "cpu,p150", "--mode", "eval")
    assert code == 3 and "1 PASSED, 1 INFRA" in said, said
    monkeypatch.setenv("BRINGUP_DEVICE", "n150")
    run = fleet.start_plain("op_by_op", "--resume", "out", "--devices-from", "devices.json")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 3 and "resumed: 1 of 2 tests stay as they are" in said, said
    assert sorted(fleet.outcomes().values()) == [Outcome.INFRA, Outcome.PASSED]
    [plan] = read_plans(fleet.output)
    assert plan.chosen["flows"] == ("op_by_op_stablehlo",) and plan.chosen["recheck"] == ("1%",)
    run = fleet.start_plain("op_by_op", "--resume", "out", "--mode", "train")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 2 and "out was planned with --mode eval; resume it with" in said


def test_a_device_of_the_environment_that_is_none_is_named(
    fleet: SmallFleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_DEVICE", "n510")
    assert main(["nightly", "--devices-from", "devices.json"]) == 2
    assert "there is no device `n510`; did you mean n150?" in capsys.readouterr().err
