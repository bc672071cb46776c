# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from transformers import DistilBertConfig, DistilBertForMaskedLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = DistilBertConfig()
        return build(DistilBertForMaskedLM, config)

    def _load_inputs(self):
        attention_mask = torch.ones(1, 128, dtype=torch.int64)
        attention_mask[:, 100:] = 0  # a sentence padded on the right
        return {"input_ids": tokens(30522, 1, 128), "attention_mask": attention_mask}


@model_test(ThisTester, "distilbert-base-uncased")
def test_distilbert(results):
    assert results.logits.shape == (1, 128, 30522)
