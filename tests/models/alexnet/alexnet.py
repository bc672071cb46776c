# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""AlexNet, in one column."""

from torch import nn


class AlexNet(nn.Module):
    def __init__(self):
        super().__init__()
        widths = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1))
        widths += ((384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
        self.convs = nn.ModuleList(nn.Conv2d(*figures) for figures in widths)
        self.hidden = nn.ModuleList([nn.Linear(256 * 36, 4096), nn.Linear(4096, 4096)])
        self.head = nn.Linear(4096, 1000)

    def forward(self, x):
        for place, layer in enumerate(self.convs):
            x = layer(x).relu()
            if place in (0, 1, 4):
                x = nn.functional.max_pool2d(x, 3, 2)
        x = nn.functional.adaptive_avg_pool2d(x, 6).flatten(1)
        for layer in self.hidden:
            x = layer(nn.functional.dropout(x, training=self.training)).relu()
        return self.head(x)
