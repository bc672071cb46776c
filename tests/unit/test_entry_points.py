# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Whatever can be started with `python -m`, asked for help by a person, helps and does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms import FROM_GROUND_UP, ROOT, modules


def starts(path: Path) -> bool:
    """Does a module do anything when it is the program?"""
    return any(
        isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
        for node in ast.parse(path.read_text("utf-8")).body
    )


PROGRAMS = [path for house in FROM_GROUND_UP for path in modules(house) if starts(path)]


def test_there_are_programs() -> None:
    assert len(PROGRAMS) > 8


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_program_that_is_asked_for_help_writes_nothing(path: Path, tmp_path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    done = subprocess.run(
        [sys.executable, "-m", f"bringup.{name}", "--help"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode in (0, 2) and said.strip(), said
    assert "Traceback" not in said and not list(tmp_path.iterdir()), said
    assert "usage:" in said or "bringup" in said
