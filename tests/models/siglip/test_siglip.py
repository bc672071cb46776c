# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SigLIP base: pictures and sentences by a sigmoid.

Configuration: google/siglip-base-patch16-224, config.json.
"""

from transformers import SiglipConfig, SiglipModel

from bringup import model_test

from ..seeded import normal, tokens
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = SiglipModel

    def config(self):
        return SiglipConfig()

    def _load_inputs(self):
        return {"input_ids": tokens(32000, 2, 64), "pixel_values": normal(2, 3, 224, 224)}


@model_test(ThisTester, "siglip-base", dtypes=("own", "bf16"))
def test_siglip(results):
    assert results.logits_per_image.shape == (2, 2)
