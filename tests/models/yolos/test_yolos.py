# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""YOLOS tiny: detection by a ViT with a hundred more tokens.

Configuration: hustvl/yolos-tiny, config.json.
"""

from transformers import YolosConfig, YolosForObjectDetection

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = YolosForObjectDetection
    side = 256

    def config(self):
        return YolosConfig(
            num_labels=91,
            hidden_size=192,
            num_attention_heads=3,
            intermediate_size=768,
            image_size=[256, 256],
            use_mid_position_embeddings=False,
        )


@model_test(ThisTester, "yolos-tiny", dtypes=("own", "bf16"))
def test_yolos(results):
    assert results.pred_boxes.shape == (2, 100, 4)
