# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Digits by two convolutions and two layers."""

import torch
from torch import nn


class Mnist(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.hidden, self.out = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = self.second(self.first(x).relu()).relu()
        x = nn.functional.max_pool2d(x, 2).flatten(1)
        return torch.log_softmax(self.out(self.hidden(x).relu()), dim=1)
