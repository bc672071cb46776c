# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test gives an ONNX model: taken by name or in order, or refused in a sentence."""

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bringup.harness.frontend.onnx_checks import OnnxRefusal, check, named_inputs, result_names

FLOAT = TensorProto.FLOAT
WEIGHT = numpy_helper.from_array(np.array([5, 6], np.float32), "b")


def info(name: str, shape: Any = (2,), kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    *inputs: onnx.ValueInfoProto, weights: Any = (), nodes: Any = (), ir: int = 8
) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", list(inputs), [info("y"), info("y")], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = ir
    return model


def test_a_default_may_be_given_another_value_by_name_or_in_order() -> None:
    model, x = model_of(info("a"), info("b"), weights=[WEIGHT]), torch.ones(2)
    assert list(named_inputs(model, x)) == ["a"]
    assert list(named_inputs(model, {"b": x, "a": x})) == ["a", "b"]
    assert list(named_inputs(model, (x, x))) == ["a", "b"]


def test_inputs_have_the_dtypes_that_the_model_declares() -> None:
    model = model_of(info("a"), info("b", (), TensorProto.INT64), info("c", None, 16))
    given = (np.ones(2, ">f8")[::-1], np.int32(3), np.ones((1, 2), ml_dtypes.bfloat16))
    dtypes = [value.dtype for value in named_inputs(model, given).values()]
    assert dtypes == [torch.float32, torch.int64, torch.bfloat16]


SEQUENCE = helper.make_tensor_sequence_value_info("s", FLOAT, [2])
OPTIONAL = helper.make_value_info(
    "o", helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, [2]))
)
ONE = torch.ones(2)


@pytest.mark.parametrize(
    ("inputs", "weights", "given", "sentence"),
    [
        ([info("a"), info("b")], (), {"a": ONE}, "input 'b' of the model is not given"),
        ([info("a")], (), {}, "input 'a' of the model is not given"),
        ([info("a")], (), (ONE, ONE), "2 inputs given, the model takes a"),
        ([info("a")], (), {"x": ONE}, "no input 'x'; it has a"),
        ([info("a")], [WEIGHT], {"b": ONE}, "'b' is a weight of the model and no input; it has a"),
        ([SEQUENCE], (), {"s": [ONE, ONE]}, "input s is a sequence; only tensors of numbers"),
        ([OPTIONAL], (), ONE, "input o is an optional"),
        ([info("t", (2,), TensorProto.STRING)], (), ONE, "input t is a tensor of strings"),
        ([info("t", (2,), TensorProto.INT4)], (), ONE, "input t is a tensor of int4"),
        ([info("a")], (), torch.ones(2).long(), "input a is torch.int64, the model takes"),
        ([info("a")], (), torch.ones(3), r"shape \(3,\), which the model does not take: .* \(2\)"),
        ([info("a")], (), torch.ones(1, 2), "input a has rank 2, the model takes 1"),
        ([info("a")], (), {"a": [ONE, torch.ones(3)]}, "given as a list, which is no tensor"),
    ],
)
def test_what_does_not_fit_is_refused(inputs: Any, weights: Any, given: Any, sentence: str) -> None:
    with pytest.raises(OnnxRefusal, match=sentence):
        named_inputs(model_of(*inputs, weights=weights), given)


def test_an_old_models_weights_are_no_inputs() -> None:
    model = model_of(info("a"), info("b"), weights=[WEIGHT], ir=3)
    with pytest.raises(OnnxRefusal, match="'b' is a weight of the model in IR version 3"):
        named_inputs(model, {"a": ONE, "b": ONE})


def test_a_model_whose_weights_were_not_loaded_is_refused() -> None:
    model = model_of(info("a"), weights=[WEIGHT])
    weight = model.graph.initializer[0]
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    with pytest.raises(OnnxRefusal, match=r"the data of b lies in weights\.bin and was not loaded"):
        check(model)


@pytest.mark.parametrize(("domain", "whose"), [("", "ONNX itself"), ("org.x", r"org\.x")])
def test_a_model_that_does_not_import_what_it_uses_is_refused(domain: str, whose: str) -> None:
    model = model_of(info("a"), nodes=[helper.make_node("Relu", ["a"], ["y"], domain=domain)])
    del model.opset_import[:]
    with pytest.raises(OnnxRefusal, match=f"uses Relu of {whose} and imports no opset of that"):
        check(model)


def test_an_output_that_is_listed_twice_has_two_names() -> None:
    assert result_names(model_of(info("a"))) == ["y", "y (2)"]
