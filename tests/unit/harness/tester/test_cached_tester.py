# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The inputs of a decoder's phases, of a real one: a cache changes no result."""

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from bringup import CachedTester


class Inputs(CachedTester):
    """The tester's own code on inputs, with no run around it."""

    def __init__(self, model: PreTrainedModel, phase: str, batch: int = 2, length: int = 5) -> None:
        self._model, self.phase, self.batch, self.length = model, phase, batch, length


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=48,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    return LlamaForCausalLM(config).eval()


def ran(model: PreTrainedModel, inputs: dict[str, Any]) -> Any:
    with torch.no_grad():
        return model(**inputs)


def test_prefill_reads_prompts_into_an_empty_cache(model: PreTrainedModel) -> None:
    inputs = Inputs(model, "prefill")._load_inputs()
    cache = inputs["past_key_values"]
    assert inputs["input_ids"].shape == (2, 5) and cache.get_seq_length() == 0
    assert cache.layers[0].keys.shape == (2, 2, 5 + CachedTester.room, 4)
    assert not cache.layers[1].values.any()
    plain = ran(model, Inputs(model, "")._load_inputs())
    assert torch.allclose(ran(model, inputs).logits, plain.logits, atol=1e-5)
    assert cache.get_seq_length() == 5


def test_decode_goes_on_behind_the_prompts(model: PreTrainedModel) -> None:
    inputs = Inputs(model, "decode")._load_inputs()
    assert inputs["input_ids"].shape == (2, 1) and inputs["past_key_values"].get_seq_length() == 5
    prompts = Inputs(model, "")._load_inputs()["input_ids"]
    whole = ran(model, {"input_ids": torch.cat([prompts, inputs["input_ids"]], 1)})
    assert torch.allclose(ran(model, inputs).logits, whole.logits[:, -1:], atol=1e-5)


def test_the_same_seed_gives_the_same_prompts(model: PreTrainedModel) -> None:
    one, other = (Inputs(model, "", batch=3)._load_inputs()["input_ids"] for _ in range(2))
    assert torch.equal(one, other) and one.shape == (3, 5) and one.max() < 48
