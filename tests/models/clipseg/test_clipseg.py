# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CLIPSeg: where in a picture is what a sentence says.

Configuration: CIDAS/clipseg-rd64-refined, config.json.
"""

from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

from bringup import model_test

from ..seeded import is_tiny, normal, tokens
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = CLIPSegForImageSegmentation

    def config(self):
        vision = {"patch_size": 16, "num_hidden_layers": 2 if is_tiny() else 12}
        return CLIPSegConfig(
            vision_config=vision, extract_layers=[0, 1, 1] if is_tiny() else [3, 6, 9]
        )

    def _load_inputs(self):
        return {"input_ids": tokens(49000, 1, 16), "pixel_values": normal(1, 3, 352, 352)}


@model_test(ThisTester, "clipseg-rd64")
def test_clipseg(results):
    assert results.logits.shape[-2:] == (352, 352)
