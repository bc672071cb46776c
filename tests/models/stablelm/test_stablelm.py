# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableLM 2 1.6B: its widths, and 4 of its 24 layers.

Configuration: stabilityai/stablelm-2-1_6b, config.json.
"""

from transformers import StableLmConfig, StableLmForCausalLM

from bringup import model_test

from ..seeded import at_most
from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = StableLmForCausalLM
    vocabulary = 100352

    def config(self):
        return StableLmConfig(
            vocab_size=self.words,
            hidden_size=at_most(2048, 512),
            intermediate_size=at_most(5632, 1408),
            num_hidden_layers=4,
            num_attention_heads=at_most(32, 8),
            num_key_value_heads=at_most(32, 8),
            use_qkv_bias=True,
        )


@model_test(ThisTester, "stablelm-2-1.6b-4-layers", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_stablelm(results, tester):
    tester.check(results)
