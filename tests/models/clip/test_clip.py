# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, normal, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        return build(CLIPModel, CLIPConfig())

    def _load_inputs(self):
        return {
            "input_ids": tokens(49408, 2, 77),
            "pixel_values": normal(2, 3, 224, 224),
        }


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_clip(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "clip-vit-base-patch32",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.logits_per_image.shape == (2, 2)
        assert torch.equal(results.logits_per_image, results.logits_per_text.T)
    tester.finalize()
