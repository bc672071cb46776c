# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Attention U-Net: gates choose what a skip lets through."""

from itertools import pairwise

import torch
from torch import nn

from ..blocks import conv


class AttentionUnet(nn.Module):
    def __init__(self, classes=2, base=64):
        super().__init__()
        widths = [base << level for level in range(5)]
        self.entry = _double(3, base)
        self.down = nn.ModuleList(_double(a, b) for a, b in pairwise(widths))
        steps = [*pairwise(reversed(widths))]
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), conv(a, b)) for a, b in steps
        )
        self.gates = nn.ModuleList(Gate(b) for _, b in steps)
        self.join = nn.ModuleList(_double(2 * b, b) for _, b in steps)
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        skips = [self.entry(x)]
        for step in self.down:
            skips.append(step(nn.functional.max_pool2d(skips[-1], 2)))
        x = skips.pop()
        for up, gate, join in zip(self.up, self.gates, self.join, strict=True):
            x = up(x)
            x = join(torch.cat([gate(x, skips.pop()), x], dim=1))
        return self.head(x)


class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.signal = conv(width, width // 2, 1, act=None)
        self.skip = conv(width, width // 2, 1, act=None)
        self.weight = conv(width // 2, 1, 1, act=nn.Sigmoid)

    def forward(self, x, skip):
        return skip * self.weight((self.signal(x) + self.skip(skip)).relu())


def _double(channels_in, width):
    return nn.Sequential(conv(channels_in, width), conv(width, width))
