# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Odd ONNX models: prepared, lowered, run on a device, and the same as onnxruntime."""

from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

from bringup import CompilerConfig, OnnxExecutor
from bringup.harness.device_host.client import Device
from bringup.harness.frontend.onnx_checks import OnnxRefusal, named_inputs, result_names
from bringup.harness.frontend.onnx_golden import golden_outputs
from bringup.harness.frontend.onnx_lowering import lower_onnx
from bringup.harness.frontend.onnx_prepare import prepare
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.verify import compare, mismatches


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


def info(name: str, shape: Any = (2, 3), kind: int = T.FLOAT) -> onnx.ValueInfoProto:
    return h.make_tensor_value_info(name, kind, shape)


def weight(name: str, *shape: int, kind: Any = np.float32) -> onnx.TensorProto:
    values = np.random.default_rng(0).standard_normal(shape).astype(kind)
    return nh.from_array(values, name)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: Sequence[onnx.TensorProto] = (),
    opset: int = 17,
    domains: Sequence[str] = (),
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    imports = [h.make_opsetid("", opset), *(h.make_opsetid(name, 1) for name in domains)]
    graph = h.make_graph(list(nodes), "g", list(inputs), list(outputs), list(weights))
    model = h.make_model(graph, opset_imports=imports, functions=list(functions))
    model.ir_version = 8
    return model


X = torch.linspace(-2, 2, 6).view(2, 3)
RELU = h.make_node("Relu", ["x"], ["y"])
BF16 = T.BFLOAT16
PLAIN_OPSET = [h.make_opsetid("", 17)]
TWICE = h.make_function(
    "my", "Twice", ["a"], ["b"], [h.make_node("Add", ["a", "a"], ["b"])], PLAIN_OPSET
)
FOUR_TIMES = h.make_function(
    "my",
    "Four",
    ["a"],
    ["b"],
    [
        h.make_node("Twice", ["a"], ["t"], domain="my"),
        h.make_node("Twice", ["t"], ["b"], domain="my"),
    ],
    [*PLAIN_OPSET, h.make_opsetid("my", 1)],
)


def sparse() -> onnx.SparseTensorProto:
    values = h.make_tensor("s", T.FLOAT, [2], [1.0, 2.0])
    return h.make_sparse_tensor(values, h.make_tensor("i", T.INT64, [2, 2], [0, 1, 1, 2]), [2, 3])


def with_sparse_weight() -> onnx.ModelProto:
    model = model_of([h.make_node("Add", ["x", "s"], ["y"])], [info("x")], [info("y")])
    model.graph.sparse_initializer.append(sparse())
    return model


