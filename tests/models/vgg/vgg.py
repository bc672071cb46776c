# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""VGG 16 and 19, with batch norms."""

from torch import nn

from ..blocks import conv


class Vgg(nn.Module):
    def __init__(self, depth=16, side=224):
        super().__init__()
        self.stages = stages(depth)
        self.head = nn.Sequential(
            nn.Linear(512 * (side // 32) ** 2, 4096),
            *(nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096)),
            *(nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000)),
        )

    def forward(self, x):
        for stage in self.stages:
            x = nn.functional.max_pool2d(stage(x), 2)
        return self.head(x.flatten(1))


def stages(depth):
    """The five stages of convolutions between which maps are halved."""
    longer = (depth - 10) // 3
    made, channels = nn.ModuleList(), 3
    for width, count in ((64, 2), (128, 2), (256, longer), (512, longer), (512, longer)):
        layers = [conv(channels if i == 0 else width, width, bias=True) for i in range(count)]
        made.append(nn.Sequential(*layers))
        channels = width
    return made
