# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CenterNet, a ResNet 18 with transposed convolutions: objects as points."""

from torch import nn

from ..blocks import conv


class CenterNet(nn.Module):
    """Pictures to a heat map of centres, sizes and offsets, each a quarter of the side."""

    def __init__(self, classes=80):
        super().__init__()
        steps, enters = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
        for level in range(4):
            width = 64 << level
            steps += [Basic(enters, width, 2 if level else 1), Basic(width, width, 1)]
            enters = width
        self.down = nn.Sequential(*steps)
        self.up = nn.Sequential(*(_upwards(a, b) for a, b in ((512, 256), (256, 128), (128, 64))))
        self.heads = nn.ModuleList(_head(count) for count in (classes, 2, 2))

    def forward(self, x):
        x = self.up(self.down(x))
        heat, sizes, offsets = (head(x) for head in self.heads)
        heat = heat.sigmoid()
        peaks = nn.functional.max_pool2d(heat, 3, 1, 1)
        return heat * (peaks == heat), sizes, offsets


class Basic(nn.Module):
    def __init__(self, enters, width, stride):
        super().__init__()
        self.way = nn.Sequential(conv(enters, width, 3, stride), conv(width, width, act=None))
        changes = stride > 1 or enters != width
        self.beside = conv(enters, width, 1, stride, act=None) if changes else nn.Identity()

    def forward(self, x):
        return (self.way(x) + self.beside(x)).relu()


def _upwards(enters, width):
    grown = nn.ConvTranspose2d(width, width, 4, 2, 1, bias=False)
    return nn.Sequential(conv(enters, width), grown, nn.BatchNorm2d(width), nn.ReLU())


def _head(count):
    return nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, count, 1))
