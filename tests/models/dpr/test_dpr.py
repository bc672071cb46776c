# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DPR: the encoder of passages.

Configuration: facebook/dpr-ctx_encoder-single-nq-base, config.json.
"""

from transformers import DPRConfig, DPRContextEncoder

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = DPRContextEncoder
    vocabulary = 30522

    def config(self):
        return DPRConfig(vocab_size=self.words)


@model_test(ThisTester, "dpr-ctx-encoder", dtypes=("own", "bf16"))
def test_dpr(results):
    assert results.pooler_output.shape == (2, 768)
