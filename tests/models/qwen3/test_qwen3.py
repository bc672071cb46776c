# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Qwen3 0.6B: grouped queries, each head normalised.

Configuration: Qwen/Qwen3-0.6B, config.json.
"""

from transformers import Qwen3Config, Qwen3ForCausalLM

from bringup import model_test

from ..testers import DecoderTester, generating


class ThisTester(DecoderTester):
    architecture = Qwen3ForCausalLM
    vocabulary = 151936

    def config(self):
        return Qwen3Config(
            vocab_size=self.words,
            hidden_size=1024,
            intermediate_size=3072,
            num_hidden_layers=28,
            num_attention_heads=16,
            num_key_value_heads=8,
            head_dim=128,
            tie_word_embeddings=True,
        )


@model_test(ThisTester, *generating("qwen3-0.6b"), modes=("train", "eval"), dtypes=("own", "bf16"))
def test_qwen3(results, tester):
    tester.check(results)
