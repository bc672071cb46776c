# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A compile depth or a metric more is the three files that CONTRIBUTING names: made in a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.records.variable_names import DEPTH_VARIABLE, RUN_DIR_VARIABLE
from tests.rooms import ROOT

DEPTH = {
    "harness/config.py": ("    EXECUTE = 6\n", "    EXECUTE = 6\n    TORCH_IR = 7\n"),
    "harness/records/variable_values.py": ('"EXECUTE")\n', '"EXECUTE", "TORCH_IR")\n'),
    "harness/frontend/lowering.py": (
        "    return lower_module(",
        "    if config.compile_depth is CompileDepth.TORCH_IR:\n        return None\n"
        "    return lower_module(",
    ),
}
METRIC = {
    "harness/records/metrics.py": (
        '        MetricKind("exact",',
        '        MetricKind("psnr", "peak", unit="dB", more_is_better=True, title="PSNR"),\n'
        '        MetricKind("exact",',
    ),
    "harness/verify/metrics.py": (
        "    @property\n    def golden_peak(",
        "    @property\n    def psnr(self):\n"
        "        if not self.max_difference:\n            return math.inf\n"
        "        return 20 * math.log10(self.golden_spread / self.max_difference)\n\n"
        "    @property\n    def golden_peak(",
    ),
    "harness/verify/checks.py": (
        "        _allclose(found, tolerances),\n    ]\n",
        "        _allclose(found, tolerances),\n"
        '        Check("psnr", Metric.of(found.psnr), 400.0, found.psnr >= 400, True),\n    ]\n',
    ),
}
MODEL = """
import torch
from bringup import ModelTester

class Tester(ModelTester):
    def _load_model(self):
        return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh())

    def _load_inputs(self):
        return (torch.linspace(-3, 3, 128).reshape(2, 64),)

tester = Tester("linear")
tester.test_model()
failure = tester.recorder.failure
print(tester.recorder.status.name, tester.recorder.outcome, failure and failure.message)
"""


@pytest.mark.parametrize(
    ("changes", "depth", "said"),
    [
        (DEPTH, "TORCH_IR", "CONVERTED_TO_TORCH_IR REACHED None"),
        (METRIC, "EXECUTE", "EXECUTED INCORRECT output: psnr"),
    ],
)
def test_it_is_three_files(
    tmp_path: Path, changes: dict[str, tuple[str, str]], depth: str, said: str
) -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    shutil.copytree(
        ROOT / "bringup", tmp_path / "bringup", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, (before, after) in changes.items():
        assert f"`{name}`" in contributing
        file = tmp_path / "bringup" / name
        text = file.read_text()
        assert text.count(before) == 1
        file.write_text(text.replace(before, after))
    done = subprocess.run(
        [sys.executable, "-c", MODEL],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            DEPTH_VARIABLE: depth,
            RUN_DIR_VARIABLE: str(tmp_path / "run"),
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(said), done.stdout + done.stderr
