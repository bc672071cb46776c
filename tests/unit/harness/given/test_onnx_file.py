# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ONNX files as they come: open sizes, old opsets, inputs by name; no test file anywhere."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from bringup.harness.errors import UsageError
from bringup.harness.given.input_spec import read_specs
from bringup.harness.given.onnx_file import OPSET, inputs_of, open_shape, read, static


def relu(shape: list[int | str] | None, opset: int = 13) -> onnx.ModelProto:
    node = helper.make_node("Relu", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def test_an_empty_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match="holds no ONNX model: it names no opset"):
        read(tmp_path / "empty.onnx")


@pytest.mark.parametrize(
    ("declared", "taken"),
    [
        (["N", 3, "H", "W"], (1, 3, 224, 224)),
        (["N", 3, "height", "width"], (1, 3, 224, 224)),
        (["N", 3, None, 100], (1, 3, 224, 100)),
        (["batch", "sequence"], (1, 16)),
        ([4, 0], (4, 16)),
        ([], ()),
    ],
)
def test_open_sizes_are_a_batch_of_one_a_picture_or_a_short_text(
    declared: list[int | str], taken: tuple[int, ...]
) -> None:
    assert open_shape(relu(declared).graph.input[0]) == taken


def test_an_input_without_a_rank_asks_for_one() -> None:
    with pytest.raises(UsageError, match="input x has no shape; say one: --input x="):
        inputs_of(relu(None), [])
    assert inputs_of(relu(None), read_specs(("2x3",)))["x"].shape == (2, 3)


def test_inputs_go_by_name_or_in_order_and_no_further() -> None:
    model = relu(["N", 8])
    assert inputs_of(model, read_specs(("x=3x8",)))["x"].shape == (3, 8)
    with pytest.raises(UsageError, match="no input 'z'; it has x"):
        inputs_of(model, read_specs(("z=3x8",)))
    with pytest.raises(UsageError, match="2 inputs given, the model takes x"):
        inputs_of(model, read_specs(("3x8", "1")))


def test_old_opsets_are_raised_new_ones_stay_and_sizes_follow() -> None:
    for opset, wanted in ((9, OPSET), (OPSET + 1, OPSET + 1)):
        made = static(relu(["N", "L"], opset), {"x": (2, 5)})
        assert made.opset_import[0].version == wanted
        dims = made.graph.output[0].type.tensor_type.shape.dim
        assert [d.dim_value for d in dims] == [2, 5]


def test_what_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model")
    for name in ("x.onnx", "absent.onnx"):
        with pytest.raises(UsageError, match="cannot be read as an ONNX model"):
            read(tmp_path / name)
