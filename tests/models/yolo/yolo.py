# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""YOLO heads: anchors (v3), anchors with SiLU (v5), distributions of distances (v8)."""

from itertools import pairwise

import torch
from torch import nn

from ..blocks import conv

CLASSES, BINS = 80, 16
WIDTHS = (16, 32, 64, 128, 256)
"""Of the nano models."""
ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)


class Yolo(nn.Module):
    """Pictures to boxes and scores of every cell: [n, cells, 5 + classes], for v8 4 + classes."""

    def __init__(self, generation):
        super().__init__()
        self.v8 = generation == "yolov8n"
        act = nn.LeakyReLU if generation == "yolov3" else nn.SiLU
        steps = [conv(3, WIDTHS[0], stride=2, act=act)]
        for enters, width in pairwise(WIDTHS):
            steps.append(
                nn.Sequential(conv(enters, width, stride=2, act=act), Partial(width, width, act))
            )
        self.steps = nn.ModuleList(steps)
        self.pools = Pools(WIDTHS[-1], act)
        small, middle, large = WIDTHS[2:]
        self.up = nn.ModuleList(
            [Partial(large + middle, middle, act), Partial(middle + small, small, act)]
        )
        self.down = nn.ModuleList(
            [conv(small, small, stride=2, act=act), conv(middle, middle, stride=2, act=act)]
        )
        self.join = nn.ModuleList(
            [Partial(small + middle, middle, act), Partial(middle + large, large, act)]
        )
        leaves = 4 * BINS + CLASSES if self.v8 else 3 * (5 + CLASSES)
        self.heads = nn.ModuleList(nn.Conv2d(width, leaves, 1) for width in WIDTHS[2:])

    def forward(self, x):
        made = []
        for step in self.steps:
            x = step(x)
            made.append(x)
        small, middle, large = *made[2:4], self.pools(made[4])
        middle = self.up[0](torch.cat([_doubled(large), middle], dim=1))
        small = self.up[1](torch.cat([_doubled(middle), small], dim=1))
        middle = self.join[0](torch.cat([self.down[0](small), middle], dim=1))
        large = self.join[1](torch.cat([self.down[1](middle), large], dim=1))
        maps = [head(m) for head, m in zip(self.heads, (small, middle, large), strict=True)]
        read = by_distances if self.v8 else by_anchors
        return torch.cat([read(m, 8 << i, i) for i, m in enumerate(maps)], dim=1)


class Partial(nn.Module):
    """Half of the maps pass through two more layers, and all are joined at the end."""

    def __init__(self, enters, width, act):
        super().__init__()
        half = width // 2
        self.split = conv(enters, width, 1, act=act)
        self.way = nn.Sequential(conv(half, half, act=act), conv(half, half, act=act))
        self.join = conv(width + half, width, 1, act=act)

    def forward(self, x):
        kept, seen = self.split(x).chunk(2, dim=1)
        return self.join(torch.cat([kept, seen, seen + self.way(seen)], dim=1))


class Pools(nn.Module):
    def __init__(self, width, act):
        super().__init__()
        self.enter, self.leave = (
            conv(width, width // 2, 1, act=act),
            conv(2 * width, width, 1, act=act),
        )

    def forward(self, x):
        made = [self.enter(x)]
        for _ in range(3):
            made.append(nn.functional.max_pool2d(made[-1], 5, 1, 2))
        return self.leave(torch.cat(made, dim=1))


def by_anchors(found, stride, level):
    """v3 and v5: a cell's three anchors, their centres and sizes by sigmoids."""
    n, _, height, width = found.shape
    found = found.reshape(n, 3, 5 + CLASSES, height, width).permute(0, 3, 4, 1, 2).sigmoid()
    sizes = torch.tensor(ANCHORS[level], dtype=found.dtype)
    centres = (2 * found[..., :2] - 0.5 + _cells(height, width, found)[:, :, None]) * stride
    boxes = torch.cat([centres, (2 * found[..., 2:4]) ** 2 * sizes, found[..., 4:]], dim=-1)
    return boxes.reshape(n, -1, 5 + CLASSES)


def by_distances(found, stride, level):
    """v8: from a cell's middle to the four sides, each the mean of a distribution."""
    n, _, height, width = found.shape
    sides, scores = found.flatten(2).split([4 * BINS, CLASSES], dim=1)
    bins = torch.arange(BINS, dtype=found.dtype)
    sides = (sides.reshape(n, 4, BINS, -1).softmax(dim=2) * bins[:, None]).sum(dim=2)
    middles = (_cells(height, width, found) + 0.5).reshape(-1, 2).T
    first, last = middles - sides[:, :2], middles + sides[:, 2:]
    boxes = torch.cat([(first + last) / 2, last - first], dim=1) * stride
    return torch.cat([boxes, scores.sigmoid()], dim=1).transpose(1, 2)


def _cells(height, width, like):
    """Column and row of every cell: [height, width, 2]."""
    rows, columns = torch.arange(height), torch.arange(width)
    across = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1)
    return across.to(like.dtype)


def _doubled(x):
    return nn.functional.interpolate(x, scale_factor=2, mode="nearest")
