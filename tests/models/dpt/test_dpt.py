# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DPT: depth by a ViT.

Configuration: Intel/dpt-large, config.json, with the widths of ViT base.
"""

from transformers import DPTConfig, DPTForDepthEstimation

from bringup import model_test

from ..seeded import drawn, is_tiny
from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = DPTForDepthEstimation

    def config(self):
        if is_tiny():  # one layer for each of the four maps that it looks at
            return DPTConfig(num_hidden_layers=4, backbone_out_indices=[0, 1, 2, 3], image_size=224)
        return DPTConfig(image_size=224)

    def _load_model(self):
        return drawn(lambda: DPTForDepthEstimation(self.config()), self.example())


@model_test(ThisTester, "dpt-base")
def test_dpt(results):
    assert results.predicted_depth.shape == (2, 224, 224)
