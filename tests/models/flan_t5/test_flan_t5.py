# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""FLAN-T5 base: T5 1.1, with gated GELU and no shared head.

Configuration: google/flan-t5-base, config.json.
"""

from transformers import T5Config, T5ForConditionalGeneration

from bringup import model_test

from ..testers import TranslationTester


class ThisTester(TranslationTester):
    architecture = T5ForConditionalGeneration
    vocabulary = 32128

    def config(self):
        return T5Config(
            vocab_size=self.words,
            d_model=768,
            d_ff=2048,
            num_layers=12,
            num_heads=12,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            decoder_start_token_id=0,
        )


@model_test(ThisTester, "flan-t5-base", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_flan_t5(results, tester):
    tester.check(results)
