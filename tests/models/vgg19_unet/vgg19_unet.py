# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A U-Net whose way down is VGG 19."""

from itertools import pairwise

import torch
from torch import nn

from ..blocks import conv
from ..vgg.vgg import stages


class Vgg19Unet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.down = stages(19)
        self.middle = nn.Sequential(conv(512, 1024), conv(1024, 1024))
        widths = (1024, 512, 512, 256, 128, 64)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairwise(widths))
        self.join = nn.ModuleList(nn.Sequential(conv(2 * w, w), conv(w, w)) for w in widths[1:])
        self.head = nn.Conv2d(64, classes, 1)

    def forward(self, x):
        skips = []
        for stage in self.down:
            skips.append(stage(x))
            x = nn.functional.max_pool2d(skips[-1], 2)
        x = self.middle(x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([up(x), skips.pop()], dim=1))
        return self.head(x)
