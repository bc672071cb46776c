# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import GPT2Config, GPT2LMHeadModel

from bringup import ModelTester, model_test

from ..seeded import build, tokens
from ..testers import generating


class ThisTester(ModelTester):
    def _load_model(self):
        config = GPT2Config()
        return build(GPT2LMHeadModel, config)

    def _load_inputs(self):
        if self.variant == "generate":
            return {"inputs": tokens(50256, 1, 16), "max_new_tokens": 3, "do_sample": False}
        inputs = {"input_ids": tokens(50257, 1, 128)}
        return inputs | {"labels": inputs["input_ids"]} if self.mode == "train" else inputs


@model_test(ThisTester, *generating("gpt2"), modes=("train", "eval"), dtypes=("own", "bf16"))
def test_gpt2(results, variant):
    if variant == "generate":
        assert results.shape == (1, 19)
    else:
        assert results.logits.shape == (1, 128, 50257)
