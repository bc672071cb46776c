# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DenseNet 121.

Configuration: Huang et al. 2016, arXiv:1608.06993, table 1, k = 32.
"""

from bringup import model_test

from ..seeded import is_tiny
from ..testers import NetTester
from .densenet import DenseNet


class ThisTester(NetTester):
    def net(self):
        return DenseNet((2, 2, 2, 2) if is_tiny() else (6, 12, 24, 16))


@model_test(ThisTester, "densenet-121", modes=("train", "eval"))
def test_densenet(results):
    assert results.shape == (2, 1000)
