# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from transformers import RobertaConfig, RobertaForMaskedLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = RobertaConfig(
            vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5
        )
        return build(RobertaForMaskedLM, config)

    def _load_inputs(self):
        attention_mask = torch.ones(1, 128, dtype=torch.int64)
        attention_mask[:, 100:] = 0  # a sentence padded on the right
        return {"input_ids": tokens(50265, 1, 128), "attention_mask": attention_mask}


@model_test(ThisTester, "roberta-base", dtypes=("own", "bf16"))
def test_roberta(results):
    assert results.logits.shape == (1, 128, 50265)
