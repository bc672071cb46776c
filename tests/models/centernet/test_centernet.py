# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CenterNet, a ResNet 18 with transposed convolutions: objects as points.

Configuration: Zhou et al. 2019, arXiv:1904.07850; 80 classes.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .centernet import CenterNet


class ThisTester(NetTester):
    side = at_most(512, 128)

    def net(self):
        return CenterNet()


@model_test(ThisTester, "centernet-resnet-18")
def test_centernet(results, tester):
    assert [r.shape[1:] for r in results] == [
        (n, tester.side // 4, tester.side // 4) for n in (80, 2, 2)
    ]
