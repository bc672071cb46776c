# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Mistral 7B: its widths, and 2 of its 32 layers, to fit in 8 GB.

Configuration: mistralai/Mistral-7B-v0.1, config.json.
"""

from transformers import MistralConfig, MistralForCausalLM

from bringup import model_test

from ..seeded import at_most
from ..testers import DecoderTester, generating


class ThisTester(DecoderTester):
    architecture = MistralForCausalLM
    vocabulary = 32000

    def config(self):
        return MistralConfig(
            vocab_size=self.words,
            hidden_size=at_most(4096, 512),
            intermediate_size=at_most(14336, 1792),
            num_hidden_layers=2,
            num_attention_heads=at_most(32, 8),
            num_key_value_heads=at_most(8, 2),
            sliding_window=4096,
        )


@model_test(
    ThisTester, *generating("mistral-7b-2-layers"), modes=("train", "eval"), dtypes=("own", "bf16")
)
def test_mistral(results, tester):
    tester.check(results)
