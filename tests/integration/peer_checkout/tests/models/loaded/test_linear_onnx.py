# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import onnx
import pytest
import torch
from tt_torch.tools.utils import CompilerConfig

from tests.utils import OnnxModelTester


class ThisTester(OnnxModelTester):
    def _load_model(self):
        given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 4])
        result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2, 4])
        node = onnx.helper.make_node("Relu", ["x"], ["y"])
        graph = onnx.helper.make_graph([node], "relu", [given], [result])
        self.model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
        )
        return self.model

    def _load_torch_inputs(self):
        return torch.randn(2, 4)


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("op_by_op", [None], ids=["full"])
def test_linear_onnx(record_property, mode, op_by_op):
    tester = ThisTester(
        "relu", mode, compiler_config=CompilerConfig(), record_property_handle=record_property
    )
    results = tester.test_model()
    assert results[0].shape == (2, 4) and len(tester.torch_inputs) == 1
    tester.finalize()
