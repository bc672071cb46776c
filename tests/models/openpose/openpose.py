# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""OpenPose: VGG 19, then stages that refine limbs and joints."""

import torch
from torch import nn


class OpenPose(nn.Module):
    """Pictures to fields of 19 limbs (38 maps) and 19 maps of joints, an eighth of the side."""

    def __init__(self, refinements=5):
        super().__init__()
        self.trunk = nn.Sequential(
            *(_conv(3, 64), _conv(64, 64), nn.MaxPool2d(2), _conv(64, 128), _conv(128, 128)),
            *(nn.MaxPool2d(2), _conv(128, 256), *(_conv(256, 256) for _ in range(3))),
            *(nn.MaxPool2d(2), _conv(256, 512), _conv(512, 512), _conv(512, 256), _conv(256, 128)),
        )
        self.first = nn.ModuleList(_first(count) for count in (38, 19))
        self.later = nn.ModuleList(
            nn.ModuleList(_refine(count) for count in (38, 19)) for _ in range(refinements)
        )

    def forward(self, x):
        seen = self.trunk(x)
        limbs, joints = (branch(seen) for branch in self.first)
        for branches in self.later:
            together = torch.cat([limbs, joints, seen], dim=1)
            limbs, joints = (branch(together) for branch in branches)
        return limbs, joints


def _conv(enters, width, kernel=3):
    return nn.Sequential(nn.Conv2d(enters, width, kernel, padding=kernel // 2), nn.ReLU())


def _first(count):
    return nn.Sequential(
        *(_conv(128, 128) for _ in range(3)), _conv(128, 512, 1), nn.Conv2d(512, count, 1)
    )


def _refine(count):
    layers = [_conv(185, 128, 7), *(_conv(128, 128, 7) for _ in range(4)), _conv(128, 128, 1)]
    return nn.Sequential(*layers, nn.Conv2d(128, count, 1))
