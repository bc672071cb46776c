# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Tests that execute, and of which nothing can be said; and bodies that look at what they get."""

import random

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bringup import (
    CompileDepth,
    CompilerConfig,
    ModelTester,
    OnnxModelTester,
    OpByOpBackend,
)

CALLS = []


class Computes(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.compute = forward

    def forward(self, x):
        return self.compute(x)


def calls(x):
    CALLS.append(1)
    return x * len(CALLS)


NOTHING = {
    "none": lambda x: None,
    "empty_tuple": lambda x: (),
    "empty_dict": lambda x: {},
    "literals": lambda x: (x.shape[0], "done", {"rate": 0.5}),
    "no_elements": lambda x: [torch.zeros(0, 4)],
    "nan": lambda x: x / 0.0 - x / 0.0,
    "nan_beside_what_is_right": lambda x: (x * 2, x * torch.nan),
    "infinities": lambda x: (x * 0.0 - torch.inf, x.abs() + torch.inf),
}
UNSTABLE = {
    "python_random": lambda x: x * 10 ** random.uniform(-9, 9),
    "numpy_random": lambda x: x * 10 ** float(np.random.uniform(-9, 9)),
    "call_counter": calls,
    "one_row": lambda x: torch.cat([x * 1e4, calls(x)[:1]]),
}


class Tester(ModelTester):
    forward = staticmethod(lambda x: x * 2)

    def _load_model(self):
        return Computes(self.forward)

    def _load_inputs(self):
        return torch.linspace(1, 2, 12).view(3, 4)


def run(forward, tester_class=Tester, **options):
    tester = tester_class("case", **options)
    tester.forward = forward
    results = tester.test_model()
    tester.finalize()
    return results


@pytest.mark.parametrize("case", NOTHING)
def test_nothing(case):
    run(NOTHING[case])


class Keeps(torch.nn.Module):
    """A model with a parameter and a buffer, that gives what a case makes of them and the input."""

    def __init__(self, forward):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(1, 2, 12).view(3, 4))
        self.register_buffer("table", torch.arange(12.0).view(3, 4))
        self.compute = forward

    def forward(self, x):
        return self.compute(self, x)


def writes_a_constant(model, x):
    model.table.copy_(torch.ones(3, 4))
    return model.weight


CONSTANTS = {
    "buffer": lambda model, x: model.table,
    "parameter": lambda model, x: {"w": model.weight, "again": model.weight.view(12)},
    "copy": lambda model, x: model.table.clone().detach(),
    "made_of_nothing": lambda model, x: torch.arange(6.0) * 2,
    "shape_only": lambda model, x: (torch.ones_like(x), torch.zeros(x.shape[0])),
    "written": writes_a_constant,
}
BESIDE = {
    "input_handed_on": lambda model, x: (x, model.table),
    "of_a_parameter": lambda model, x: model.weight.t() @ model.weight,
    "one_of_two": lambda model, x: (model.table, x * 2),
    "counter": lambda model, x: model.table.add_(1) * 0 + 1,
}


class Keeping(Tester):
    def _load_model(self):
        return Keeps(self.forward)


@pytest.mark.parametrize("folds", [False, True])
@pytest.mark.parametrize("case", CONSTANTS)
def test_constants(case, folds):
    config = CompilerConfig()
    config.enable_consteval = config.consteval_parameters = folds
    run(CONSTANTS[case], Keeping, compiler_config=config)


def test_folded():
    config = CompilerConfig()
    config.consteval_parameters = True
    run(BESIDE["of_a_parameter"], Keeping, compiler_config=config)


def test_inlined():
    config = CompilerConfig()
    config.inline_parameters = True
    run(BESIDE["of_a_parameter"], Keeping, compiler_config=config)


@pytest.mark.parametrize("case", BESIDE)
def test_beside_constants(case):
    run(BESIDE[case], Keeping)


class OnnxConstant(OnnxModelTester):
    def _load_model(self):
        kept = numpy_helper.from_array(np.ones((9, 9), np.float32), "kept")
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (2,))
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [], [kept])
        graph.output.append(helper.make_tensor_value_info("kept", TensorProto.FLOAT, (9, 9)))
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)

    def _load_inputs(self):
        return torch.ones(2)


def test_onnx_constant():
    tester = OnnxConstant("case")
    tester.test_model()
    tester.finalize()


def test_extracts_a_constant_beside():
    class Extracting(Keeping):
        def _extract_outputs(self, outputs):
            return outputs[0]

    run(BESIDE["one_of_two"], Extracting)


