# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return build(Wav2Vec2ForCTC, Wav2Vec2Config())

    def _load_inputs(self):
        return normal(1, 16000)  # one second of sound


@model_test(ThisTester, "wav2vec2-base")
def test_wav2vec2(results):
    assert results.logits.shape == (1, 49, 32)
