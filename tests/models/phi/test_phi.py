# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Phi-1: a decoder whose attention and feed-forward stand side by side.

Configuration: microsoft/phi-1, config.json.
"""

from transformers import PhiConfig, PhiForCausalLM

from bringup import model_test

from ..seeded import at_most
from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = PhiForCausalLM
    vocabulary = 51200

    def config(self):
        return PhiConfig(
            vocab_size=self.words,
            hidden_size=at_most(2048, 512),
            intermediate_size=at_most(8192, 2048),
            num_hidden_layers=24,
            num_attention_heads=at_most(32, 8),
            partial_rotary_factor=0.5,
        )


@model_test(ThisTester, "phi-1", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_phi(results, tester):
    tester.check(results)
