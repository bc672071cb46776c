# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ShuffleNet V2, 1.0."""

import torch
from torch import nn

from ..blocks import conv


class ShuffleNetV2(nn.Module):
    def __init__(self, widths=(24, 116, 232, 464, 1024), counts=(4, 8, 4)):
        super().__init__()
        self.entry = nn.Sequential(conv(3, widths[0], stride=2), nn.MaxPool2d(3, 2, 1))
        steps = []
        for enters, width, count in zip(widths, widths[1:], counts, strict=False):
            steps += [Unit(enters, width, 2), *(Unit(width, width, 1) for _ in range(count - 1))]
        self.steps = nn.Sequential(*steps)
        self.last, self.head = conv(widths[3], widths[4], 1), nn.Linear(widths[4], 1000)

    def forward(self, x):
        return self.head(self.last(self.steps(self.entry(x))).mean(dim=(2, 3)))


class Unit(nn.Module):
    def __init__(self, enters, width, stride):
        super().__init__()
        half, seen = width // 2, enters if stride == 2 else width // 2
        self.branch = nn.Sequential(
            conv(seen, half, 1), conv(half, half, 3, stride, half, act=None), conv(half, half, 1)
        )
        self.beside = None
        if stride == 2:
            self.beside = nn.Sequential(
                conv(enters, enters, 3, 2, enters, act=None), conv(enters, half, 1)
            )

    def forward(self, x):
        kept, seen = x.chunk(2, dim=1) if self.beside is None else (self.beside(x), x)
        x = torch.stack([kept, self.branch(seen)], dim=2)
        return x.flatten(1, 2)
