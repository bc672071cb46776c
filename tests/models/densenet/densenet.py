# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DenseNet 121."""

import torch
from torch import nn

from ..blocks import conv


class DenseNet(nn.Module):
    def __init__(self, blocks=(6, 12, 24, 16), growth=32):
        super().__init__()
        self.entry = nn.Sequential(conv(3, 2 * growth, 7, 2), nn.MaxPool2d(3, 2, 1))
        self.stages, width = nn.ModuleList(), 2 * growth
        for place, count in enumerate(blocks):
            self.stages.append(
                nn.ModuleList(Layer(width + i * growth, growth) for i in range(count))
            )
            width += count * growth
            if place < len(blocks) - 1:
                self.stages.append(Transition(width))
                width //= 2
        self.norm, self.head = nn.BatchNorm2d(width), nn.Linear(width, 1000)

    def forward(self, x):
        x = self.entry(x)
        for stage in self.stages:
            if isinstance(stage, Transition):
                x = stage(x)
                continue
            for layer in stage:
                x = torch.cat([x, layer(x)], dim=1)
        return self.head(self.norm(x).relu().mean(dim=(2, 3)))


class Layer(nn.Sequential):
    def __init__(self, enters, growth):
        first = (nn.BatchNorm2d(enters), nn.ReLU(), nn.Conv2d(enters, 4 * growth, 1, bias=False))
        second = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        super().__init__(*first, nn.BatchNorm2d(4 * growth), nn.ReLU(), second)


class Transition(nn.Sequential):
    def __init__(self, enters):
        halves = nn.Conv2d(enters, enters // 2, 1, bias=False)
        super().__init__(nn.BatchNorm2d(enters), nn.ReLU(), halves, nn.AvgPool2d(2))
