# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of Stable Diffusion, from a picture to its like, at 128 x 128.

Configuration: stable-diffusion-v1-5, vae/config.json.
"""

from diffusers import AutoencoderKL

from bringup import ModelTester, model_test

from ..seeded import at_most, drawn, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return drawn(
            lambda: AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=["DownEncoderBlock2D"] * 4,
                up_block_types=["UpDecoderBlock2D"] * 4,
                layers_per_block=at_most(2, 1),
                latent_channels=4,
                sample_size=512,
            )
        )

    def _load_inputs(self):
        return {"sample": normal(1, 3, 128, 128)}


@model_test(ThisTester, "sd-vae")
def test_autoencoder_kl(results):
    assert results.sample.shape == (1, 3, 128, 128)
