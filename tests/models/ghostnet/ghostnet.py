# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GhostNet 1.0: half of every layer's maps are made cheaply of the other half."""

import torch
from torch import nn

from ..blocks import conv

FIGURES = (
    *((3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 1, 2)),
    *((5, 120, 40, 1, 1), (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1)),
    *((3, 184, 80, 0, 1), (3, 480, 112, 1, 1), (3, 672, 112, 1, 1), (5, 672, 160, 1, 2)),
    *((5, 960, 160, 0, 1), (5, 960, 160, 1, 1), (5, 960, 160, 0, 1), (5, 960, 160, 1, 1)),
)
"""Kernel, expansion, width, squeeze and excitation, stride."""


class GhostNet(nn.Module):
    def __init__(self, figures=FIGURES):
        super().__init__()
        steps, enters = [conv(3, 16, stride=2)], 16
        for kernel, inner, width, squeezed, stride in figures:
            steps.append(Bottleneck(enters, kernel, inner, width, squeezed, stride))
            enters = width
        self.steps, self.last = nn.Sequential(*steps, conv(enters, 960, 1)), nn.Linear(960, 1280)
        self.head = nn.Linear(1280, 1000)

    def forward(self, x):
        return self.head(self.last(self.steps(x).mean(dim=(2, 3))).relu())


class Ghost(nn.Module):
    def __init__(self, enters, width, act=nn.ReLU):
        super().__init__()
        self.own = conv(enters, width // 2, 1, act=act)
        self.cheap = conv(width // 2, width // 2, groups=width // 2, act=act)

    def forward(self, x):
        own = self.own(x)
        return torch.cat([own, self.cheap(own)], dim=1)


class Excited(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.down, self.up = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)

    def forward(self, x):
        seen = self.down(x.mean(dim=(2, 3), keepdim=True)).relu()
        return x * nn.functional.hardsigmoid(self.up(seen))


class Bottleneck(nn.Module):
    def __init__(self, enters, kernel, inner, width, squeezed, stride):
        super().__init__()
        layers = [Ghost(enters, inner)]
        if stride > 1:
            layers.append(conv(inner, inner, kernel, stride, inner, act=None))
        layers += [Excited(inner)] if squeezed else []
        self.way = nn.Sequential(*layers, Ghost(inner, width, act=None))
        self.beside = nn.Identity()
        if stride > 1 or enters != width:
            self.beside = nn.Sequential(
                conv(enters, enters, kernel, stride, enters, act=None),
                conv(enters, width, 1, act=None),
            )

    def forward(self, x):
        return self.way(x) + self.beside(x)
