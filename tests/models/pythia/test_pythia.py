# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = GPTNeoXConfig(
            vocab_size=50304,
            hidden_size=768,
            num_hidden_layers=12,
            num_attention_heads=12,
            intermediate_size=3072,
        )
        return build(GPTNeoXForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(50304, 1, 128)}


@model_test(ThisTester, "pythia-160m")
def test_pythia(results):
    assert results.logits.shape == (1, 128, 50304)
