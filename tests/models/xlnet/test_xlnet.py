# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""XLNet base: permuted language modelling, two streams.

Configuration: xlnet/xlnet-base-cased, config.json.
"""

from transformers import XLNetConfig, XLNetLMHeadModel

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = XLNetLMHeadModel
    vocabulary = 32000

    def config(self):
        return XLNetConfig(vocab_size=self.words, d_model=768, n_layer=12, n_head=12, d_inner=3072)


@model_test(ThisTester, "xlnet-base-cased", dtypes=("own", "bf16"))
def test_xlnet(results, tester):
    tester.check(results)