@pytest.mark.parametrize("case", UNSTABLE)
def test_unstable(case):
    run(UNSTABLE[case])


def test_never_finalized():
    tester = Tester("case")
    tester.forward = NOTHING["none"]
    tester.test_model()


def test_extracts_a_literal():
    class Extracting(Tester):
        def _extract_outputs(self, outputs):
            return outputs[1]

    run(lambda x: (x * 2, "done"), Extracting)


SAYS_NOTHING = {
    "text": lambda outputs: "ok",
    "shape": lambda outputs: tuple(outputs.shape),
    "ones": torch.ones_like,
}


@pytest.mark.parametrize("case", SAYS_NOTHING)
def test_extracts_what_says_nothing(case):
    class Extracting(Tester):
        def _extract_outputs(self, outputs):
            return SAYS_NOTHING[case](outputs)

    run(lambda x: x * 2, Extracting)


def test_extracts_a_text_of_a_tensor():
    class Extracting(Tester):
        def _extract_outputs(self, outputs):
            return str(int(outputs[0].sum()))

    run(lambda x: (x * 2, "done"), Extracting)


def test_no_tokens():
    class Tokens(Tester):
        tokenizer = None

        def _extract_outputs(self, outputs):
            return outputs[:, :0].long()

    class Decoder:
        def decode(self, ids, **_):
            return " ".join(map(str, ids))

        def batch_decode(self, rows, **_):
            return [self.decode(row) for row in rows]

    Tokens.tokenizer = Decoder()
    run(lambda x: x * 2, Tokens, is_token_output=True)


def test_body_checks_and_is_wrong():
    tester = Tester("case")
    tester.forward = NOTHING["literals"]
    assert tester.test_model()[0] == 7


FLOWS = {
    "op_by_op_torch": OpByOpBackend.TORCH,
    "op_by_op_stablehlo": OpByOpBackend.STABLEHLO,
}


def config_of(flow):
    config = CompilerConfig()
    if flow in FLOWS:
        config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        config.op_by_op_backend = FLOWS[flow]
    return config


def onnx_of(op, inputs, element, **attributes):
    constants = {"half": np.float32(0.5), "yes": np.bool_(True)}
    values = [numpy_helper.from_array(np.asarray(constants[n]), n) for n in inputs if n != "x"]
    graph = helper.make_graph(
        [helper.make_node(op, inputs, ["y"], **attributes)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 8])],
        [helper.make_tensor_value_info("y", element, None)],
        values,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


ONNX_DRAWS = {
    "multinomial": lambda: onnx_of(
        "Multinomial", ["x"], TensorProto.INT64, sample_size=9, dtype=TensorProto.INT64, seed=1.0
    ),
    "dropout": lambda: onnx_of("Dropout", ["x", "half", "yes"], TensorProto.FLOAT, seed=1),
    "normal": lambda: onnx_of("RandomNormalLike", ["x"], TensorProto.FLOAT, seed=1.0),
}


@pytest.mark.parametrize("case", ONNX_DRAWS)
def test_onnx_draws(case):
    class Drawing(OnnxModelTester):
        def _load_model(self):
            return ONNX_DRAWS[case]()

        def _load_inputs(self):
            return torch.linspace(0.1, 0.9, 64).view(8, 8)

    tester = Drawing("case")
    tester.test_model()
    tester.finalize()


@pytest.mark.parametrize("flow", FLOWS)
def test_no_op(flow):
    run(NOTHING["literals"], compiler_config=config_of(flow))


@pytest.mark.parametrize("flow", FLOWS)
def test_body(flow):
    results = run(lambda x: {"twice": x * 2}, compiler_config=config_of(flow))
    assert torch.equal(results["twice"], Tester("other")._load_inputs() * 2)
    results["twice"].zero_()


@pytest.mark.parametrize("flow", ["full", *FLOWS])
def test_checker_fails(flow):
    assert run(lambda x: x * 2, compiler_config=config_of(flow)).sum() == 12345


def grumpy(x):
    if not torch.compiler.is_compiling():
        raise ValueError("no eager today")
    return x * 2


@pytest.mark.parametrize("flow", FLOWS)
def test_golden_fails(flow):
    assert run(grumpy, compiler_config=config_of(flow)) is None


@pytest.mark.parametrize("flow", FLOWS)
def test_golden_fails_and_is_looked_at(flow):
    assert run(grumpy, compiler_config=config_of(flow)).sum() > 0
