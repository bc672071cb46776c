# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion 3, its transformer: 4 of 24 joint blocks.

Configuration: stable-diffusion-3-medium, transformer/config.json.
"""

import torch
from diffusers import SD3Transformer2DModel

from bringup import ModelTester, model_test

from ..seeded import at_most, drawn, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return drawn(
            lambda: SD3Transformer2DModel(
                sample_size=128,
                num_layers=at_most(4, 2),
                num_attention_heads=at_most(24, 6),
                joint_attention_dim=at_most(4096, 512),
                caption_projection_dim=64 * at_most(24, 6),
                pooled_projection_dim=2048,
                pos_embed_max_size=192,
            )
        )

    def _load_inputs(self):
        return {
            "hidden_states": normal(1, 16, 32, 32),
            "encoder_hidden_states": normal(1, 40, at_most(4096, 512), seed=1),
            "pooled_projections": normal(1, 2048),
            "timestep": torch.tensor([500]),
        }


@model_test(ThisTester, "sd3-4-blocks", dtypes=("own", "bf16"))
def test_sd3(results):
    assert results.sample.shape == (1, 16, 32, 32)
