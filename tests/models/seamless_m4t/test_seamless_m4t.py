# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SeamlessM4T medium, from text to text.

Configuration: facebook/hf-seamless-m4t-medium, config.json.
"""

from transformers import SeamlessM4TConfig, SeamlessM4TForTextToText

from bringup import model_test

from ..testers import TranslationTester


class ThisTester(TranslationTester):
    architecture = SeamlessM4TForTextToText
    vocabulary = 256206

    def config(self):
        return SeamlessM4TConfig(
            vocab_size=self.words,
            hidden_size=1024,
            encoder_layers=12,
            decoder_layers=12,
            encoder_ffn_dim=4096,
            decoder_ffn_dim=4096,
        )


@model_test(ThisTester, "seamless-m4t-medium", dtypes=("own", "bf16"))
def test_seamless_m4t(results, tester):
    tester.check(results)
