# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A picture through four small maps and back, by transposed convolutions."""

import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 4, 3, padding=1)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(4, 16, 2, 2), nn.ConvTranspose2d(16, 3, 2, 2)])

    def forward(self, x):
        for layer in self.down:
            x = nn.functional.max_pool2d(layer(x).relu(), 2)
        first, last = self.up
        return torch.sigmoid(last(first(x).relu()))
