# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`try`: models without a test, good and broken, to an answer; the failed one taken apart."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome, Stage
from tests.integration.small_fleet import SmallFleet, finish

MODULE = """
import torch

def spectrum(x):
    return torch.fft.rfft(x).abs()
"""


@pytest.fixture
def project(tmp_path: Path) -> SmallFleet:
    return SmallFleet(tmp_path)


def test_a_folder_of_files_is_a_fleet_and_the_broken_ones_are_red(project: SmallFleet) -> None:
    zoo = project.root / "zoo"
    zoo.mkdir()
    (zoo / "broken.onnx").write_bytes(b"no model")
    for name, shape in (("good", ["N", 8]), ("norank", None)):
        ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
        graph = helper.make_graph(
            [helper.make_node("Relu", ["x"], ["y"])], "g", [ends[0]], ends[1:]
        )
        opset = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), zoo / f"{name}.onnx")
    told = project.start_plain("try", "zoo", "--device", "cpu", "--output", "out")
    code, said = finish(told, 300)
    _, records = read_merged(project.output)
    ended = {r.identity.variant: (r.outcome, r.failure and r.failure.stage) for r in records}
    assert ended == {
        "broken": (Outcome.FAILED, Stage.LOAD),
        "norank": (Outcome.FAILED, Stage.LOAD),
        "good": (Outcome.PASSED, None),
    }
    assert code == 1 and "which op is to blame" not in said  # there is no graph to take apart
    assert "zoo good on cpu" in said and "input x has no shape; say one: --input x=" in said
    (kept,) = (project.root / "results" / "tried").glob("zoo-*/test_zoo_onnx.py")
    assert f"the test is {kept.relative_to(project.root)}" in said
    assert (
        f"[full-broken-eval]' --device cpu --tests {kept.parent.relative_to(project.root)}" in said
    )


def test_a_function_that_fails_is_taken_apart_down_to_the_op_that_is_to_blame(
    project: SmallFleet,
) -> None:
    (project.root / "signals.py").write_text(MODULE)
    told = project.start_plain(
        *("try", "signals:spectrum", "--input", "2x16", "--device", "cpu", "--output", "out")
    )
    code, said = finish(told, 300)
    assert code == 1 and "1 failed; which op is to blame?" in said
    answer = said[said.rindex("spectrum on cpu  ") :].splitlines()
    assert answer[0].startswith("spectrum on cpu  FAILED  converted to torch backend ir (3)")
    assert any(line.startswith("  aten.fft_rfft.default: FAILED") for line in answer)
    assert any("bringup repro " in line for line in answer)
