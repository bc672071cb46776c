# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A picture of a digit through three numbers and back.

Configuration: 784, 128, 64, 12, 3, as in the peer's fleet.
"""

from bringup import model_test

from ..testers import NetTester
from .autoencoder_linear import Autoencoder


class ThisTester(NetTester):
    channels, side = 1, 28

    def net(self):
        return Autoencoder()


@model_test(ThisTester, "autoencoder-linear", modes=("train", "eval"))
def test_autoencoder_linear(results):
    assert results.shape == (2, 1, 28, 28) and results.abs().max() <= 1
