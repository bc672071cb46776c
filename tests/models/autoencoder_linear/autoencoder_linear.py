# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A picture of a digit through three numbers and back."""

from itertools import pairwise

import torch
from torch import nn


class Autoencoder(nn.Module):
    widths = (784, 128, 64, 12, 3)

    def __init__(self):
        super().__init__()
        self.encoder = _layers(self.widths)
        self.decoder = _layers(self.widths[::-1])

    def forward(self, x):
        return torch.tanh(self.decoder(self.encoder(x.flatten(1)))).reshape(x.shape)


def _layers(widths):
    layers = [nn.Linear(*pair) for pair in pairwise(widths)]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1]
