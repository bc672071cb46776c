# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

# The example test body of the seed page; only its import lines differ, and its dots are filled in.

import onnx
import pytest
import torch

from bringup import (
    CompileDepth,
    CompilerConfig,
    ModelTester,
    OnnxModelTester,
    OpByOpBackend,
)


class ThisTester(ModelTester):
    def _load_model(self):
        model = torch.nn.Sequential(
            torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4), torch.nn.Softmax(-1)
        )
        return model

    def _load_inputs(self):
        inputs = torch.randn(2, 16)
        return inputs


# you can pytest parameterize certain arguments. i.e. Mode, OpByOpBackend, Model Name
@pytest.mark.parametrize(
    "mode",
    ["train", "eval"],
)
@pytest.mark.parametrize(
    "model_name",
    [
        "model_name_0",
        "model_name_1",
    ],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
# For PyTorch Tests
def test_seed(record_property, model_name, mode, op_by_op):

    cc = CompilerConfig()
    cc.enable_consteval = True
    cc.consteval_parameters = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        model_name,
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.sum().item() == pytest.approx(2.0)
    tester.finalize()


class ThisOnnxTester(OnnxModelTester):
    def _load_model(self):
        weight = torch.randn(16, 8)
        model = onnx.parser.parse_model(
            '<ir_version: 8, opset_import: ["" : 17]>'
            "net (float[N, 16] x, float[16, 8] w) => (float[N, 8] y) {"
            " z = MatMul(x, w) y = Relu(z) }"
        )
        model.graph.initializer.append(onnx.numpy_helper.from_array(weight.numpy(), "w"))
        return model

    def _load_inputs(self):
        inputs = torch.randn(3, 16)
        return inputs


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("model_name", ["model_name_0"])
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, None],
    ids=["op_by_op_stablehlo", "full"],
)
# For Onnx Tests:
def test_seed_onnx(record_property, model_name, mode, op_by_op):
    cc = CompilerConfig()
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisOnnxTester(
        model_name,
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
        model_group="red",
    )

    results = tester.test_model()
    if mode == "eval":
        assert results[0].shape == (3, 8)
    tester.finalize()
