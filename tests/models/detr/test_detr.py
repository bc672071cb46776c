# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DETR with a ResNet-50.

Configuration: facebook/detr-resnet-50, config.json.
"""

from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = DetrForObjectDetection
    side = 256

    def config(self):
        return DetrConfig(
            num_labels=91,
            use_timm_backbone=False,
            use_pretrained_backbone=False,
            backbone=None,
            backbone_config=ResNetConfig(out_features=["stage4"]),
        )


@model_test(ThisTester, "detr-resnet-50")
def test_detr(results):
    assert results.pred_boxes.shape == (2, 100, 4)
