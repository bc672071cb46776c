# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GhostNet 1.0: half of every layer's maps are made cheaply of the other half.

Configuration: Han et al. 2019, arXiv:1911.11907, table 1.
"""

from bringup import model_test

from ..testers import NetTester
from .ghostnet import GhostNet


class ThisTester(NetTester):
    def net(self):
        return GhostNet()


@model_test(ThisTester, "ghostnet-1.0")
def test_ghostnet(results):
    assert results.shape == (2, 1000)
