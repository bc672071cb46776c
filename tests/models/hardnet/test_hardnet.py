# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""HarDNet 68: each layer sees those at powers of two behind it.

Configuration: Chao et al. 2019, arXiv:1909.00948, table 2.
"""

from bringup import model_test

from ..testers import NetTester
from .hardnet import HarDNet


class ThisTester(NetTester):
    def net(self):
        return HarDNet()


@model_test(ThisTester, "hardnet-68")
def test_hardnet(results):
    assert results.shape == (2, 1000)
