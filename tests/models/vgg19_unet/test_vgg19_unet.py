# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A U-Net whose way down is VGG 19.

Configuration: the stages of VGG 19, transposed convolutions upwards.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .vgg19_unet import Vgg19Unet


class ThisTester(NetTester):
    batch, side = 1, at_most(256, 64)

    def net(self):
        return Vgg19Unet()


@model_test(ThisTester, "vgg19-unet")
def test_vgg19_unet(results, tester):
    assert results.shape == (1, 1, tester.side, tester.side)
