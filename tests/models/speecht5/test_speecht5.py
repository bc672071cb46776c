# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SpeechT5: a sentence in the voice of a speaker, its first frames.

Configuration: microsoft/speecht5_tts, config.json.
"""

from transformers import SpeechT5Config, SpeechT5ForTextToSpeech

from bringup import model_test

from ..seeded import normal
from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = SpeechT5ForTextToSpeech
    vocabulary = 81

    def config(self):
        # no draw in the prenet, which has dropout in eval mode, too: a device draws otherwise
        return SpeechT5Config(speech_decoder_prenet_dropout=0.0)

    def _load_inputs(self):
        frames = {"decoder_input_values": normal(2, 20, 80), "speaker_embeddings": normal(2, 512)}
        return super()._load_inputs() | frames


@model_test(ThisTester, "speecht5-tts")
def test_speecht5(results):
    assert results.spectrogram.shape == (2, 40, 80)
