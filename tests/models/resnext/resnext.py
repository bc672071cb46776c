# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ResNeXt 50 (32x4d) and Wide ResNet 50-2."""

from torch import nn

from ..blocks import conv


class ResNeXt(nn.Module):
    def __init__(self, groups=32, width=4, counts=(3, 4, 6, 3)):
        super().__init__()
        steps, enters = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
        for level, count in enumerate(counts):
            inner, leaves = groups * width << level, 256 << level
            for place in range(count):
                stride = 2 if level and place == 0 else 1
                steps.append(Bottleneck(enters, inner, leaves, groups, stride))
                enters = leaves
        self.steps, self.head = nn.Sequential(*steps), nn.Linear(2048, 1000)

    def forward(self, x):
        return self.head(self.steps(x).mean(dim=(2, 3)))


class Bottleneck(nn.Module):
    def __init__(self, enters, inner, leaves, groups, stride):
        super().__init__()
        self.way = nn.Sequential(
            conv(enters, inner, 1),
            conv(inner, inner, 3, stride, groups),
            conv(inner, leaves, 1, act=None),
        )
        changes = stride > 1 or enters != leaves
        self.beside = conv(enters, leaves, 1, stride, act=None) if changes else nn.Identity()

    def forward(self, x):
        return (self.way(x) + self.beside(x)).relu()
