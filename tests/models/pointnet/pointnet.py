# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PointNet: classifies a cloud of points."""

import torch
from torch import nn


class PointNet(nn.Module):
    def __init__(self, classes=40):
        super().__init__()
        self.turn, self.align = Turn(3), Turn(64)
        self.early = nn.Sequential(_point(3, 64), _point(64, 64))
        self.later = nn.Sequential(_point(64, 64), _point(64, 128), _point(128, 1024))
        self.head = nn.Sequential(_dense(1024, 512), _dense(512, 256), nn.Linear(256, classes))

    def forward(self, points):
        x = self.early(torch.bmm(self.turn(points), points))
        x = self.later(torch.bmm(self.align(x), x))
        return self.head(x.amax(dim=2))


class Turn(nn.Module):
    """A matrix for each cloud, by a small network of the same kind."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.points = nn.Sequential(_point(size, 64), _point(64, 128), _point(128, 1024))
        self.whole = nn.Sequential(_dense(1024, 512), _dense(512, 256), nn.Linear(256, size * size))

    def forward(self, x):
        turned = self.whole(self.points(x).amax(dim=2)).reshape(-1, self.size, self.size)
        return turned + torch.eye(self.size, dtype=x.dtype)


def _point(enters, width):
    return nn.Sequential(nn.Conv1d(enters, width, 1), nn.BatchNorm1d(width), nn.ReLU())


def _dense(enters, width):
    return nn.Sequential(nn.Linear(enters, width), nn.BatchNorm1d(width), nn.ReLU())