CASES: dict[str, tuple[onnx.ModelProto, Any]] = {
    "an output that is an input": (model_of([RELU], [info("x")], [info("y"), info("x")]), X),
    "nothing but an input": (model_of([], [info("x")], [info("x"), info("x")]), X),
    "an output that is a weight": (
        model_of([RELU], [info("x")], [info("y"), info("w", (9, 9))], [weight("w", 9, 9)]),
        X,
    ),
    "an output that is a large constant": (
        model_of(
            [RELU, h.make_node("Constant", [], ["k"], value=weight("v", 9, 9))],
            [info("x")],
            [info("y"), info("k", (9, 9))],
        ),
        X,
    ),
    "an output that is listed twice": (model_of([RELU], [info("x")], [info("y"), info("y")]), X),
    "a constant of floats": (
        model_of(
            [
                h.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0, 3.0]),
                h.make_node("Add", ["x", "k"], ["y"]),
            ],
            [info("x")],
            [info("y"), info("k", (3,))],
        ),
        X,
    ),
    "an input without rank": (model_of([RELU], [info("x", None)], [info("y", None)]), X),
    "a stale size of an output": (
        model_of([RELU], [info("x", ("b", 3))], [info("y", (1, 3))]),
        X,
    ),
    "bfloat16 in and out": (
        model_of(
            [h.make_node("Identity", ["x"], ["y"])],
            [info("x", kind=BF16)],
            [info("y", kind=BF16), info("x", kind=BF16)],
        ),
        X.bfloat16(),
    ),
    "bfloat16 throughout": (
        model_of(
            [h.make_node("MatMul", ["x", "w"], ["y"])],
            [info("x", kind=BF16)],
            [info("y", (2, 40), BF16)],
            [weight("w", 3, 40, kind=ml_dtypes.bfloat16)],
        ),
        X,
    ),
    "an overridden weight": (
        model_of(
            [h.make_node("MatMul", ["x", "w"], ["y"])],
            [info("x"), info("w", (3, 40))],
            [info("y", (2, 40))],
            [weight("w", 3, 40)],
        ),
        {"x": X, "w": torch.ones(3, 40)},
    ),
    "a weight that could be overridden": (
        model_of(
            [h.make_node("MatMul", ["x", "w"], ["y"])],
            [info("x"), info("w", (3, 40))],
            [info("y", (2, 40))],
            [weight("w", 3, 40)],
        ),
        X,
    ),
    "functions of functions": (
        model_of(
            [h.make_node("Four", ["x"], ["y"], domain="my")],
            [info("x", ("n", 3))],
            [info("y", ("n", 3))],
            domains=["my"],
            functions=[TWICE, FOUR_TIMES],
        ),
        X,
    ),
    "a sparse weight": (with_sparse_weight(), X),
    "a sparse constant": (
        model_of(
            [
                h.make_node("Constant", [], ["s"], sparse_value=sparse()),
                h.make_node("Add", ["x", "s"], ["y"]),
            ],
            [info("x")],
            [info("y")],
        ),
        X,
    ),
    "nodes of one name": (
        model_of(
            [
                h.make_node("Relu", ["x"], ["a"], name="n"),
                h.make_node("Neg", ["a"], ["y"], name="n"),
            ],
            [info("x")],
            [info("y")],
        ),
        X,
    ),
    "the mask of an old dropout": (
        model_of(
            [
                h.make_node("Dropout", ["x"], ["d", "m"], ratio=0.5),
                h.make_node("Cast", ["m"], ["f"], to=T.FLOAT),
                h.make_node("Add", ["d", "f"], ["y"]),
            ],
            [info("x")],
            [info("y"), info("m", None, T.BOOL)],
            opset=10,
        ),
        X,
    ),
    "int32 where int64 is declared": (
        model_of(
            [h.make_node("Gather", ["w", "i"], ["y"])],
            [info("i", (2,), T.INT64)],
            [info("y", None)],
            [weight("w", 9, 9)],
        ),
        torch.tensor([1, -2], dtype=torch.int32),
    ),
    "an input with the negative bit": (
        model_of([RELU], [info("x", (2,))], [info("y", (2,))]),
        torch.tensor([1 + 2j, 3 - 4j]).conj().imag,
    ),
}


@pytest.mark.parametrize(("model", "given"), CASES.values(), ids=CASES)
def test_an_odd_model_is_the_same_on_a_device(
    model: onnx.ModelProto, given: Any, cpu: Device, recorder: TestRecorder
) -> None:
    before = model.SerializeToString()
    inputs = named_inputs(model, given)
    golden = golden_outputs(model, inputs)
    executor = OnnxExecutor(
        lower_onnx(model, inputs, CompilerConfig(), recorder), CompilerConfig(), cpu, recorder
    )
    executor.compile()
    actual = executor(**inputs)
    executor.release()
    assert [leaf.dtype for leaf in golden] == [leaf.dtype for leaf in actual]
    assert mismatches(compare(tuple(golden), tuple(actual))) == []
    assert len(set(result_names(model))) == len(golden)
    assert model.SerializeToString() == before, "the model stays as it was loaded"


