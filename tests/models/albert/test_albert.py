# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from transformers import AlbertConfig, AlbertForMaskedLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = AlbertConfig(hidden_size=768, num_attention_heads=12, intermediate_size=3072)
        return build(AlbertForMaskedLM, config)

    def _load_inputs(self):
        attention_mask = torch.ones(1, 128, dtype=torch.int64)
        attention_mask[:, 100:] = 0  # a sentence padded on the right
        return {"input_ids": tokens(30000, 1, 128), "attention_mask": attention_mask}


@model_test(ThisTester, "albert-base-v2")
def test_albert(results):
    assert results.logits.shape == (1, 128, 30000)
