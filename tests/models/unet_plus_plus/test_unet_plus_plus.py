# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""U-Net++: a node for every depth and every step across.

Configuration: Zhou et al. 2018, arXiv:1807.10165, widths 32 to 512.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .unet_plus_plus import UnetPlusPlus


class ThisTester(NetTester):
    batch, side = 1, at_most(256, 64)

    def net(self):
        return UnetPlusPlus()


@model_test(ThisTester, "unet-plus-plus")
def test_unet_plus_plus(results, tester):
    assert results.shape == (1, 2, tester.side, tester.side)
