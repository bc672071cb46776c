# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import normal
from .unet import UNet


class ThisTester(ModelTester):
    def _load_model(self):
        torch.manual_seed(0)
        return UNet(in_channels=1, classes=2)

    def _load_inputs(self):
        return normal(1, 1, 256, 256)  # a grey picture


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_unet(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "unet-2015",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.shape == (1, 2, 256, 256)
    tester.finalize()
