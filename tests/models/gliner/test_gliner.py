# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GLiNER small: names of any kind, by spans of words beside kinds.

Configuration: Zaratiana et al. 2023, arXiv:2311.08526, section 2; microsoft/deberta-v3-small,
config.json, for its encoder.
"""

import torch
from torch import nn
from transformers import DebertaV2Config, DebertaV2Model

from bringup import ModelTester, model_test

from ..seeded import at_most, build, drawn, padded, tokens

LENGTH, KINDS, LONGEST = 48, 4, 12
"""Tokens, those of them that stand for kinds, and how many words a span may have."""


class Gliner(nn.Module):
    """Tokens, kinds first, to a chance of every span for every kind [n, words, LONGEST, KINDS]."""

    def __init__(self, encoder, width=512):
        super().__init__()
        inner = encoder.config.hidden_size
        self.encoder, self.narrow = encoder, nn.Linear(inner, width)
        self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)
        self.starts, self.ends, self.kinds = (_mlp(width, width) for _ in range(3))
        self.spans = _mlp(2 * width, width)

    def forward(self, input_ids, attention_mask):
        hidden = self.encoder(input_ids, attention_mask).last_hidden_state
        hidden = self.narrow(hidden)
        kinds, words = hidden[:, :KINDS], hidden[:, KINDS:]
        words = self.lstm(words)[0]
        count = words.shape[1]
        last = torch.arange(count)[:, None] + torch.arange(LONGEST)
        inside = last < count
        starts = self.starts(words)[:, :, None].expand(-1, -1, LONGEST, -1)
        ends = self.ends(words)[:, last.clamp(max=count - 1)]
        spans = self.spans(torch.cat([starts, ends], dim=-1).relu())
        scores = torch.einsum("bwld,bkd->bwlk", spans, self.kinds(kinds)).sigmoid()
        return scores * inside[:, :, None]


def _mlp(enters, width):
    return nn.Sequential(nn.Linear(enters, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class ThisTester(ModelTester):
    words = property(lambda self: at_most(128100))

    def _load_model(self):
        config = DebertaV2Config(
            vocab_size=self.words,
            num_hidden_layers=6,
            hidden_size=768,
            relative_attention=True,
            position_buckets=256,
            pos_att_type=["p2c", "c2p"],
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            max_relative_positions=-1,
            position_biased_input=False,
            type_vocab_size=0,
        )
        return drawn(lambda: Gliner(build(DebertaV2Model, config)))

    def _load_inputs(self):
        mask = padded(LENGTH, LENGTH - 10)
        return {"input_ids": tokens(self.words - 8, 2, LENGTH) + 8, "attention_mask": mask}


@model_test(ThisTester, "gliner-small")
def test_gliner(results):
    spans = LENGTH - KINDS
    assert results.shape == (2, spans, LONGEST, KINDS) and 0 <= results.min() <= results.max() <= 1
