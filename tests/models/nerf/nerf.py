# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""NeRF: a scene in a network, and light along rays."""

import torch
from torch import nn


class Nerf(nn.Module):
    """Where rays start and go, [n, 3] each, to colours [n, 3] and depths [n]."""

    def __init__(self, samples=32, width=256, near=2.0, far=6.0):
        super().__init__()
        self.register_buffer("along", torch.linspace(near, far, samples))
        enters = 3 + 60
        widths = [enters, *[width] * 4]
        self.early = nn.ModuleList(nn.Linear(a, width) for a in widths[:-1])
        self.later = nn.ModuleList(nn.Linear(a, width) for a in (width + enters, *[width] * 3))
        self.density, self.seen = nn.Linear(width, 1), nn.Linear(width, width)
        self.turned, self.colour = nn.Linear(width + 3 + 24, 128), nn.Linear(128, 3)

    def forward(self, starts, ways):
        points = starts[:, None] + ways[:, None] * self.along[:, None]
        places = _waves(points, 10)
        x = places
        for layer in self.early:
            x = layer(x).relu()
        x = torch.cat([x, places], dim=-1)
        for layer in self.later:
            x = layer(x).relu()
        looks = _waves(ways, 4)[:, None].expand(-1, points.shape[1], -1)
        colours = self.turned(torch.cat([self.seen(x), looks], dim=-1)).relu()
        opaque = 1 - torch.exp(-self.density(x)[..., 0].relu() * (self.along[1] - self.along[0]))
        left = torch.cumprod(1 - opaque + 1e-10, dim=1)
        left = torch.cat([torch.ones_like(left[:, :1]), left[:, :-1]], dim=1)
        weights = opaque * left
        colours = (weights[..., None] * self.colour(colours).sigmoid()).sum(dim=1)
        return colours, (weights * self.along).sum(dim=1)


def _waves(x, count):
    """A number as itself and as sines and cosines of its multiples."""
    scaled = (x[..., None] * 2.0 ** torch.arange(count)).flatten(-2)
    return torch.cat([x, scaled.sin(), scaled.cos()], dim=-1)
