# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DLRM: what somebody clicks, by embeddings and their products."""

from itertools import pairwise

import torch
from torch import nn


class Dlrm(nn.Module):
    """Numbers [n, 13] and words [n, 26, 3], each the sum of three, to a chance [n, 1]."""

    def __init__(self, tables=26, words=1000, width=16):
        super().__init__()
        self.tables = nn.ModuleList(
            nn.EmbeddingBag(words, width, mode="sum") for _ in range(tables)
        )
        self.bottom = _mlp(13, 512, 256, 64, width)
        pairs = (tables + 1) * tables // 2
        self.top = _mlp(width + pairs, 512, 256)
        self.head = nn.Linear(256, 1)

    def forward(self, numbers, words):
        dense = self.bottom(numbers)
        bags = [table(words[:, place]) for place, table in enumerate(self.tables)]
        x = torch.stack([dense, *bags], dim=1)
        products = torch.bmm(x, x.transpose(1, 2))
        rows, columns = torch.tril_indices(x.shape[1], x.shape[1], -1)
        products = products[:, rows, columns]
        return self.head(self.top(torch.cat([dense, products], dim=1))).sigmoid()


def _mlp(*widths):
    layers = (nn.Sequential(nn.Linear(*pair), nn.ReLU()) for pair in pairwise(widths))
    return nn.Sequential(*layers)
