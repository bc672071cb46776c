# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import ResNetConfig, ResNetForImageClassification

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = ResNetConfig(num_labels=1000)
        return build(ResNetForImageClassification, config, example=self._load_inputs())

    def _load_inputs(self):
        return normal(1, 3, 224, 224)


@model_test(ThisTester, "resnet-50")
def test_resnet(results):
    assert results.logits.shape == (1, 1000)
