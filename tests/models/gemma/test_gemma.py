# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Gemma 3 270M: five layers in six look back 512 tokens.

Configuration: google/gemma-3-270m, config.json.
"""

from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from bringup import model_test

from ..testers import DecoderTester, generating


class ThisTester(DecoderTester):
    architecture = Gemma3ForCausalLM
    vocabulary = 262144

    def config(self):
        return Gemma3TextConfig(
            vocab_size=self.words,
            hidden_size=640,
            intermediate_size=2048,
            num_hidden_layers=18,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=256,
            sliding_window=512,
        )


@model_test(
    ThisTester, *generating("gemma-3-270m"), modes=("train", "eval"), dtypes=("own", "bf16")
)
def test_gemma(results, tester):
    tester.check(results)
