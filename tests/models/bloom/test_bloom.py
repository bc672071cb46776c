# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""BLOOM 560M: a decoder with ALiBi.

Configuration: bigscience/bloom-560m, config.json.
"""

from transformers import BloomConfig, BloomForCausalLM

from bringup import model_test

from ..testers import DecoderTester, generating


class ThisTester(DecoderTester):
    architecture = BloomForCausalLM
    vocabulary = 250880

    def config(self):
        return BloomConfig(
            vocab_size=self.words, hidden_size=1024, n_layer=24, n_head=16, pad_token_id=3
        )


@model_test(ThisTester, *generating("bloom-560m"), modes=("train", "eval"), dtypes=("own", "bf16"))
def test_bloom(results, tester):
    tester.check(results)
