# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The command line: options in, sentences and exit codes out."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import (
    Failure,
    ModelStatus,
    Outcome,
    PlannedTest,
    Status,
    TestRecord,
)
from bringup.pipeline.cli import main
from bringup.pipeline.lists.expectations import ExitCode, broken, exit_code, reproduce
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, NIGHTLY_FULL
from bringup.pipeline.messages import printable
from bringup.pipeline.run_names import name_of_now
from bringup.pipeline.running.session import default_workers

GB = 1024**3


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence of a command that is refused."""
    assert main(arguments) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("bringup: ") and said.err.count("\n") == 1
    return said.err.removeprefix("bringup: ").strip()


def test_an_unknown_verb_is_met_with_its_neighbour(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean nightly?" in complaint(capsys, "nigthly")


def test_an_unknown_option_is_met_with_its_neighbour(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "nightly", "--devise", "cpu")
    assert said.startswith("`nightly` takes no `--devise`; did you mean --device")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--shard", "3/2"], "there is no shard 3 of 2"),
        (["--shard", "2"], "`2` is no shard"),
        (["--workers", "0"], "`0` is no number of workers"),
        (["--timeout", "nan"], "`nan` is no number of seconds"),
        (["--timeout", "-1"], "`-1` is no number of seconds"),
    ],
)
def test_a_wrong_value_is_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert sentence in complaint(capsys, "nightly", *arguments)


def test_no_verb_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "VERB" in complaint(capsys)


@pytest.mark.parametrize("verb", ["nightly", "run", "merge", "promote", "lists"])
def test_help_explains_exit_codes_by_example(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    for code in ExitCode:
        assert f"\n  {code:d} " in said


def test_a_missing_run_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no run directory shard-1" in complaint(capsys, "merge", "shard-1", "--into", "all")
    assert "no merged run below results" in complaint(capsys, "promote")


def test_a_missing_list_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "devices.json").write_text(json.dumps([{"name": "cpu", "state": "executes"}]))
    said = complaint(capsys, "nightly", "--devices-from", "devices.json")
    assert "cannot read the list tests/lists/" in said
    assert "`bringup init` begins a project" in said


@pytest.mark.parametrize("text", ["", "[]x", '{"cpu": 1}', '[{"name": "cpu", "state": "maybe"}]'])
def test_a_wrong_file_of_devices_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "devices.json"
    path.write_text(text)
    assert "gave no list of devices" in complaint(capsys, "nightly", "--devices-from", str(path))


# --- promises -------------------------------------------------------------------------------


def a_test(list_name: str = "", device: str = "n150", **environment: str) -> PlannedTest:
    entry = "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval]"
    return PlannedTest(
        identity=identity_of(entry, device),
        nodeid=nodeid_on(entry, device),
        list_name=list_name,
        environment=environment,
    )


def a_record(test: PlannedTest, outcome: Outcome) -> TestRecord:
    return TestRecord(
        identity=test.identity,
        nodeid=test.nodeid,
        outcome=outcome,
        status=Status.NOT_STARTED,
        model_status=ModelStatus.UNKNOWN,
        failure=Failure(None, "x", "y"),
    )


def kept(list_name: str, state: DeviceState, outcome: Outcome) -> bool:
    test = a_test(list_name)
    return not broken([test], {test.identity.key: a_record(test, outcome)}, {"n150": state})


def test_a_full_model_must_pass_where_it_can() -> None:
    full = NIGHTLY_FULL.name
    assert kept(full, DeviceState.EXECUTES, Outcome.PASSED)
    assert not kept(full, DeviceState.EXECUTES, Outcome.REACHED)
    assert kept(full, DeviceState.COMPILES, Outcome.REACHED)
    assert not kept(full, DeviceState.COMPILES, Outcome.FAILED)


def test_an_e2e_compile_test_must_stop_where_asked() -> None:
    compiles = NIGHTLY_E2E_COMPILE.name
    assert kept(compiles, DeviceState.EXECUTES, Outcome.REACHED)
    assert not kept(compiles, DeviceState.EXECUTES, Outcome.PASSED)


def test_a_test_by_hand_must_be_good() -> None:
    assert kept("", DeviceState.EXECUTES, Outcome.PASSED)
    assert kept("", DeviceState.COMPILES, Outcome.REACHED)
    assert not kept("", DeviceState.EXECUTES, Outcome.SKIPPED)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], ExitCode.KEPT),
        ([Outcome.FAILED], ExitCode.BROKEN),
        ([Outcome.SKIPPED, Outcome.TIMEOUT], ExitCode.BROKEN),
        ([Outcome.FAILED, Outcome.INFRA], ExitCode.INFRASTRUCTURE),
        ([Outcome.NOT_RUN], ExitCode.INFRASTRUCTURE),
        ([Outcome.KILLED], ExitCode.INFRASTRUCTURE),
    ],
)
def test_the_worst_decides_the_exit_code(outcomes: list[Outcome], code: ExitCode) -> None:
    assert exit_code([(a_test(), a_record(a_test(), o)) for o in outcomes]) is code


def test_a_planned_test_without_a_record_is_never_green() -> None:
    test = a_test(NIGHTLY_FULL.name)
    assert exit_code(broken([test], {}, {})) is ExitCode.INFRASTRUCTURE


def test_a_failure_can_be_reproduced_by_pasting_a_line() -> None:
    line = reproduce(a_test(TT_TORCH_COMPILE_DEPTH="TTNN_IR"))
    assert line == (
        "TT_TORCH_COMPILE_DEPTH=TTNN_IR nox -s run -- "
        "'tests/models/t5/test_t5.py::test_t5[full-t5-base-eval]' --device n150"
    )


# --- the session ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tests", "cores", "free", "workers"),
    [(100, 16, 128 * GB, 16), (3, 16, 128 * GB, 3), (100, 16, 9 * GB, 2), (100, 2, 1 * GB, 1)],
)
def test_workers_fit_cores_tests_and_memory(
    tests: int, cores: int, free: int, workers: int
) -> None:
    assert default_workers(tests, cores, free) == workers


def test_words_from_elsewhere_cannot_drive_a_terminal() -> None:
    assert printable("a\x1b[31mb\rc") == "a [31mb c"


def test_two_runs_that_begin_in_one_second_have_two_names() -> None:
    """Else two machines whose nights begin at one minute would be one run to their history."""
    now = datetime(2026, 11, 28, 2, 17, tzinfo=UTC)
    names = {name_of_now("nightly", now) for _ in range(20)}
    assert len(names) > 15
    assert all(name.startswith("nightly-20261128T021700Z-") for name in names)
