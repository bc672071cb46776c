# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One command line: every verb is found, told of, and carried out by what its options declare."""

import contextlib
import io
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.command.catalog import VERBS, shown
from bringup.command.cli import main
from bringup.harness.options.command_line import read
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.door import Door, command, door_to
from docs.site.commands import sessions
from tests.rooms import FROM_GROUND_UP, ROOT, imported, modules
from tests.unit.other_user import ALICE, as_user, folder_for_all, needs_two_users

NOT_SESSIONS = {"finish", "completion", "init"}
"""Verbs that a checkout has no session for."""


def test_without_a_verb_it_says_what_to_do_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.KEPT
    said = capsys.readouterr().out
    assert "first:\n  bringup doctor" in said and said.count("\n") < 12


def test_the_overview_has_every_verb_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == ExitCode.KEPT
    said = capsys.readouterr().out
    assert [said.count(f"\n  {shown(name)} ") for name in VERBS] == [1] * len(VERBS)
    assert all(f"\n  {code:d} " in said for code in ExitCode)


@pytest.mark.parametrize("word", ["op_by_opp", "op-by-opp"])
def test_a_misspelt_verb_is_met_with_its_neighbour(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert "did you mean op" in said.err and said.err.count("\n") == 1 and not said.out


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_examples_that_it_takes(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([shown(name), "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    declared = VERBS[name].declared()
    assert said.startswith(f"usage: bringup {shown(name)} ") and "nox -s" not in said
    for words, why in declared.command.examples:
        assert words in said and why in said
        read(declared.command, declared.options, shlex.split(words.partition(" >")[0]), {})


def test_every_session_that_is_a_verb_is_a_call_of_it_and_every_verb_has_one() -> None:
    noxfile = (ROOT / "noxfile.py").read_text()
    called = {name for name in VERBS if f'verb(session, "{name}"' in noxfile}
    assert called == set(VERBS) - NOT_SESSIONS == set(VERBS) & set(sessions())


def test_a_command_is_started_through_the_noxfile_that_has_it(tmp_path: Path) -> None:
    assert command("op_by_op", "a b") == "nox -s op_by_op -- 'a b'"
    assert command("report") == "nox -s report"
    assert door_to("run", tmp_path) is Door.CLI
    (tmp_path / "noxfile.py").write_text("def run(session): pass  # their own\n")
    assert door_to("run", tmp_path) is Door.CLI
    (tmp_path / "noxfile.py").write_text("# bringup\n@nox.session(name='try')\ndef x(s): ...\n")
    assert (door_to("try", tmp_path), door_to("run", tmp_path)) == (Door.NOX, Door.CLI)
    assert command("op_by_op", "a b", door=Door.CLI) == "bringup op-by-op 'a b'"


def test_nobody_below_knows_the_command_line() -> None:
    above = ROOT / "bringup" / "command"
    wrong = [
        path
        for house in FROM_GROUND_UP
        for path in modules(house)
        if any(other.is_relative_to(above) for other in imported(path))
        or "bringup.command" in path.read_text("utf-8")
    ]
    assert wrong == []


def test_what_reads_and_helps_imports_no_torch() -> None:
    code = """
import contextlib, io, sys
from bringup.command.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    for words in (["--help"], ["completion", "bash"], ["help-env"]):
        main(words)
    for verb in ("nightly", "why", "report", "repro", "devices", "doctor"):
        try:
            main([verb, "--help"])
        except SystemExit:
            pass
print(sorted({"torch", "jax", "onnx", "duckdb"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("line", ["", "op-s", "nightly --dr", "op-by-op --split "])
def test_bash_completes_verbs_options_and_choices(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == ExitCode.KEPT
    script = capsys.readouterr().out
    words = ["bringup", *line.split(" ")]
    asks = (
        f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _bringup;"
        ' echo "${COMPREPLY[*]}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asks}"], capture_output=True, text=True, check=True
    )
    wanted = {
        "": " ".join(map(shown, VERBS)),
        "op-s": "op-sweep",
        "nightly --dr": "--dry-run",
        "op-by-op --split ": "torch stablehlo",
    }
    assert done.stdout.strip() == wanted[line] and not done.stderr


@needs_two_users
@pytest.mark.parametrize("words", ["report {}", "compare {} {}", "run --device {}.toml"])
def test_a_place_that_may_not_be_entered_is_one_sentence(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask() -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = main(shlex.split(words.replace("{}", str(closed / "here"))))
        return f"{code:d} {said.getvalue()}"

    for place in folder_for_all():
        closed = place / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.chdir(place)
        assert "Permission denied" not in ask(), "root may, and has the modules loaded from now on"
        said = as_user(ALICE, ask)
        assert said.startswith(f"{ExitCode.USAGE:d} bringup: {closed}/here")
        assert said.endswith(": Permission denied\n") and said.count("\n") == 1
