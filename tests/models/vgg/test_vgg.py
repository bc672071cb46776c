# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""VGG 16 and 19, with batch norms.

Configuration: Simonyan and Zisserman 2014, arXiv:1409.1556, table 1, D and E.
"""

from bringup import model_test

from ..testers import NetTester
from .vgg import Vgg


class ThisTester(NetTester):
    batch = 1

    def net(self):
        return Vgg(int(self.model_name.removeprefix("vgg-")))


@model_test(ThisTester, "vgg-16", "vgg-19")
def test_vgg(results):
    assert results.shape == (1, 1000)
