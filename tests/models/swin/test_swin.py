# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import SwinConfig, SwinForImageClassification

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = SwinConfig(num_labels=1000)
        return build(SwinForImageClassification, config)

    def _load_inputs(self):
        return normal(1, 3, 224, 224)


@model_test(ThisTester, "swin-tiny-patch4-window7-224")
def test_swin(results):
    assert results.logits.shape == (1, 1000)
