# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup.try_model` in a script, whose models only `__main__` has."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.small_fleet import REPOSITORY

SCRIPT = """
import torch, bringup

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.hook = torch.nn.Linear(4, 4), lambda: 0
    def forward(self, x):
        return torch.relu(self.linear(x))

def spectrum(x):
    return torch.fft.rfft(x).abs()

net = bringup.try_model(Net(), torch.ones(2, 4), devices=("cpu",))
assert net.good and net["cpu"].outcome == "PASSED" and "net on cpu" in str(net)
bad = bringup.try_model(spectrum, {"x": torch.ones(2, 16)}, devices="cpu", name="<b>")
assert not bad.good and bad["cpu"].blame[0].op == "aten.fft_rfft.default"
assert bad["cpu"].blame[0].command.startswith("bringup repro ")
page = bad._repr_html_()
assert "aten.fft_rfft.default" in page and "&lt;f32&gt;" in page and "<f32>" not in page
for wrong in ((3, 4), (Net(), None), ("nowhere.onnx", None)):
    try:
        bringup.try_model(*wrong)
    except Exception as error:
        assert type(error).__name__ in ("UsageError", "PipelineError"), error
    else:
        raise AssertionError(wrong)
print("done")
"""


def test_a_model_of_main_is_tried_whole_and_op_by_op(tmp_path: Path) -> None:
    script = tmp_path / "note <b>.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
