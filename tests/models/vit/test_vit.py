# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import ViTConfig, ViTForImageClassification

from bringup import ModelTester, model_test

from ..seeded import build, normal, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        return build(ViTForImageClassification, ViTConfig(num_labels=1000))

    def _load_inputs(self):
        inputs = {"pixel_values": normal(1, 3, 224, 224)}
        if self.mode == "train":
            inputs["labels"] = tokens(1000, 1)  # then the model's first output is its loss
        return inputs


@model_test(ThisTester, "vit-base-patch16-224", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_vit(results):
    assert results.logits.shape == (1, 1000)
