# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MobileNet V1 with SSD heads on six maps."""

import torch
from torch import nn

from ..blocks import conv, separable

STEPS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5)
LATER = ((1024, 2), (1024, 1))
EXTRA = ((256, 512), (128, 256), (128, 256), (64, 128))
ANCHORS = (3, 6, 6, 6, 6, 6)


class MobileNetSsd(nn.Module):
    """Pictures to boxes [n, anchors, 4] and scores [n, anchors, classes]."""

    def __init__(self, classes=21):
        super().__init__()
        self.entry = conv(3, 32, stride=2)
        self.early = _separables(32, STEPS)
        self.later = _separables(512, LATER)
        widths = [512, 1024]
        self.extra = nn.ModuleList()
        for inner, width in EXTRA:
            step = nn.Sequential(conv(widths[-1], inner, 1), conv(inner, width, stride=2))
            self.extra.append(step)
            widths.append(width)
        heads = [*zip(widths, ANCHORS, strict=True)]
        self.boxes = nn.ModuleList(nn.Conv2d(w, 4 * n, 3, padding=1) for w, n in heads)
        self.scores = nn.ModuleList(nn.Conv2d(w, classes * n, 3, padding=1) for w, n in heads)
        self.classes = classes

    def forward(self, x):
        maps = [self.early(self.entry(x))]
        for step in (self.later, *self.extra):
            maps.append(step(maps[-1]))
        boxes = [_rows(head(m), 4) for head, m in zip(self.boxes, maps, strict=True)]
        scores = [_rows(head(m), self.classes) for head, m in zip(self.scores, maps, strict=True)]
        return torch.cat(boxes, dim=1), torch.cat(scores, dim=1).softmax(dim=-1)


def _separables(enters, steps):
    widths = (enters, *(width for width, _ in steps))
    return nn.Sequential(
        *(separable(a, b, stride) for a, (b, stride) in zip(widths, steps, strict=False))
    )


def _rows(found, size):
    return found.permute(0, 2, 3, 1).reshape(len(found), -1, size)
