# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Segment Anything: ViT-B, a prompt of one point, at 256 pixels.

Configuration: facebook/sam-vit-base, config.json.
"""

import torch
from transformers import SamConfig, SamModel

from bringup import model_test

from ..seeded import is_tiny
from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = SamModel
    side = 256
    batch = 1

    def config(self):
        return SamConfig(
            vision_config={
                "image_size": 256,
                "global_attn_indexes": [0, 1] if is_tiny() else [2, 5, 8, 11],
            },
            prompt_encoder_config={"image_size": 256, "image_embedding_size": 16},
        )

    def _load_inputs(self):
        return {"pixel_values": self.example(), "input_points": torch.tensor([[[[100.0, 80.0]]]])}


@model_test(ThisTester, "sam-vit-base")
def test_sam(results):
    assert results.pred_masks.shape == (1, 1, 3, 64, 64)
