# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MnasNet A1, without squeeze and excitation (B1)."""

from torch import nn

from ..blocks import conv

FIGURES = (
    (3, 3, 24, 3, 2),
    (3, 5, 40, 3, 2),
    (6, 5, 80, 3, 2),
    (6, 3, 96, 2, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, width, how many, stride of the first."""


class MnasNet(nn.Module):
    def __init__(self):
        super().__init__()
        steps, enters = [conv(3, 32, 3, 2), conv(32, 32, 3, 1, 32), conv(32, 16, 1, act=None)], 16
        for grow, kernel, width, count, stride in FIGURES:
            for place in range(count):
                steps.append(Inverted(enters, width, kernel, grow, stride if place == 0 else 1))
                enters = width
        self.steps = nn.Sequential(*steps, conv(enters, 1280, 1))
        self.head = nn.Linear(1280, 1000)

    def forward(self, x):
        return self.head(self.steps(x).mean(dim=(2, 3)))


class Inverted(nn.Module):
    def __init__(self, enters, width, kernel, grow, stride):
        super().__init__()
        inner = enters * grow
        self.adds = stride == 1 and enters == width
        self.way = nn.Sequential(
            *(conv(enters, inner, 1), conv(inner, inner, kernel, stride, inner)),
            conv(inner, width, 1, act=None),
        )

    def forward(self, x):
        return x + self.way(x) if self.adds else self.way(x)
