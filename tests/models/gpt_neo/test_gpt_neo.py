# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GPT-Neo 125M: a decoder whose every second layer looks back 256 tokens.

Configuration: EleutherAI/gpt-neo-125m, config.json.
"""

from transformers import GPTNeoConfig, GPTNeoForCausalLM

from bringup import model_test

from ..seeded import at_most, is_tiny
from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = GPTNeoForCausalLM
    vocabulary = 50257

    def config(self):
        return GPTNeoConfig(
            vocab_size=self.words,
            hidden_size=768,
            num_layers=at_most(12, 2),
            num_heads=12,
            attention_types=[[["global", "local"], 1 if is_tiny() else 6]],
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
        )


@model_test(ThisTester, "gpt-neo-125m", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_gpt_neo(results, tester):
    tester.check(results)
