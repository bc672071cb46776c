# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import OPTConfig, OPTForCausalLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = OPTConfig()
        return build(OPTForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(50272, 1, 128)}


@model_test(ThisTester, "opt-125m", dtypes=("own", "bf16"))
def test_opt(results):
    assert results.logits.shape == (1, 128, 50272)