def test_bfloat16_is_computed_in_float32_where_onnxruntime_has_no_kernel() -> None:
    model, given = CASES["bfloat16 throughout"]
    (golden,) = golden_outputs(model, named_inputs(model, given))
    w = torch.from_numpy(nh.to_array(model.graph.initializer[0]).astype(np.float32))
    expected = X.bfloat16().float() @ w
    torch.testing.assert_close(golden, expected.bfloat16())


SEQUENCE = h.make_tensor_sequence_value_info("y", T.FLOAT, None)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            model_of([h.make_node("SplitToSequence", ["x"], ["y"])], [info("x")], [SEQUENCE]),
            "output y is a sequence; no device computes that",
        ),
        (
            model_of([h.make_node("Cast", ["x"], ["y"], to=8)], [info("x")], [info("y", kind=8)]),
            "output y is a tensor of strings; no device computes that",
        ),
        (
            model_of(
                [h.make_node("Add", ["x", "b"], ["y"], broadcast=1, axis=1)],
                [info("x", (2, 3, 4))],
                [info("y", None)],
                [weight("b", 3)],
                opset=6,
            ),
            "the model of opset 6 cannot be converted to opset 17: Dimension 0 of input 2",
        ),
    ],
)
def test_what_no_device_could_be_given_is_refused(model: onnx.ModelProto, sentence: str) -> None:
    with pytest.raises(OnnxRefusal, match=sentence):
        prepare(model, {"x": torch.ones(2, 3, 4)})


def test_a_weight_of_an_old_model_need_not_be_an_input() -> None:
    add = h.make_node("Add", ["x", "b"], ["y"], broadcast=1, axis=0)
    old = model_of([add], [info("x")], [info("y", None)], [weight("b", 2)], opset=6)
    old.ir_version = 3
    (result,) = golden_outputs(prepare(old, {"x": X}), {"x": X})
    b = torch.from_numpy(nh.to_array(old.graph.initializer[0]).copy())
    torch.testing.assert_close(result, X + b[:, None])


def test_what_onnxruntime_does_not_compute_is_said() -> None:
    odd = model_of([h.make_node("Odd", ["x"], ["y"], domain="org")], [info("x")], [info("y")])
    odd.opset_import.append(h.make_opsetid("org", 1))
    with pytest.raises(OnnxRefusal, match=r"onnxruntime does not compute the model: .*org:Odd"):
        golden_outputs(odd, {"x": X})


def test_a_declared_shape_is_kept_where_inference_finds_none() -> None:
    odd = model_of(
        [
            h.make_node("Gelu", ["x"], ["g"], domain="com.microsoft"),
            h.make_node("Relu", ["g"], ["r"]),
            h.make_node("Flatten", ["r"], ["y"]),
        ],
        [info("x", ("n", 3))],
        [info("y", None)],
        domains=["com.microsoft"],
    )
    odd.graph.value_info.append(info("g"))
    prepared = prepare(odd, {"x": X})
    types = {v.name: v.type for v in (*prepared.graph.value_info, *prepared.graph.output)}
    sizes = {n: [d.dim_value for d in t.tensor_type.shape.dim] for n, t in types.items()}
    assert sizes == {"g": [2, 3], "r": [2, 3], "y": [2, 3]}
    del odd.graph.value_info[:]
    output = prepare(odd, {"x": X}).graph.output[0].type.tensor_type
    assert [d.dim_value for d in output.shape.dim] == [2, 3], "as onnxruntime computes it"


@pytest.mark.parametrize("seed", [{}, {"seed": 1.0}], ids=["no seed", "a seed"])
def test_random_numbers_are_other_ones_each_time(seed: dict[str, float]) -> None:
    noise = h.make_node("RandomUniformLike", ["x"], ["y"], **seed)
    model = model_of([noise], [info("x")], [info("y")])
    first, second = (golden_outputs(model, {"x": X})[0] for _ in range(2))
    assert not torch.equal(first, second)
