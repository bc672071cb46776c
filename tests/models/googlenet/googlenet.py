# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet, without its helpers' heads."""

import torch
from torch import nn

from ..blocks import conv

FIGURES = (
    (192, 64, 96, 128, 16, 32, 32),
    (256, 128, 128, 192, 32, 96, 64),
    (480, 192, 96, 208, 16, 48, 64),
    (512, 160, 112, 224, 24, 64, 64),
    (512, 128, 128, 256, 24, 64, 64),
    (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128),
    (832, 256, 160, 320, 32, 128, 128),
    (832, 384, 192, 384, 48, 128, 128),
)
"""Table 1: what enters, #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj."""


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.entry = nn.Sequential(
            *(conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1), conv(64, 64, 1), conv(64, 192)),
            nn.MaxPool2d(3, 2, 1),
        )
        self.blocks = nn.ModuleList(Inception(*figures) for figures in FIGURES)
        self.head = nn.Linear(1024, 1000)

    def forward(self, x):
        x = self.entry(x)
        for place, block in enumerate(self.blocks):
            x = block(x)
            if place in (1, 6):
                x = nn.functional.max_pool2d(x, 3, 2, 1)
        return self.head(x.mean(dim=(2, 3)))


class Inception(nn.Module):
    def __init__(self, enters, one, reduce3, three, reduce5, five, pool):
        super().__init__()
        self.ways = nn.ModuleList(
            [
                conv(enters, one, 1),
                nn.Sequential(conv(enters, reduce3, 1), conv(reduce3, three)),
                nn.Sequential(conv(enters, reduce5, 1), conv(reduce5, five, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(enters, pool, 1)),
            ]
        )

    def forward(self, x):
        return torch.cat([way(x) for way in self.ways], dim=1)
