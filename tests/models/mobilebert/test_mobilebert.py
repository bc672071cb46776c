# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MobileBERT: 24 thin layers with bottlenecks.

Configuration: google/mobilebert-uncased, config.json.
"""

from transformers import MobileBertConfig, MobileBertForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = MobileBertForMaskedLM
    vocabulary = 30522

    def config(self):
        return MobileBertConfig(vocab_size=self.words)


@model_test(ThisTester, "mobilebert-uncased", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_mobilebert(results, tester):
    tester.check(results)
