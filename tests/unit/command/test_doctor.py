# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup doctor`: whatever is broken here is a line, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms import ROOT

STACK = "torch", "torch_mlir", "jax", "jaxlib", "onnx", "onnxruntime"


def doctor(folder: Path, *words: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bringup", "doctor", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr and not done.stderr, done.stderr
    return done.returncode, done.stdout


def test_where_nothing_is_missing_the_main_job_can_run(tmp_path: Path) -> None:
    code, said = doctor(tmp_path, "--fast")
    assert code == 0, said
    assert "the main job can run" in said and "`bringup init` writes them" in said
    assert "ok       torch  " in said


def test_a_library_that_is_broken_or_ends_its_process_is_named(tmp_path: Path) -> None:
    """Modules of these names stand before the real ones on the path."""
    for name in STACK:
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "torch.py").write_text("import os; os._exit(7)")
    (tmp_path / "jax.py").write_text("raise RuntimeError('no <x>\\nsecond')")
    code, said = doctor(tmp_path)
    assert code == 1 and "the main job cannot run" in said
    lines = {line.split()[1]: line for line in said.splitlines() if line.startswith("missing")}
    assert "importing it ends the process (7)" in lines["torch"]
    assert "RuntimeError: no <x>" in lines["jax"] and "onnx" not in lines


def test_everything_else_that_is_broken_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.bringup]\ntest = 1\n")
    (tmp_path / "plugin.py").write_text("1 / 0")
    (tmp_path / "file").touch()
    variables = {
        "BRINGUP_PLANNERS": "plugin",
        "BRINGUP_WORKERS": "many",
        "BRINGUP_CACHE": str(tmp_path / "file" / "cache"),
        "PATH": "",
    }
    code, said = doctor(tmp_path, "--fast", **variables)
    assert code == 1
    for words in (
        "missing  variables      BRINGUP_WORKERS='many'",
        "missing  pyproject.toml pyproject.toml: tool.bringup.test: nobody reads it",
        "missing  plugins        planners:",
        "absent   cache ",
        "absent   git ",
    ):
        assert words in said, said


@pytest.mark.parametrize("text", ["[cpu\n", "[cpu]\ntest = []\n"])
def test_a_list_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "tests" / "lists").mkdir(parents=True)
    (tmp_path / "tests" / "lists" / "nightly_full_model_execute.toml").write_text(text)
    code, said = doctor(tmp_path, "--fast")
    assert code == 1 and "missing  lists " in said, said


def test_a_dependency_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('No module named msgspec')")
    done = subprocess.run(
        [sys.executable, "-m", "bringup", "doctor"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "No module named msgspec" in done.stderr
