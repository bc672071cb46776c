# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GLPN: depth by a SegFormer encoder.

Configuration: vinvino02/glpn-kitti, config.json.
"""

from transformers import GLPNConfig, GLPNForDepthEstimation

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = GLPNForDepthEstimation
    side = 256

    def config(self):
        return GLPNConfig()


@model_test(ThisTester, "glpn-kitti")
def test_glpn(results):
    assert results.predicted_depth.shape == (2, 256, 256)
