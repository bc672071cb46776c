# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ELECTRA small, its generator.

Configuration: google/electra-small-generator, config.json.
"""

from transformers import ElectraConfig, ElectraForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = ElectraForMaskedLM
    vocabulary = 30522

    def config(self):
        return ElectraConfig(
            vocab_size=self.words,
            embedding_size=128,
            hidden_size=256,
            num_attention_heads=4,
            intermediate_size=1024,
        )


@model_test(ThisTester, "electra-small-generator", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_electra(results, tester):
    tester.check(results)
