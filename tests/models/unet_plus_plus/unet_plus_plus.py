# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""U-Net++: a node for every depth and every step across."""

import torch
from torch import nn

from ..blocks import conv


class UnetPlusPlus(nn.Module):
    widths = (32, 64, 128, 256, 512)

    def __init__(self, classes=2):
        super().__init__()
        self.nodes = nn.ModuleDict()
        for across in range(5):
            for depth in range(5 - across):
                below = self.widths[depth + 1] if across else (3, *self.widths)[depth]
                width = self.widths[depth]
                enters = below + across * width
                self.nodes[f"{depth}{across}"] = nn.Sequential(
                    conv(enters, width), conv(width, width)
                )
        self.head = nn.Conv2d(self.widths[0], classes, 1)

    def forward(self, x):
        row = []
        for depth in range(5):
            row.append(
                [self.nodes[f"{depth}0"](nn.functional.max_pool2d(row[-1][0], 2) if depth else x)]
            )
        for across in range(1, 5):
            for depth in range(5 - across):
                below = row[depth + 1][across - 1]
                up = nn.functional.interpolate(below, scale_factor=2, mode="bilinear")
                made = self.nodes[f"{depth}{across}"](torch.cat([*row[depth], up], dim=1))
                row[depth].append(made)
        return self.head(row[0][-1])
