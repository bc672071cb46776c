# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What it costs to know which tests there are: a night pays it once, and once more per worker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
