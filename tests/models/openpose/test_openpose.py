# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""OpenPose: VGG 19, then stages that refine limbs and joints.

Configuration: Cao et al. 2016, arXiv:1611.08050, figure 3; 368 x 368.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .openpose import OpenPose


class ThisTester(NetTester):
    batch, side = 1, at_most(368, 64)

    def net(self):
        return OpenPose(refinements=at_most(5, 1))


@model_test(ThisTester, "openpose-body")
def test_openpose(results):
    assert [r.shape[:2] for r in results] == [(1, 38), (1, 19)]
