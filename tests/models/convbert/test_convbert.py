# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ConvBERT base: convolutions made of each span beside attention.

Configuration: YituTech/conv-bert-base, config.json.
"""

from transformers import ConvBertConfig, ConvBertForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = ConvBertForMaskedLM
    vocabulary = 30522

    def config(self):
        return ConvBertConfig(vocab_size=self.words)


@model_test(ThisTester, "conv-bert-base")
def test_convbert(results, tester):
    tester.check(results)
