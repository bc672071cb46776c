# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import BartConfig, BartForConditionalGeneration

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = BartConfig(
            d_model=768,
            encoder_layers=6,
            decoder_layers=6,
            encoder_attention_heads=12,
            decoder_attention_heads=12,
            encoder_ffn_dim=3072,
            decoder_ffn_dim=3072,
        )
        return build(BartForConditionalGeneration, config)

    def _load_inputs(self):
        return {
            "input_ids": tokens(50265, 1, 64, seed=0),
            "decoder_input_ids": tokens(50265, 1, 64, seed=1),
        }


@model_test(ThisTester, "bart-base")
def test_bart(results):
    assert results.logits.shape == (1, 64, 50265)
