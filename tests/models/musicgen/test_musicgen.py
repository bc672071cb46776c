# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MusicGen small, its decoder: four books of codes at once.

Configuration: facebook/musicgen-small, config.json, decoder.
"""

from transformers import MusicgenDecoderConfig, MusicgenForCausalLM

from bringup import model_test

from ..seeded import normal, padded, tokens
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = MusicgenForCausalLM

    def config(self):
        return MusicgenDecoderConfig()

    def _load_inputs(self):
        return {
            "input_ids": tokens(2048, 8, 32),
            "encoder_hidden_states": normal(2, 12, 1024),
            "encoder_attention_mask": padded(12, 7),
        }


@model_test(ThisTester, "musicgen-small", dtypes=("own", "bf16"))
def test_musicgen(results):
    assert results.logits.shape == (8, 32, 2048)
