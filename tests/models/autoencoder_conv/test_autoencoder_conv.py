# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A picture through four small maps and back, by transposed convolutions.

Configuration: 16 and 4 channels, as in the peer's fleet.
"""

from bringup import model_test

from ..testers import NetTester
from .autoencoder_conv import Autoencoder


class ThisTester(NetTester):
    def net(self):
        return Autoencoder()


@model_test(ThisTester, "autoencoder-conv", modes=("train", "eval"))
def test_autoencoder_conv(results):
    assert results.shape == (2, 3, 224, 224) and results.min() >= 0
