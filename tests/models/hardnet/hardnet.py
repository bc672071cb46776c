# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""HarDNet 68: each layer sees those at powers of two behind it."""

import torch
from torch import nn

from ..blocks import conv

FIGURES = ((8, 128, 14), (16, 256, 16), (16, 320, 20), (16, 640, 40), (4, 1024, 160))
"""Of each block: layers, what leaves it, growth."""


class HarDNet(nn.Module):
    def __init__(self, figures=FIGURES, grow=1.7):
        super().__init__()
        self.entry = nn.Sequential(conv(3, 32, stride=2), conv(32, 64), nn.MaxPool2d(3, 2, 1))
        steps, enters = [], 64
        for place, (count, width, growth) in enumerate(figures):
            block = HarmonicBlock(enters, growth, grow, count)
            steps += [block, conv(block.leaves, width, 1)]
            if place in (0, 2, 3):
                steps.append(nn.MaxPool2d(2))
            enters = width
        self.steps, self.head = nn.Sequential(*steps), nn.Linear(enters, 1000)

    def forward(self, x):
        return self.head(self.steps(self.entry(x)).mean(dim=(2, 3)))


class HarmonicBlock(nn.Module):
    def __init__(self, enters, growth, grow, count):
        super().__init__()
        widths, self.seen, self.layers = [enters], [], nn.ModuleList()
        for layer in range(1, count + 1):
            powers = [power for power in range(8) if layer % (1 << power) == 0]
            behind = [layer - (1 << power) for power in powers if layer >= 1 << power]
            width = int(int(growth * grow ** (len(powers) - 1) + 1) / 2) * 2
            self.layers.append(conv(sum(widths[i] for i in behind), width))
            self.seen.append(behind)
            widths.append(width)
        self.kept = [i for i in range(1, count + 1) if i == count or i % 2]
        self.leaves = sum(widths[i] for i in self.kept)

    def forward(self, x):
        made = [x]
        for behind, layer in zip(self.seen, self.layers, strict=True):
            made.append(layer(torch.cat([made[i] for i in behind], dim=1)))
        return torch.cat([made[i] for i in self.kept], dim=1)
