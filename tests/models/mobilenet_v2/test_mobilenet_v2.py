# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = MobileNetV2Config(num_labels=1001)
        return build(MobileNetV2ForImageClassification, config, example=self._load_inputs())

    def _load_inputs(self):
        return normal(1, 3, 224, 224)


@model_test(ThisTester, "mobilenet_v2_1.0_224")
def test_mobilenet_v2(results):
    assert results.logits.shape == (1, 1001)
