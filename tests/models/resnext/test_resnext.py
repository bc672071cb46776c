# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ResNeXt 50 (32x4d) and Wide ResNet 50-2.

Configuration: Xie et al. 2016, arXiv:1611.05431, table 1; Zagoruyko 2016, arXiv:1605.07146.
"""

from bringup import model_test

from ..seeded import is_tiny
from ..testers import NetTester
from .resnext import ResNeXt

FIGURES = {"resnext-50-32x4d": (32, 4), "wide-resnet-50-2": (1, 128)}
"""Groups, and the width of one in the first stage."""


class ThisTester(NetTester):
    def net(self):
        return ResNeXt(
            *FIGURES[self.model_name], counts=(1, 1, 1, 1) if is_tiny() else (3, 4, 6, 3)
        )


@model_test(ThisTester, "resnext-50-32x4d", "wide-resnet-50-2", modes=("train", "eval"))
def test_resnext(results):
    assert results.shape == (2, 1000)
