# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""FNet base: a Fourier transform in place of attention.

Configuration: google/fnet-base, config.json.
"""

from transformers import FNetConfig, FNetForMaskedLM

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = FNetForMaskedLM
    vocabulary = 32000

    def config(self):
        return FNetConfig(vocab_size=self.words)


@model_test(ThisTester, "fnet-base")
def test_fnet(results, tester):
    tester.check(results)
