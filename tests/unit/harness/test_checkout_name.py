# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`import harness` in a checkout is `bringup.harness`, never a second copy of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "first",
    [
        "import harness",
        "import harness.config",
        "import bringup.harness.config; import harness",
        "from harness.records.schema import Identity; import harness",
    ],
)
def test_both_names_are_one_module(first: str) -> None:
    code = f"""
{first}
import importlib, sys
import bringup, bringup.harness, harness.records.verdicts.rules, harness.config
assert sys.modules["harness"] is bringup.harness
assert harness.config is bringup.harness.config
assert harness.CompilerConfig is bringup.CompilerConfig is bringup.harness.config.CompilerConfig
import bringup.harness.records.verdicts.rules as rules
assert harness.records.verdicts.rules is rules
assert rules.__spec__.name == rules.__name__ == "bringup.harness.records.verdicts.rules"
assert importlib.reload(rules) is rules
try:
    import harness.nothing
except ModuleNotFoundError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError("harness.nothing was found")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
