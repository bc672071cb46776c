# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ISNet, which RMBG 1.4 is: nested U-Nets of residual blocks, seven masks."""

import torch
from torch import nn

from ..blocks import conv

DOWN = ((7, 64, 32, 64), (6, 64, 32, 128), (5, 128, 64, 256), (4, 256, 128, 512))
UP = ((4, 1024, 128, 256), (5, 512, 64, 128), (6, 256, 32, 64), (7, 128, 16, 64))
"""Of each block: its height, what enters, the width within, what leaves."""


class IsNet(nn.Module):
    """Pictures to masks of the size of the picture, the finest first."""

    def __init__(self):
        super().__init__()
        self.entry = nn.Conv2d(3, 64, 3, 2, 1)
        self.down = nn.ModuleList(
            [*(Rsu(*f) for f in DOWN), Flat(512, 256, 512), Flat(512, 256, 512)]
        )
        self.up = nn.ModuleList([Flat(1024, 256, 512), *(Rsu(*f) for f in UP)])
        widths = (64, 64, 128, 256, 512, 512)
        self.masks = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in widths)

    def forward(self, x):
        size, made = x.shape[2:], []
        x = self.entry(x)
        for block in self.down:
            made.append(block(x))
            x = _halved(made[-1])
        found = [made.pop()]
        for block in self.up:
            found.append(
                block(torch.cat([_sized(found[-1], made[-1].shape[2:]), made.pop()], dim=1))
            )
        masks = zip(self.masks, reversed(found), strict=True)
        return tuple(_sized(mask(x), size).sigmoid() for mask, x in masks)


class Rsu(nn.Module):
    """A U-Net of a height, whose outcome is added to what entered it."""

    def __init__(self, height, enters, inner, leaves):
        super().__init__()
        self.entry = conv(enters, leaves)
        self.down = nn.ModuleList(conv(inner if i else leaves, inner) for i in range(height - 1))
        self.bottom = conv(inner, inner, dilation=2)
        last = height - 2
        self.up = nn.ModuleList(
            conv(2 * inner, leaves if i == last else inner) for i in range(height - 1)
        )

    def forward(self, x):
        whole, made = self.entry(x), []
        x = whole
        for place, layer in enumerate(self.down):
            x = layer(_halved(x) if place else x)
            made.append(x)
        x = self.bottom(x)
        for layer in self.up:
            skip = made.pop()
            x = layer(torch.cat([_sized(x, skip.shape[2:]), skip], dim=1))
        return whole + x


class Flat(nn.Module):
    """The same without shrinking: it looks further by dilation."""

    def __init__(self, enters, inner, leaves):
        super().__init__()
        self.entry, self.first = conv(enters, leaves), conv(leaves, inner)
        self.second, self.third = conv(inner, inner, dilation=2), conv(inner, inner, dilation=4)
        self.bottom = conv(inner, inner, dilation=8)
        self.back3, self.back2 = (
            conv(2 * inner, inner, dilation=4),
            conv(2 * inner, inner, dilation=2),
        )
        self.back1 = conv(2 * inner, leaves)

    def forward(self, x):
        whole = self.entry(x)
        first = self.first(whole)
        second = self.second(first)
        third = self.third(second)
        x = self.back3(torch.cat([self.bottom(third), third], dim=1))
        x = self.back2(torch.cat([x, second], dim=1))
        return whole + self.back1(torch.cat([x, first], dim=1))


def _halved(x):
    return nn.functional.max_pool2d(x, 2, ceil_mode=True)


def _sized(x, size):
    return nn.functional.interpolate(x, size=tuple(size), mode="bilinear")
