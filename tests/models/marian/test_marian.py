# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Marian: English to German.

Configuration: Helsinki-NLP/opus-mt-en-de, config.json.
"""

from transformers import MarianConfig, MarianMTModel

from bringup import model_test

from ..testers import TranslationTester


class ThisTester(TranslationTester):
    architecture = MarianMTModel
    vocabulary = 58101

    def config(self):
        return MarianConfig(
            vocab_size=self.words,
            d_model=512,
            encoder_layers=6,
            decoder_layers=6,
            encoder_attention_heads=8,
            decoder_attention_heads=8,
            encoder_ffn_dim=2048,
            decoder_ffn_dim=2048,
            activation_function="swish",
            scale_embedding=True,
            max_position_embeddings=512,
            pad_token_id=1,
            decoder_start_token_id=1,
            eos_token_id=0,
            forced_eos_token_id=0,
        )


@model_test(ThisTester, "opus-mt-en-de", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_marian(results, tester):
    tester.check(results)
