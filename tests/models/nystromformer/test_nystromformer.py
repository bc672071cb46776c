# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nystromformer: attention by 64 landmarks.

Configuration: uw-madison/nystromformer-512, config.json.
"""

from transformers import NystromformerConfig, NystromformerForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = NystromformerForMaskedLM
    vocabulary = 30000

    def config(self):
        return NystromformerConfig(vocab_size=self.words)


@model_test(ThisTester, "nystromformer-512")
def test_nystromformer(results, tester):
    tester.check(results)
