# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
from transformers import T5Config, T5ForConditionalGeneration

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, tokens

SIZES = {
    "t5-small": {"d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8},
    "t5-base": {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
}


class ThisTester(ModelTester):
    def _load_model(self):
        config = T5Config(**SIZES[self.model_name])
        return build(T5ForConditionalGeneration, config)

    def _load_inputs(self):
        return {
            "input_ids": tokens(32128, 1, 64, seed=0),
            "decoder_input_ids": tokens(32128, 1, 64, seed=1),
        }


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "model_name",
    [
        "t5-small",
        "t5-base",
    ],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_t5(record_property, model_name, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
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
        assert results.logits.shape == (1, 64, 32128)
    tester.finalize()
