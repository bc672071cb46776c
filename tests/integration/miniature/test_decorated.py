# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

# `model_test` in all its forms, on models of a few parameters.

import pytest
import torch
from PIL import Image
from transformers import LlamaConfig, LlamaForCausalLM

from bringup import CachedTester, ModelTester, Variant, model_test


class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(16, width), torch.nn.Linear(width, 4)

    def forward(self, x, keep):
        return torch.where(keep, self.outer(self.inner(x).relu()), 0.0)


class ThisTester(ModelTester):
    def _load_model(self):
        return Net(64 if self.variant == "wide" else 32)

    def _load_inputs(self):
        return {"x": torch.randn(2, 16), "keep": torch.tensor([[True], [False]])}


@pytest.fixture
def width():
    return 32


@model_test(ThisTester, "net", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_one(results, tester, width, record_property):
    record_property("zeros", (results == 0).float().mean())
    record_property("picture", Image.new("L", (8, 4)))
    assert results.dtype is (tester.dtype or torch.float32)
    assert tester.inputs["keep"].dtype is torch.bool
    assert tester.framework_model.inner.weight.shape == (width, 16)
    assert results[1].count_nonzero() == 0


@pytest.mark.parametrize("twice", [1, 2], ids=["once", "twice"])
@model_test(
    ThisTester,
    Variant("", "net"),
    Variant("wide", "wide-net", modes=("train", "eval")),
    Variant("loose", "net", options={"assert_pcc": False, "issue": "https://example.com/1"}),
)
def test_several(results, variant, twice, tester):
    assert (tester.model_name == "wide-net") == (variant == "wide")
    assert results.shape == (2, 4) and twice


class Generating(CachedTester):
    length = 6

    def _load_model(self):
        sizes = {"vocab_size": 32, "hidden_size": 16, "intermediate_size": 16}
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1}
        return LlamaForCausalLM(LlamaConfig(**sizes, **heads))


@model_test(Generating, "tiny-llama", phases=("prefill", "decode"), dtypes=("own", "bf16"))
def test_phases(results, tester):
    words = 1 if tester.phase == "decode" else 6
    assert results.logits.shape == (1, words, 32)
    assert results.past_key_values.get_seq_length() == 6 + (tester.phase == "decode")
    assert results.past_key_values.layers[0].keys.dtype is (tester.dtype or torch.float32)
