# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""VoVNet 39: each stage gathers its layers once, at its end.

Configuration: Lee et al. 2019, arXiv:1904.09730, table 1.
"""

from bringup import model_test

from ..testers import NetTester
from .vovnet import VoVNet


class ThisTester(NetTester):
    def net(self):
        return VoVNet()


@model_test(ThisTester, "vovnet-39", modes=("train", "eval"))
def test_vovnet(results):
    assert results.shape == (2, 1000)
