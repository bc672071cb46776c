# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DPT: depth by a ViT.

Configuration: Intel/dpt-large, config.json, with the widths of ViT base.
"""

from transformers import DPTConfig, DPTForDepthEstimation

from bringup import model_test

from ..seeded import is_tiny
from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = DPTForDepthEstimation

    def config(self):
        return DPTConfig(
            image_size=224, backbone_out_indices=[0, 1, 1, 1] if is_tiny() else [2, 5, 8, 11]
        )


@model_test(ThisTester, "dpt-base")
def test_dpt(results):
    assert results.predicted_depth.shape == (2, 224, 224)
