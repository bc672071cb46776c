# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""NeRF: a scene in a network, and light along rays.

Configuration: Mildenhall et al. 2020, arXiv:2003.08934, figure 7.
"""

from bringup import ModelTester, model_test

from ..seeded import drawn, normal
from .nerf import Nerf


class ThisTester(ModelTester):
    def net(self):
        return Nerf()

    def _load_model(self):
        return drawn(self.net)

    def _load_inputs(self):
        ways = normal(16, 3, seed=1)
        return {"starts": normal(16, 3), "ways": ways / ways.norm(dim=1, keepdim=True)}


@model_test(ThisTester, "nerf", modes=("train", "eval"))
def test_nerf(results):
    colours, depths = results
    assert colours.shape == (16, 3) and depths.shape == (16,)
