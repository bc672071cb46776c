# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import T5Config, T5ForConditionalGeneration

from bringup import ModelTester, model_test

from ..seeded import build, tokens

SIZES = {
    "t5-small": {"d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8},
    "t5-base": {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
}


class ThisTester(ModelTester):
    def _load_model(self):
        config = T5Config(**SIZES[self.model_name])
        return build(T5ForConditionalGeneration, config)

    def _load_inputs(self):
        return {
            "input_ids": tokens(32128, 1, 64, seed=0),
            "decoder_input_ids": tokens(32128, 1, 64, seed=1),
        }


@model_test(ThisTester, "t5-small", "t5-base")
def test_t5(results):
    assert results.logits.shape == (1, 64, 32128)
