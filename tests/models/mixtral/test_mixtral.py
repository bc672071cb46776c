# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Mixtral: 8 experts of which a token sees 2.

Configuration: a small one of our own, after Jiang et al. 2024, arXiv:2401.04088.
"""

from transformers import MixtralConfig, MixtralForCausalLM

from bringup import model_test

from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = MixtralForCausalLM
    vocabulary = 32000

    def config(self):
        return MixtralConfig(
            vocab_size=self.words,
            hidden_size=512,
            intermediate_size=1024,
            num_hidden_layers=4,
            num_attention_heads=8,
            num_key_value_heads=2,
            num_local_experts=8,
            num_experts_per_tok=2,
        )


@model_test(ThisTester, "mixtral-small")
def test_mixtral(results, tester):
    tester.check(results)
