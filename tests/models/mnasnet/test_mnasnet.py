# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MnasNet A1, without squeeze and excitation (B1).

Configuration: Tan et al. 2018, arXiv:1807.11626, figure 7.
"""

from bringup import model_test

from ..testers import NetTester
from .mnasnet import MnasNet


class ThisTester(NetTester):
    def net(self):
        return MnasNet()


@model_test(ThisTester, "mnasnet-b1")
def test_mnasnet(results):
    assert results.shape == (2, 1000)
