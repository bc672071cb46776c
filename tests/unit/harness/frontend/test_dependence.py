# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which outputs of an ONNX model are constants of it, and which a device has a hand in."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

from bringup.harness.frontend import onnx_program

X = torch.ones(2, 3)
SMALL = nh.from_array(np.arange(3, dtype=np.float32), "small")
LARGE = nh.from_array(np.ones((9, 9), np.float32), "large")
CONSTANT = h.make_node("Constant", [], ["k"], value=nh.from_array(np.ones(3, np.float32), "v"))
LARGE_NODE = h.make_node("Constant", [], ["k"], value=LARGE)
CHOOSE = h.make_node(
    "If",
    ["yes"],
    ["y"],
    then_branch=h.make_graph(
        [h.make_node("Neg", ["x"], ["a"])],
        "then",
        [],
        [h.make_tensor_value_info("a", T.FLOAT, None)],
    ),
    else_branch=h.make_graph(
        [h.make_node("Abs", ["x"], ["b"])],
        "else",
        [],
        [h.make_tensor_value_info("b", T.FLOAT, None)],
    ),
)
YES = nh.from_array(np.array(True), "yes")


def computed(nodes: list[onnx.NodeProto], outputs: list[str], kind: int = T.FLOAT) -> list[bool]:
    infos = [h.make_tensor_value_info(name, kind, None) for name in outputs]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, (2, 3))], infos, [SMALL, LARGE, YES]
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    prepared = onnx_program.prepare(model, {"x": X})
    weights = onnx_program.lift_weights(prepared)
    signature = onnx_program.signature_of(prepared, {"x": X}, weights)
    return [result.computed for result in signature.results]


@pytest.mark.parametrize(
    ("nodes", "output"),
    [
        ([], "small"),
        ([], "large"),
        ([CONSTANT], "k"),
        ([LARGE_NODE], "k"),
        ([h.make_node("Identity", ["large"], ["y"])], "y"),
        ([CONSTANT, h.make_node("Add", ["k", "small"], ["y"])], "y"),
        (
            [
                h.make_node("Shape", ["x"], ["s"]),
                h.make_node("Cast", ["s"], ["f"], to=T.FLOAT),
                h.make_node("Neg", ["f"], ["y"]),
            ],
            "y",
        ),
    ],
)
def test_a_constant_of_the_model_is_nothing_that_a_device_computes(
    nodes: list[onnx.NodeProto], output: str
) -> None:
    relu = h.make_node("Relu", ["x"], ["out"])
    assert computed(nodes, [output]) == [False]
    assert computed([relu, *nodes], [output, "out", output]) == [False, True, False]


@pytest.mark.parametrize(
    ("nodes", "output"),
    [
        ([], "x"),
        ([h.make_node("Add", ["x", "small"], ["y"])], "y"),
        ([h.make_node("MatMul", ["large", "large"], ["y"])], "y"),
        ([CHOOSE], "y"),
    ],
)
def test_what_an_input_or_an_op_on_a_weight_reaches_is_computed(
    nodes: list[onnx.NodeProto], output: str
) -> None:
    assert computed(nodes, [output]) == [True]
