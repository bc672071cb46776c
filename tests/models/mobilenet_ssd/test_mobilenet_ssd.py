# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MobileNet V1 with SSD heads on six maps.

Configuration: Howard et al. 2017, arXiv:1704.04861, section 4.6; Liu et al. 2015,
arXiv:1512.02325; 300 x 300, 21 classes.
"""

from bringup import model_test

from ..testers import NetTester
from .mobilenet_ssd import MobileNetSsd


class ThisTester(NetTester):
    side = 300

    def net(self):
        return MobileNetSsd()


@model_test(ThisTester, "mobilenet-v1-ssd-300")
def test_mobilenet_ssd(results):
    boxes, scores = results
    assert boxes.shape == (2, scores.shape[1], 4)
    assert scores.shape == (2, boxes.shape[1], 21) and scores.sum(dim=-1).allclose(
        scores.new_ones(1)
    )
