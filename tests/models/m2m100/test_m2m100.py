# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""M2M-100 418M: a hundred languages.

Configuration: facebook/m2m100_418M, config.json.
"""

from transformers import M2M100Config, M2M100ForConditionalGeneration

from bringup import model_test

from ..testers import TranslationTester


class ThisTester(TranslationTester):
    architecture = M2M100ForConditionalGeneration
    vocabulary = 128112

    def config(self):
        return M2M100Config(vocab_size=self.words)


@model_test(ThisTester, "m2m100-418M", dtypes=("own", "bf16"))
def test_m2m100(results, tester):
    tester.check(results)
