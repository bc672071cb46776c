# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup init`: what it writes, and that it overwrites nothing."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bringup.command.cli import main
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.project import project_texts
from bringup.harness.records.door import Door, door_to
from bringup.pipeline.lists.lists import read_lists


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my <new> project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_writes_a_project_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--nox"]) == ExitCode.KEPT
    said = capsys.readouterr().out
    written = contents(here)
    assert said.count("wrote  ") == len(written) == 4 + 5
    [full, by_op] = read_lists(Path("tests/lists")).entries
    for entry in (full, by_op):
        assert Path(entry.test.partition("::")[0]).is_file()
    ast.parse(Path("tests/models/sample/test_sample.py").read_text())
    assert project_texts() == {"tests": ("tests/models",), "lists": ("tests/lists",)}
    assert {door_to(v) for v in ("nightly", "try", "op_by_op", "repro", "doctor")} == {Door.NOX}
    assert main(["init", "--nox"]) == ExitCode.KEPT
    assert capsys.readouterr().out.count("kept   ") == len(written)
    assert contents(here) == written


def test_what_is_there_is_kept_and_pyproject_is_added_to(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = b"[project]\nname = 'x'  # mine"
    Path("pyproject.toml").write_bytes(before)
    Path("noxfile.py").symlink_to("nowhere")
    Path(".gitignore").write_text("mine")
    assert main(["init", "--nox"]) == ExitCode.KEPT
    said = capsys.readouterr().out
    assert "kept   noxfile.py" in said and "added  [tool.bringup] to pyproject.toml" in said
    assert Path("pyproject.toml").read_bytes().startswith(before + b"\n\n[tool.bringup]\n")
    assert tomllib.loads(Path("pyproject.toml").read_text())["project"] == {"name": "x"}
    assert Path(".gitignore").read_text() == "mine" and not Path("noxfile.py").exists()


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (".gitignore", "*.pyc\n", ".gitignore, which does not ignore results/: add it\n"),
        (".gitignore", "*.pyc\n/results/\n", ".gitignore\n"),
        ("noxfile.py", "import nox\n", "noxfile.py, which has no sessions of bringup; `bringup"),
    ],
)
def test_what_a_kept_file_is_without_is_said(
    file: str, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text(text)
    assert main(["init", "--nox"]) == ExitCode.KEPT
    assert f"kept   {says}" in capsys.readouterr().out
    assert Path(file).read_text() == text


def test_it_writes_where_the_project_says(here: Path) -> None:
    Path("pyproject.toml").write_text('[tool.bringup]\ntests = "my models"\nlists = "my lists"\n')
    assert main(["init"]) == ExitCode.KEPT
    assert Path("my models/sample/test_sample.py").is_file() and not Path("tests").exists()
    assert read_lists(Path("my lists")).entries[0].test.startswith("my models/sample/")


@pytest.mark.parametrize(
    ("text", "says"),
    [("tool = {x = 1}\n", "kept   pyproject.toml; add to its `tool`"), ("[tool", "no TOML")],
)
def test_a_pyproject_that_nothing_can_be_added_to_is_left(
    text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(text + "# bringup")
    main(["init"])
    assert says in "".join(capsys.readouterr())
    assert Path("pyproject.toml").read_text() == text + "# bringup"


def test_a_file_where_a_folder_has_to_be_is_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("tests").touch()
    assert main(["init"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot make the folder tests/models/sample" in said


def test_the_workflow_is_one_that_linters_take(here: Path) -> None:
    assert main(["init"]) == ExitCode.KEPT
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    tools = Path(sys.executable).parent
    subprocess.run([tools / "actionlint"], check=True)
    zizmor = ("--offline", "--quiet", "--persona", "auditor", ".github")
    subprocess.run([tools / "zizmor", *zizmor], check=True)
