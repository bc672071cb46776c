# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ShuffleNet V2, 1.0.

Configuration: Ma et al. 2018, arXiv:1807.11164, table 5.
"""

from bringup import model_test

from ..testers import NetTester
from .shufflenet_v2 import ShuffleNetV2


class ThisTester(NetTester):
    def net(self):
        return ShuffleNetV2()


@model_test(ThisTester, "shufflenet-v2-1.0", modes=("train", "eval"))
def test_shufflenet_v2(results):
    assert results.shape == (2, 1000)
