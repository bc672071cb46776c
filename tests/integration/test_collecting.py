# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What it costs to know which tests there are: a night pays it once, and once more per worker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site.fleet import families
from tests.integration.pytest_runs import ROOT

TEST = """
from bringup import ModelTester

class Tester(ModelTester):
    def _load_model(self): raise NotImplementedError
    def _load_inputs(self): raise NotImplementedError

def test_x(): pass
"""
SAYS = """
import sys, pytest
code = pytest.main([*sys.argv[1:], "-q", "-s", "-p", "no:cacheprovider"])
print("IMPORTED", *sorted({"torch", "sympy", "jax", "onnx", "transformers"} & {*sys.modules}))
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("test", "imported"), [(TEST, "torch"), ("def test_x(): pass\n", "")], ids=["model", "plain"]
)
def test_a_process_that_only_collects_imports_nothing_to_lower_with(
    tmp_path: Path, test: str, imported: str
) -> None:
    (tmp_path / "test_x.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-c", SAYS, "test_x.py", "--collect-only"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"\nIMPORTED {imported}".rstrip() + "\n" in done.stdout


EVERY = "the whole fleet"


@pytest.mark.parametrize(
    "folder", ["llama", "light", "beit", pytest.param(EVERY, marks=pytest.mark.slow)]
)
def test_the_page_of_the_fleet_counts_what_is_collected(tmp_path: Path, folder: str) -> None:
    """Its count is of ids that are read from sources, which nobody imports for it."""
    files = "tests/models" if folder == EVERY else f"tests/models/{folder}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", files, "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ids = [line.partition("::test_")[2] for line in done.stdout.splitlines()]
    read = [t for f in families() if folder in (EVERY, f.folder) for t in f.full]
    assert sorted(one for one in ids if "[full-" in one) == sorted(read)
