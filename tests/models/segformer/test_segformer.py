# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import SegformerConfig, SegformerForSemanticSegmentation

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = SegformerConfig(num_labels=150)
        return build(SegformerForSemanticSegmentation, config, example=self._load_inputs())

    def _load_inputs(self):
        return normal(1, 3, 512, 512)


@model_test(ThisTester, "segformer-b0-finetuned-ade-512-512")
def test_segformer(results):
    assert results.logits.shape == (1, 150, 128, 128)
