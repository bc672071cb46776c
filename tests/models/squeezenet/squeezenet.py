# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SqueezeNet 1.1."""

import torch
from torch import nn


class SqueezeNet(nn.Module):
    def __init__(self):
        super().__init__()
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)  # noqa: E731
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64)),
            *(pool(), Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192)),
            *(Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
        )
        self.head = nn.Conv2d(512, 1000, 1)

    def forward(self, x):
        return self.head(self.features(x)).relu().mean(dim=(2, 3))


class Fire(nn.Module):
    def __init__(self, enters, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(enters, squeeze, 1)
        self.one = nn.Conv2d(squeeze, expand, 1)
        self.three = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.one(x), self.three(x)], dim=1).relu()
