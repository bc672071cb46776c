# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""VoVNet 39: each stage gathers its layers once, at its end."""

import torch
from torch import nn

from ..blocks import conv

FIGURES = ((128, 256, 1), (160, 512, 1), (192, 768, 2), (224, 1024, 2))
"""Of each stage: width within, width behind, how many blocks."""


class VoVNet(nn.Module):
    def __init__(self):
        super().__init__()
        steps, enters = [conv(3, 64, stride=2), conv(64, 64), conv(64, 128, stride=2)], 128
        for place, (inner, width, count) in enumerate(FIGURES):
            steps += [nn.MaxPool2d(3, 2, 1)] if place else []
            for _ in range(count):
                steps.append(Gathered(enters, inner, width))
                enters = width
        self.steps, self.head = nn.Sequential(*steps), nn.Linear(enters, 1000)

    def forward(self, x):
        return self.head(self.steps(x).mean(dim=(2, 3)))


class Gathered(nn.Module):
    def __init__(self, enters, inner, width, count=5):
        super().__init__()
        self.layers = nn.ModuleList(conv(inner if i else enters, inner) for i in range(count))
        self.gather = conv(enters + count * inner, width, 1)
        self.adds = enters == width

    def forward(self, x):
        made = [x]
        for layer in self.layers:
            made.append(layer(made[-1]))
        gathered = self.gather(torch.cat(made, dim=1))
        return x + gathered if self.adds else gathered
