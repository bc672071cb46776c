# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""FLUX.1: text and picture apart, then together; its widths, 2 and 4 of 19 and 38 blocks.

Configuration: black-forest-labs/FLUX.1-schnell, transformer/config.json.
"""

import torch
from diffusers import FluxTransformer2DModel

from bringup import ModelTester, model_test

from ..seeded import at_most, drawn, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return drawn(
            lambda: FluxTransformer2DModel(
                num_layers=at_most(2, 1),
                num_single_layers=at_most(4, 1),
                num_attention_heads=at_most(24, 4),
                joint_attention_dim=at_most(4096, 512),
            )
        )

    def _load_inputs(self):
        return {
            "hidden_states": normal(1, 64, 64),
            "encoder_hidden_states": normal(1, 32, at_most(4096, 512), seed=1),
            "pooled_projections": normal(1, 768),
            "timestep": torch.tensor([0.7]),
            "img_ids": torch.cartesian_prod(
                torch.arange(1.0), torch.arange(8.0), torch.arange(8.0)
            ),
            "txt_ids": torch.zeros(32, 3),
        }


@model_test(ThisTester, "flux-1-small", dtypes=("own", "bf16"))
def test_flux(results):
    assert results.sample.shape == (1, 64, 64)
