# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ModernBERT base: rotary positions, and windows in two layers of three.

Configuration: answerdotai/ModernBERT-base, config.json.
"""

from transformers import ModernBertConfig, ModernBertForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = ModernBertForMaskedLM
    vocabulary = 50368

    def config(self):
        return ModernBertConfig(
            vocab_size=self.words,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            cls_token_id=1,
            sep_token_id=2,
        )


@model_test(ThisTester, "modernbert-base", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_modernbert(results, tester):
    tester.check(results)
