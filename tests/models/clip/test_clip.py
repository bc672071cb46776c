# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from transformers import CLIPConfig, CLIPModel

from bringup import ModelTester, model_test

from ..seeded import build, normal, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        return build(CLIPModel, CLIPConfig())

    def _load_inputs(self):
        return {
            "input_ids": tokens(49408, 2, 77),
            "pixel_values": normal(2, 3, 224, 224),
        }


@model_test(ThisTester, "clip-vit-base-patch32")
def test_clip(results):
    assert results.logits_per_image.shape == (2, 2)
    assert torch.equal(results.logits_per_image, results.logits_per_text.T)
