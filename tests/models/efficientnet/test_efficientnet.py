# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from torch import nn
from transformers import EfficientNetConfig, EfficientNetForImageClassification

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = EfficientNetConfig(
            width_coefficient=1.0,
            depth_coefficient=1.0,
            image_size=224,
            hidden_dim=1280,
            dropout_rate=0.2,
            num_labels=1000,
        )
        model = build(EfficientNetForImageClassification, config, example=self._load_inputs())
        # The paper's global average. transformers spells it as a 1280 x 1280 window that ceil_mode
        # cuts to the 7 x 7 map; torch-mlir ignores ceil_mode and infers an empty result.
        model.efficientnet.pooler = nn.AdaptiveAvgPool2d(1)
        return model

    def _load_inputs(self):
        return normal(1, 3, 224, 224)


@model_test(ThisTester, "efficientnet-b0")
def test_efficientnet(results):
    assert results.logits.shape == (1, 1000)
