# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ISNet, which RMBG 1.4 is: nested U-Nets of residual blocks, seven masks.

Configuration: Qin et al. 2022, arXiv:2203.03041, and U2-Net, arXiv:2005.09007, figure 5.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .rmbg import IsNet


class ThisTester(NetTester):
    batch, side = 1, at_most(512, 128)

    def net(self):
        return IsNet()


@model_test(ThisTester, "rmbg-1.4")
def test_rmbg(results, tester):
    assert [mask.shape for mask in results] == [(1, 1, tester.side, tester.side)] * 6
