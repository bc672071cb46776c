# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Several testers in one test: a verdict each, the worst is the test's, and nobody else's model."""

import sys
from pathlib import Path

import pytest

from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Outcome, Status
from tests.integration.pytest_runs import MINIATURE, ROOT, Done, run_command, run_pytest

ORDERS = ("ab", "ba", "a", "b", "never")


ON_DEVICES = "phases or by_device or changed"
FILE = f"{MINIATURE}/test_testers.py"


@pytest.fixture(scope="module")
def testers(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run_pytest(tmp_path_factory.mktemp("run"), FILE, "-k", f"not ({ON_DEVICES})")


@pytest.fixture(scope="module")
def on_devices(tmp_path_factory: pytest.TempPathFactory) -> Done:
    devices = ("--device", "cpu,interpreter,n150")
    return run_pytest(tmp_path_factory.mktemp("run"), FILE, "-k", ON_DEVICES, *devices)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("which", ["wrong_right", "right_wrong", "wrong_wrong", "right_right"])
def test_the_worst_of_two_is_the_tests_in_whatever_order_they_are_finalized(
    testers: Done, which: str, order: str
) -> None:
    record = testers.records[f"two[full-{which}-{order}-eval]@cpu"]
    wrong = [
        name
        for name, word in zip(("first", "second"), which.split("_"), strict=True)
        if word == "wrong"
    ]
    assert [o.path for o in record.outputs] == ["first", "second"]
    assert [o.path for o in record.outputs if not o.ok] == wrong
    if not wrong:
        assert record.outcome is Outcome.PASSED
        return
    assert record.outcome is Outcome.INCORRECT
    assert record.failure is not None
    assert record.failure.message.startswith(f"{wrong[0]}: output: pcc")
    assert f"test_two[{which}-{order}]" in testers.output, "pytest fails it too"


def test_a_mismatch_that_the_body_expects_stays_on_record(testers: Done) -> None:
    assert testers.records["raising_is_expected[full-eval]@cpu"].outcome is Outcome.INCORRECT


@pytest.mark.parametrize("finalized", ["finalized", "not"])
@pytest.mark.parametrize("order", ["wrong_right", "right_wrong", "right_right"])
def test_a_tester_that_runs_again_takes_nothing_back(
    testers: Done, order: str, finalized: str
) -> None:
    record = testers.records[f"run_again[full-{finalized}-{order}-eval]@cpu"]
    good = order == "right_right"
    assert record.outcome is (Outcome.PASSED if good else Outcome.INCORRECT)
    assert [o.path for o in record.outputs] == ["again", "again#2"]
    assert [o.ok for o in record.outputs] == [word == "right" for word in order.split("_")]
    assert (f"test_run_again[{finalized}-{order}" in testers.output) is not good


def test_what_was_raised_is_not_raised_by_the_next_run(testers: Done) -> None:
    record = testers.records["run_again_after_it_was_raised[full-eval]@cpu"]
    assert record.outcome is Outcome.INCORRECT
    assert "::test_run_again_after_it_was_raised" not in testers.output


@pytest.mark.parametrize("word", ["wrong", "right", "wrong_too"])
def test_a_tester_of_several_tests_has_a_record_in_each(testers: Done, word: str) -> None:
    record = testers.records[f"shares_a_tester[full-{word}-eval]@cpu"]
    assert record.outcome is (Outcome.PASSED if word == "right" else Outcome.INCORRECT)
    assert record.outputs and (f"test_shares_a_tester[{word}" in testers.output) is (
        word != "right"
    )


@pytest.mark.parametrize("name", ["set_before_anything_is_loaded", "set_between_runs_of_onnx"])
def test_inputs_that_a_body_sets_are_the_ones_that_run(testers: Done, name: str) -> None:
    assert testers.records[f"{name}[full-eval]@cpu"].outcome is Outcome.PASSED


def test_a_test_got_as_far_as_all_of_its_testers(testers: Done) -> None:
    record = testers.records["stops_early_in_one[full-eval]@cpu"]
    assert record.outcome is Outcome.REACHED
    assert record.status is Status.CONVERTED_TO_STABLE_HLO


def test_a_wrong_tester_of_a_fixture_fails_its_test(testers: Done) -> None:
    assert testers.records["in_a_fixture[full-eval]@cpu"].outcome is Outcome.INCORRECT
    assert "::test_in_a_fixture" in testers.output


@pytest.mark.parametrize("device", ["cpu", "n150"])
@pytest.mark.parametrize("name", ["phases", "by_device", "changed_by_its_body", "changed_before"])
def test_every_tester_gets_its_own_model(on_devices: Done, name: str, device: str) -> None:
    record = on_devices.records[f"{name}[full-eval]@{device}"]
    good = Outcome.PASSED if device == "cpu" else Outcome.REACHED
    assert record.outcome is good, record.failure


def test_only_the_same_tester_on_another_device_takes_a_model_over(on_devices: Done) -> None:
    reused = {
        key
        for key, record in on_devices.records.items()
        if any("reused from" in stage.attributes for stage in record.stages)
    }
    assert {key.partition("[")[0] for key in reused} == {"changed_by_its_body"}
    assert len(reused) == 2, "the first of three devices loads; what its body changed is put back"


def test_a_tester_that_never_ran_is_no_pass(testers: Done) -> None:
    record = testers.records["never_run[full-eval]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED
    assert record.failure is not None and record.failure.kind == "NothingCompared"
    assert "did not run it" in testers.output
    assert testers.records["one_never_run[full-eval]@cpu"].outcome is Outcome.PASSED


def test_a_plain_pytest_test_says_for_itself_whether_it_passed(testers: Done) -> None:
    assert testers.records["without_a_tester[full-eval]@cpu"].outcome is Outcome.PASSED


def test_two_testers_that_are_alike_load_one_model_each(tmp_path: Path) -> None:
    test = f"{MINIATURE}/test_mutating.py::test_writes[eval-full-counted]"
    (record,) = run_pytest(tmp_path, test).records.values()
    assert record.outcome is Outcome.PASSED, record.failure
    assert not [s for s in record.stages if "reused from" in s.attributes]


def test_the_mode_is_the_one_that_its_testers_run_in_and_the_key_is_the_plans(
    testers: Done,
) -> None:
    record = testers.records["trains_by_its_body[full-eval]@cpu"]
    assert record.identity.mode == "train" and record.outcome is Outcome.PASSED
    assert record.identity.shown == "trains_by_its_body[full-train]"
    both = testers.records["says_another_mode[full-eval]@cpu"]
    assert both.identity.mode == "train + eval" and both.outcome is Outcome.PASSED


def test_a_verdict_of_another_device_is_none_of_the_one_it_is_filed_under(testers: Done) -> None:
    for where, word in (("elsewhere", "PASSED"), ("wrong_elsewhere", "INCORRECT")):
        record = testers.records[f"names_its_device[full-{where}-eval]@cpu"]
        assert record.outcome is Outcome.UNVERIFIED and record.failure
        assert record.failure.message == (
            f"nothing of it ran on cpu: its testers are made for interpreter ({word} there)"
        )
        assert record.status is Status.CONVERTED_TO_STABLE_HLO, "cpu executed nothing"
    both = testers.records["names_its_device[full-on_both-eval]@cpu"]
    assert (both.outcome, both.status) == (Outcome.PASSED, Status.EXECUTED)


def test_a_test_that_names_no_device_is_filed_under_the_one_its_tester_is_made_for(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "pytest", "-q", f"{ROOT / FILE}", "-k", "names_its_device"]
    run_command(tmp_path / "none", tmp_path, ["env", "-u", "BRINGUP_RUN_DIR", *command])
    (run_dir,) = (tmp_path / "results").iterdir()
    records, _, _ = load_journals(run_dir)
    assert {r.identity.key: r.outcome for r in records} == {
        "names_its_device[full-elsewhere-eval]@interpreter": Outcome.PASSED,
        "names_its_device[full-on_both-eval]@interpreter": Outcome.PASSED,
        "names_its_device[full-wrong_elsewhere-eval]@interpreter": Outcome.INCORRECT,
    }
