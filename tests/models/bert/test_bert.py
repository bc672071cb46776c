# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from transformers import BertConfig, BertForMaskedLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = BertConfig()
        return build(BertForMaskedLM, config)

    def _load_inputs(self):
        attention_mask = torch.ones(1, 128, dtype=torch.int64)
        attention_mask[:, 100:] = 0  # a sentence padded on the right
        inputs = {"input_ids": tokens(30522, 1, 128), "attention_mask": attention_mask}
        if self.mode == "train":
            inputs["labels"] = inputs["input_ids"].masked_fill(attention_mask == 0, -100)
        return inputs


@model_test(ThisTester, "bert-base-uncased", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_bert(results):
    assert results.logits.shape == (1, 128, 30522)
