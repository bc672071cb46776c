# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = WhisperConfig(
            d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048
        )
        return build(WhisperEncoder, config)

    def _load_inputs(self):
        return normal(1, 80, 3000)  # 30 s of log-mel frames


@model_test(ThisTester, "whisper-base")
def test_whisper(results):
    assert results.last_hidden_state.shape == (1, 1500, 512)
