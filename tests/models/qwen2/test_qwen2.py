# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
from transformers import Qwen2Config, Qwen2ForCausalLM

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = Qwen2Config(
            vocab_size=151936,
            hidden_size=512,
            intermediate_size=1408,
            num_hidden_layers=16,
            num_attention_heads=8,
            num_key_value_heads=2,
            max_position_embeddings=32768,
            rope_theta=1000000.0,
            tie_word_embeddings=True,
        )
        return build(Qwen2ForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(151936, 1, 128)}


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_qwen2(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "qwen2-125m",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.logits.shape == (1, 128, 151936)
    tester.finalize()
