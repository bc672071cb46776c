# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DiT XL/2: diffusion of latents by a transformer, by class; 4 of its 28 blocks.

Configuration: facebook/DiT-XL-2-256, transformer/config.json.
"""

import torch
from diffusers import DiTTransformer2DModel

from bringup import ModelTester, model_test

from ..seeded import at_most, drawn, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return drawn(lambda: DiTTransformer2DModel(out_channels=8, num_layers=at_most(4, 1)))

    def _load_inputs(self):
        return {
            "hidden_states": normal(2, 4, 32, 32),
            "timestep": torch.tensor([500, 1]),
            "class_labels": torch.tensor([207, 360]),
        }


@model_test(ThisTester, "dit-xl-2-4-blocks")
def test_dit(results):
    assert results.sample.shape == (2, 8, 32, 32)
