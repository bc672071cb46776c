# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet, without its helpers' heads.

Configuration: Szegedy et al. 2014, arXiv:1409.4842, table 1, with batch norms.
"""

from bringup import model_test

from ..testers import NetTester
from .googlenet import GoogLeNet


class ThisTester(NetTester):
    def net(self):
        return GoogLeNet()


@model_test(ThisTester, "googlenet")
def test_googlenet(results):
    assert results.shape == (2, 1000)
