# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Exit codes mean one thing: what was named and is not there, or is damaged, is 2 everywhere."""

import contextlib
import errno
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bringup.harness import help_env as help_env_cli
from bringup.harness import list_devices as devices_cli
from bringup.harness import repro as repro_cli
from bringup.harness.errors import (
    DeviceError,
    FileError,
    HarnessError,
    RecordError,
    StorageError,
    UsageError,
)
from bringup.harness.help_env import main as help_env
from bringup.harness.list_devices import main as devices
from bringup.harness.options.command_line import Command, read
from bringup.harness.options.exit_codes import ExitCode, code_of
from bringup.harness.repro import main as repro
from bringup.harness.storage.atomic import cannot_write
from bringup.pipeline.cli import main as pipeline
from bringup.pipeline.errors import ListError, PipelineError
from bringup.reports import cli as reports_cli
from bringup.reports.cli import main as reports
from bringup.reports.errors import ReportError
from tests.unit import run_builder as made
from tests.unit.other_user import ALICE, as_user, folder_for_all

Main = Callable[[list[str]], int]
TAKE_A_RUN: dict[str, tuple[Main, list[str]]] = {
    "merge": (pipeline, ["merge", "RUN", "--into", "all"]),
    "merge by a plan": (pipeline, ["merge", "whole", "--into", "all", "--plan", "RUN"]),
    "finish": (pipeline, ["finish", "RUN"]),
    "promote": (pipeline, ["promote", "RUN", "--lists", "nowhere"]),
    "promote the newest": (pipeline, ["promote"]),
    "why": (pipeline, ["why", "RUN", "--history", "history"]),
    "issues": (pipeline, ["issues", "RUN", "--history", "history"]),
    "compare": (pipeline, ["compare", "whole", "RUN", "--history", "history"]),
    "history add": (pipeline, ["history", "add", "RUN", "--history", "history"]),
    "resume": (pipeline, ["nightly", "--resume", "RUN"]),
    "resume the newest": (pipeline, ["weekly", "--resume"]),
    "plan": (pipeline, ["run", "--plan", "RUN", "--shard", "1/2"]),
    "report": (reports, ["build", "RUN"]),
    "report the newest": (reports, ["build", "--results", "RUN"]),
    "report ops": (reports, ["ops", "--results", "RUN"]),
    "repro": (repro, ["RUN"]),
    "repro in": (repro, ["0123456789abcdef", "--results", "RUN"]),
}
"""Every command that is given a run, or a plan of one."""


def absent(_: Path) -> None:
    pass


def a_file(path: Path) -> None:
    path.write_text("{")


def an_empty_folder(path: Path) -> None:
    path.mkdir()


def damaged(path: Path) -> None:
    path.mkdir()
    for name in ("plan.json", "run.json", "expected.json"):
        (path / name).write_text("{")


def newer(path: Path) -> None:
    path.mkdir()
    for name in ("plan.json", "run.json", "expected.json"):
        (path / name).write_text(json.dumps({"schema": 99, "run_id": "r", "created": 1.0}))


