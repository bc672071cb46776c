# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from importlib.resources import files

import onnx
import pytest

from bringup import CompileDepth, CompilerConfig, OnnxModelTester, OpByOpBackend
from bringup.harness.given.onnx_file import static

from ..seeded import normal
from .seeded_weights import seed_weights


class ThisTester(OnnxModelTester):
    def _load_model(self):
        light = files("onnx") / "backend" / "test" / "data" / "light"
        file = light / f"light_{self.model_name}.onnx"
        model = static(onnx.load_from_string(file.read_bytes()))
        seed_weights(model)
        return model

    def _load_inputs(self):
        return [normal(1, 3, 224, 224)]


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "model_name",
    [
        "densenet121",
        "resnet50",
        "shufflenet",
        "squeezenet",
    ],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, None],
    ids=["op_by_op_stablehlo", "full"],
)
def test_light_onnx(record_property, model_name, mode, op_by_op):
    cc = CompilerConfig()
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        model_name,
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        (scores,) = results
        assert scores.flatten().shape == (1000,)
    tester.finalize()
