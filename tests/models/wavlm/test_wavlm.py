# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""WavLM base, CTC: gated relative positions.

Configuration: microsoft/wavlm-base, config.json.
"""

from transformers import WavLMConfig, WavLMForCTC

from bringup import model_test

from ..testers import SoundTester


class ThisTester(SoundTester):
    architecture = WavLMForCTC

    def config(self):
        return WavLMConfig()


@model_test(ThisTester, "wavlm-base")
def test_wavlm(results):
    assert results.logits.shape == (2, 49, 32)
