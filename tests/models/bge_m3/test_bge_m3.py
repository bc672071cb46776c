# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""BGE-M3: XLM-RoBERTa, large, as it makes dense embeddings.

Configuration: BAAI/bge-m3, config.json.
"""

from transformers import XLMRobertaConfig, XLMRobertaModel

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = XLMRobertaModel
    vocabulary = 250002

    def config(self):
        return XLMRobertaConfig(
            vocab_size=self.words,
            hidden_size=1024,
            num_hidden_layers=24,
            num_attention_heads=16,
            intermediate_size=4096,
            max_position_embeddings=8194,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
        )


@model_test(ThisTester, "bge-m3", dtypes=("own", "bf16"))
def test_bge_m3(results, tester):
    assert results.last_hidden_state.shape == (2, tester.length, 1024)
