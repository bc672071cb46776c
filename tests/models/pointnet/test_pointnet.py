# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PointNet: classifies a cloud of points.

Configuration: Qi et al. 2016, arXiv:1612.00593, figure 2, 40 classes.
"""

from bringup import ModelTester, model_test

from ..seeded import drawn, normal
from .pointnet import PointNet


class ThisTester(ModelTester):
    def net(self):
        return PointNet()

    def _load_model(self):
        return drawn(self.net, self._load_inputs())

    def _load_inputs(self):
        return normal(4, 3, 1024)


@model_test(ThisTester, "pointnet", modes=("train", "eval"))
def test_pointnet(results):
    assert results.shape == (4, 40)
