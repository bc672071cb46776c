# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion 1.5, the U-Net of a step, at 256 x 256.

Configuration: stable-diffusion-v1-5, unet/config.json.
"""

import torch
from diffusers import UNet2DConditionModel

from bringup import ModelTester, model_test

from ..seeded import at_most, drawn, normal, padded


class ThisTester(ModelTester):
    def _load_model(self):
        return drawn(
            lambda: UNet2DConditionModel(
                block_out_channels=[at_most(w, w // 5) for w in (320, 640, 1280, 1280)],
                cross_attention_dim=768,
                layers_per_block=at_most(2, 1),
                attention_head_dim=8,
            )
        )

    def _load_inputs(self):
        return {
            "sample": normal(2, 4, 32, 32),
            "timestep": torch.tensor([981, 1]),
            "encoder_hidden_states": normal(2, 77, 768, seed=1),
            "encoder_attention_mask": padded(77, 50),
        }


@model_test(ThisTester, "sd-1.5-unet", dtypes=("own", "bf16"))
def test_stable_diffusion(results):
    assert results.sample.shape == (2, 4, 32, 32)
