# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MPNet base: relative positions beside absolute ones.

Configuration: microsoft/mpnet-base, config.json.
"""

from transformers import MPNetConfig, MPNetForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = MPNetForMaskedLM
    vocabulary = 30527

    def config(self):
        return MPNetConfig(vocab_size=self.words, max_position_embeddings=514, layer_norm_eps=1e-5)


@model_test(ThisTester, "mpnet-base", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_mpnet(results, tester):
    tester.check(results)
