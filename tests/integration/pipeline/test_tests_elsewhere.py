# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests and lists that lie outside the working directory, named by an option or by the project."""

import shutil
from pathlib import Path

from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from tests.integration.small_fleet import HEAD, SmallFleet

TESTS = """
import os
@full
def test_good(flow): assert os.path.basename(os.getcwd()) == "their <project>"
@full
def test_bad(flow): raise ValueError("no")
"""
GOOD = "my tests/models/test_all.py::test_good[full-eval]"


def test_they_run_in_their_own_project_and_are_called_as_there(tmp_path: Path) -> None:
    fleet = SmallFleet(tmp_path / "here")
    theirs = tmp_path / "their <project>"
    shutil.move(fleet.root / "tests", theirs / "my tests")
    (theirs / "pytest.ini").write_text("[pytest]\n")
    (theirs / "my tests" / "models" / "test_all.py").write_text(HEAD + TESTS)
    tests, lists = theirs / "my tests" / "models", theirs / "my tests" / "lists"
    code, said = fleet.run("run", "--tests", str(tests), GOOD)
    assert code == 0, said
    assert list(fleet.outcomes().values()) == [Outcome.PASSED]
    code, said = fleet.run("run", "--tests", str(tests), str(tests), output=fleet.root / "all")
    assert code == 1, said
    assert sorted(o.value for o in fleet.outcomes(fleet.root / "all").values()) == [
        "FAILED",
        "PASSED",
    ]
    (lists / NIGHTLY_FULL.file_name).write_text(f'[cpu]\ntests = ["{GOOD}"]\n')
    (fleet.root / "pyproject.toml").write_text(
        f'[tool.bringup]\ntests = "{tests}"\nlists = "../{theirs.name}/my tests/lists"\n'
    )
    code, said = fleet.run("nightly", "--dry-run")
    assert code == 0 and f"--tests {tests}  (pyproject.toml)" in said, said
    code, said = fleet.run("nightly", output=fleet.root / "night")
    assert code == 0, said
    [record] = fleet.records(fleet.root / "night")
    assert record.nodeid.startswith("my tests/models/test_all.py::test_good[full-eval")
