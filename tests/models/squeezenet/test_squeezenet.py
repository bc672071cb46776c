# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SqueezeNet 1.1.

Configuration: Iandola et al. 2016, arXiv:1602.07360, and its authors' release 1.1.
"""

from bringup import model_test

from ..testers import NetTester
from .squeezenet import SqueezeNet


class ThisTester(NetTester):
    def net(self):
        return SqueezeNet()


@model_test(ThisTester, "squeezenet-1.1", modes=("train", "eval"))
def test_squeezenet(results):
    assert results.shape == (2, 1000)
