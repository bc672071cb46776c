# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Digits by two convolutions and two layers.

Configuration: the PyTorch project's example of MNIST.
"""

import torch

from bringup import model_test

from ..testers import NetTester
from .mnist import Mnist


class ThisTester(NetTester):
    channels, side = 1, 28

    def net(self):
        return Mnist()


@model_test(ThisTester, "mnist", modes=("train", "eval"))
def test_mnist(results):
    assert results.exp().sum(dim=1).allclose(torch.ones(2))
