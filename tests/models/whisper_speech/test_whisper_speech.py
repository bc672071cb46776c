# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Whisper tiny, whole: 30 s of sound and the first words.

Configuration: openai/whisper-tiny, config.json.
"""

from transformers import WhisperConfig, WhisperForConditionalGeneration

from bringup import model_test

from ..seeded import normal, tokens
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = WhisperForConditionalGeneration

    def config(self):
        return WhisperConfig()

    def _load_inputs(self):
        frames = {"input_features": normal(1, 80, 3000)}
        if self.mode == "train":
            return frames | {"labels": tokens(50000, 1, 12)}
        return frames | {"decoder_input_ids": tokens(50000, 1, 12)}


@model_test(ThisTester, "whisper-tiny", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_whisper_speech(results):
    assert results.logits.shape == (1, 12, 51865)
