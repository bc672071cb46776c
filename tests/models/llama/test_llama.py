# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import LlamaConfig, LlamaForCausalLM

from bringup import CachedTester, ModelTester, model_test

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = LlamaConfig(
            vocab_size=32000,
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
        )
        return build(LlamaForCausalLM, config)

    def _load_inputs(self):
        return {"input_ids": tokens(32000, 1, 128)}


@model_test(ThisTester, "llama-160m", dtypes=("own", "bf16"))
def test_llama(results):
    assert results.logits.shape == (1, 128, 32000)


class Generating(CachedTester):
    _load_model = ThisTester._load_model


@model_test(Generating, "llama-160m", phases=("prefill", "decode"), batches=(1, 4), lengths=(32,))
def test_llama_phases(results, tester):
    words = 1 if tester.phase == "decode" else tester.length
    assert results.logits.shape == (tester.batch, words, 32000)
    assert results.past_key_values.get_seq_length() == 32 + (tester.phase == "decode")
