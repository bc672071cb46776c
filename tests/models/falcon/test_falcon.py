# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Falcon RW 1B: a decoder with ALiBi and one bias for all.

Configuration: tiiuae/falcon-rw-1b, config.json.
"""

from transformers import FalconConfig, FalconForCausalLM

from bringup import model_test

from ..seeded import at_most
from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = FalconForCausalLM
    vocabulary = 50304

    def config(self):
        return FalconConfig(
            vocab_size=self.words,
            hidden_size=at_most(2048, 512),
            num_hidden_layers=24,
            num_attention_heads=at_most(32, 8),
            alibi=True,
            multi_query=False,
            parallel_attn=False,
            bias=True,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
        )


@model_test(ThisTester, "falcon-rw-1b", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_falcon(results, tester):
    tester.check(results)
