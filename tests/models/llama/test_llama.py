# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
from transformers import LlamaConfig, LlamaForCausalLM

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = LlamaConfig(
            vocab_size=32000,
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
        )
        return build(LlamaForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(32000, 1, 128)}


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_llama(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "llama-160m",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.logits.shape == (1, 128, 32000)
    tester.finalize()
