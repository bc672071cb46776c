# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import LlamaConfig, LlamaForCausalLM

from bringup import ModelTester, model_test

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


@model_test(ThisTester, "llama-160m", dtypes=("own", "bf16"))
def test_llama(results):
    assert results.logits.shape == (1, 128, 32000)
