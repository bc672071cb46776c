# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""AlexNet, in one column.

Configuration: Krizhevsky 2014, arXiv:1404.5997.
"""

from bringup import model_test

from ..testers import NetTester
from .alexnet import AlexNet


class ThisTester(NetTester):
    def net(self):
        return AlexNet()


@model_test(ThisTester, "alexnet", modes=("train", "eval"))
def test_alexnet(results):
    assert results.shape == (2, 1000)
