# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PEGASUS: 16 layers each way, its widths and 4 of them.

Configuration: google/pegasus-xsum, config.json.
"""

from transformers import PegasusConfig, PegasusForConditionalGeneration

from bringup import model_test

from ..testers import TranslationTester


class ThisTester(TranslationTester):
    architecture = PegasusForConditionalGeneration
    vocabulary = 96103

    def config(self):
        return PegasusConfig(
            vocab_size=self.words,
            d_model=1024,
            encoder_layers=4,
            decoder_layers=4,
            encoder_ffn_dim=4096,
            decoder_ffn_dim=4096,
            max_position_embeddings=512,
            scale_embedding=True,
        )


@model_test(ThisTester, "pegasus-xsum-4-layers", dtypes=("own", "bf16"))
def test_pegasus(results, tester):
    tester.check(results)
