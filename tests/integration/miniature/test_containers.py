# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Models with results of a type of their own, tied weights, and a fast path in eager."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from bringup import ModelTester


class Opaque:
    def __init__(self, logits):
        self.logits = logits


class GivesOpaque(nn.Module):
    def forward(self, x):
        return Opaque(x * 3)


class WholeTester(ModelTester):
    def _load_model(self):
        return GivesOpaque()

    def _load_inputs(self):
        return torch.ones(2, 3)


class ExtractingTester(WholeTester):
    def _extract_outputs(self, outputs):
        return (outputs.logits,)


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("tester", [WholeTester, ExtractingTester], ids=["whole", "extracted"])
@pytest.mark.parametrize("flow", ["full"])
def test_opaque(flow, tester, mode):
    tester = tester("opaque", mode)
    (result,) = tester.test_model()
    assert result.tolist() == [[3.0] * 3] * 2
    tester.finalize()


class ByHand(nn.Module):
    """The head comes first, so that its name is not the one the weight is used by first."""

    def __init__(self):
        super().__init__()
        self.head, self.table = nn.Linear(4, 10, bias=False), nn.Embedding(10, 4)
        self.head.weight = self.table.weight

    def forward(self, input_ids, labels):
        return self.head(self.table(input_ids))


def gpt2():
    drop = {"resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0}
    return GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=16, **drop))


class TiedTester(ModelTester):
    def __init__(self, build, *args):
        self._build = build
        super().__init__(*args)

    def _load_model(self):
        return self._build()

    def _load_inputs(self):
        ids = torch.arange(4)[None]
        return {"input_ids": ids, "labels": ids}


@pytest.mark.parametrize("mode", ["train"])
@pytest.mark.parametrize("build", [ByHand, gpt2], ids=["by_hand", "gpt2"])
@pytest.mark.parametrize("flow", ["full"])
def test_tied(flow, build, mode):
    tester = TiedTester(build, "tied", mode)
    tester.test_model()
    tester.finalize()


class PaddedTester(ModelTester):
    def _load_model(self):
        layer = nn.TransformerEncoderLayer(16, 2, 16, batch_first=True)
        return nn.TransformerEncoder(layer, 1)

    def _load_inputs(self):
        padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
        return {"src": torch.randn(2, 5, 16), "src_key_padding_mask": padding}


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("flow", ["full"])
def test_padded(flow, mode):
    tester = PaddedTester("padded", mode)
    result = tester.test_model()
    assert result[1, 3:].abs().sum() > 0, "the fast path leaves zeros there"
    assert torch.backends.mha.get_fastpath_enabled(), "as it was"
    tester.finalize()