@pytest.mark.parametrize("state", [absent, a_file, an_empty_folder, damaged, newer])
@pytest.mark.parametrize("command", TAKE_A_RUN)
def test_a_run_that_is_not_there_or_damaged_is_2_and_one_sentence(
    command: str,
    state: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    made.write_run(tmp_path / "whole", [made.record()])
    state(tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    main, words = TAKE_A_RUN[command]
    assert main([word.replace("RUN", "run") for word in words]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and said.out == "", said
    assert sorted(tmp_path.rglob("*")) == before, "nothing was done"


@pytest.fixture
def shared() -> Iterator[Path]:
    yield from folder_for_all()


@pytest.mark.parametrize("command", TAKE_A_RUN)
def test_a_run_in_a_folder_that_may_not_be_entered_is_2_and_one_sentence(
    command: str, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shared)
    made.write_run(shared / "closed/run", [made.record()])
    made.write_run(shared / "whole", [made.record()])
    main, words = TAKE_A_RUN[command]
    main([word.replace("RUN", "absent") for word in words])  # as somebody who may import
    (shared / "closed").chmod(0)

    def told() -> str:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = main([word.replace("RUN", "closed/run") for word in words])
        return f"{code} {said.getvalue()}"

    said = as_user(ALICE, told)
    (shared / "closed").chmod(0o700)
    assert said.startswith("2 ") and said.count("\n") == 1, said


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (pipeline, ["nightly", "--nonsense"]),
        (pipeline, ["nightly", "--lists", "nowhere"]),
        (pipeline, ["lists", "--lists", "nowhere"]),
        (pipeline, ["lists", "--devices-from", "nowhere"]),
        (pipeline, ["nightly", "--devices-from", "nowhere"]),
        (pipeline, ["merge", "a"]),
        (pipeline, ["plan"]),
        (reports, ["build", "--nonsense"]),
        (repro, []),
        (repro, ["abc", "--seconds", "never"]),
        (repro, ["abc", "--nonsense"]),
        (devices, ["--nonsense"]),
        (devices, ["no such device"]),
        (help_env, ["--nonsense"]),
    ],
)
def test_wrong_words_are_2_and_one_sentence(
    main: Main,
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and said.out == "", said


@pytest.mark.parametrize(
    ("main", "command", "options", "verb"),
    [
        (reports, reports_cli.commands()["build"], reports_cli.Options, ["build"]),
        (reports, reports_cli.commands()["ops"], reports_cli.Options, ["ops"]),
        (repro, repro_cli.COMMAND, repro_cli.Options, []),
        (devices, devices_cli.COMMAND, devices_cli.Options, []),
        (help_env, help_env_cli.COMMAND, help_env_cli.Options, []),
    ],
    ids=["report", "report ops", "repro", "devices", "help_env"],
)
def test_every_command_has_help_whose_examples_it_takes(
    main: Main,
    command: Command,
    options: type,
    verb: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*verb, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(f"\n  {code:d} " in said for code in ExitCode)
    for words, why in command.examples:
        assert words in said and why in said
        read(command, options, shlex.split(words), {})


@pytest.mark.parametrize(("variable", "code"), [("BRINGUP_WORKERS", 0), ("BRINGUP_WRKERS", 2)])
def test_a_reader_that_leaves_does_not_change_the_exit_code(variable: str, code: int) -> None:
    command = [sys.executable, "-m", "bringup.harness.help_env"]
    environment = {**os.environ, variable: "3"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    assert process.wait(60) == code, said
    assert "Traceback" not in said and "Exception" not in said


@pytest.mark.parametrize("main", [pipeline, reports, repro, devices])
def test_a_wrong_variable_is_2_before_anything_is_done(
    main: Main, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRINGUP_WORKERS", "many")
    assert main(["lists"]) == ExitCode.USAGE
    assert "BRINGUP_WORKERS='many': expected a number of tests" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, ExitCode.USAGE),
        (RecordError, ExitCode.USAGE),
        (PipelineError, ExitCode.USAGE),
        (ListError, ExitCode.USAGE),
        (ReportError, ExitCode.USAGE),
        (HarnessError, ExitCode.USAGE),
        (DeviceError, ExitCode.INFRASTRUCTURE),
        (FileError, ExitCode.INFRASTRUCTURE),
        (StorageError, ExitCode.INFRASTRUCTURE),
    ],
)
def test_the_machine_is_to_blame_for_3_and_for_nothing_else(
    error: type[HarnessError], code: ExitCode
) -> None:
    assert code_of(error("x")) is code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, ExitCode.INFRASTRUCTURE),
        (errno.EIO, ExitCode.INFRASTRUCTURE),
        (errno.EROFS, ExitCode.INFRASTRUCTURE),
        (errno.EDQUOT, ExitCode.INFRASTRUCTURE),
        (errno.EISDIR, ExitCode.USAGE),
        (errno.ENOTDIR, ExitCode.USAGE),
        (errno.EACCES, ExitCode.USAGE),
    ],
)
def test_what_cannot_be_written_is_the_disks_fault_or_the_places(
    number: int, code: ExitCode
) -> None:
    assert code_of(cannot_write("x", OSError(number, "why"))) is code


def test_an_output_that_cannot_be_a_folder_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made.write_run(tmp_path / "whole", [made.record()])
    (tmp_path / "file").touch()
    assert pipeline(["merge", "whole", "--into", "file/all"]) == ExitCode.USAGE
    assert "Not a directory" in capsys.readouterr().err
