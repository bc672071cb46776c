# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MLP-Mixer B/16: layers over places and layers over channels by turns."""

from torch import nn


class MlpMixer(nn.Module):
    def __init__(self, side=224, patch=16, width=768, tokens=384, channels=3072, depth=12):
        super().__init__()
        places = (side // patch) ** 2
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.blocks = nn.ModuleList(Block(places, width, tokens, channels) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


class Block(nn.Module):
    def __init__(self, places, width, tokens, channels):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.mix_places, self.mix_channels = _mlp(places, tokens), _mlp(width, channels)

    def forward(self, x):
        x = x + self.mix_places(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        return x + self.mix_channels(self.norms[1](x))


def _mlp(width, inner):
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
