# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import MambaConfig, MambaForCausalLM

from bringup import ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = MambaConfig(vocab_size=50280, hidden_size=768, num_hidden_layers=24)
        return build(MambaForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(50280, 1, 16)}  # each step of the scan is unrolled


@model_test(ThisTester, "mamba-130m")
def test_mamba(results):
    assert results.logits.shape == (1, 16, 50280)
