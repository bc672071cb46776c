# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""U-Net as published: Ronneberger, Fischer and Brox, 2015, arXiv:1505.04597, figure 1.

One departure, the usual one: convolutions are padded, so the map comes out as large as the
picture. Unpadded, only a few sizes fit the four halvings, 572 x 572 being the paper's.
"""

from itertools import pairwise

import torch
from torch import nn


class UNet(nn.Module):
    """Pictures [n, in_channels, h, w] to logits [n, classes, h, w]; h and w divide by 16."""

    def __init__(self, in_channels: int = 1, classes: int = 2, base: int = 64) -> None:
        super().__init__()
        widths = [base << level for level in range(5)]
        self.entry = _double_conv(in_channels, base)
        self.down = nn.ModuleList(_double_conv(upper, lower) for upper, lower in pairwise(widths))
        self.up = nn.ModuleList(_UpStep(lower, upper) for upper, lower in pairwise(widths))
        self.head = nn.Conv2d(base, classes, kernel_size=1)
        self.apply(_initialise)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        skips = [self.entry(pictures)]
        for step in self.down:
            skips.append(step(nn.functional.max_pool2d(skips[-1], 2)))
        features = skips.pop()
        for step in reversed(self.up):
            features = step(features, skips.pop())
        return self.head(features)


class _UpStep(nn.Module):
    """Double the resolution, halve the channels, and join the map of the way down."""

    def __init__(self, lower: int, upper: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(lower, upper, kernel_size=2, stride=2)
        self.join = _double_conv(2 * upper, upper)

    def forward(self, features: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return self.join(torch.cat([skip, self.up(features)], dim=1))


def _double_conv(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
    )


def _initialise(module: nn.Module) -> None:
    """Weights with a standard deviation of sqrt(2 / N), the paper's section 3."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
