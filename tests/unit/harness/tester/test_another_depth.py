# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A compile depth more is three files, those that CONTRIBUTING names: it is made in a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bringup.harness.records.variable_names import DEPTH_VARIABLE, RUN_DIR_VARIABLE
from tests.rooms import ROOT

CHANGES = {
    "harness/config.py": ("    EXECUTE = 6\n", "    EXECUTE = 6\n    TORCH_IR = 7\n"),
    "harness/records/variable_values.py": ('"EXECUTE")\n', '"EXECUTE", "TORCH_IR")\n'),
    "harness/frontend/lowering.py": (
        "    return _lower_module(",
        "    if config.compile_depth is CompileDepth.TORCH_IR:\n        return None\n"
        "    return _lower_module(",
    ),
}
MODEL = """
import torch
from bringup import ModelTester

class Tester(ModelTester):
    def _load_model(self):
        return torch.nn.Linear(2, 2)

    def _load_inputs(self):
        return (torch.ones(1, 2),)

tester = Tester("linear")
tester.test_model()
print(tester.recorder.status.name, tester.recorder.outcome)
"""


def test_a_depth_more_is_three_files(tmp_path: Path) -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    shutil.copytree(
        ROOT / "bringup", tmp_path / "bringup", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, (before, after) in CHANGES.items():
        assert f"`{name}`" in contributing
        file = tmp_path / "bringup" / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))
    done = subprocess.run(
        [sys.executable, "-c", MODEL],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            DEPTH_VARIABLE: "TORCH_IR",
            RUN_DIR_VARIABLE: str(tmp_path / "run"),
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout == "CONVERTED_TO_TORCH_IR REACHED\n", done.stdout + done.stderr
