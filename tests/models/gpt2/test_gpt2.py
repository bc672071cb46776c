# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import GPT2Config, GPT2LMHeadModel

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = GPT2Config()
        return build(GPT2LMHeadModel, config)

    def _load_inputs(self):
        return {"input_ids": tokens(50257, 1, 128)}


@model_test(ThisTester, "gpt2")
def test_gpt2(results):
    assert results.logits.shape == (1, 128, 50257)
