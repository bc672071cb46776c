# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import Qwen2Config, Qwen2ForCausalLM

from bringup import ModelTester, model_test

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


@model_test(ThisTester, "qwen2-125m")
def test_qwen2(results):
    assert results.logits.shape == (1, 128, 151936)
