# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SqueezeBERT: BERT with grouped convolutions in place of matrices.

Configuration: squeezebert/squeezebert-uncased, config.json.
"""

from transformers import SqueezeBertConfig, SqueezeBertForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = SqueezeBertForMaskedLM
    vocabulary = 30528

    def config(self):
        return SqueezeBertConfig(vocab_size=self.words, embedding_size=768)


@model_test(ThisTester, "squeezebert-uncased", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_squeezebert(results, tester):
    tester.check(results)
