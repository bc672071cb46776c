# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from transformers import DeiTConfig, DeiTForImageClassificationWithTeacher

from bringup import ModelTester, model_test

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = DeiTConfig(num_labels=1000)
        return build(DeiTForImageClassificationWithTeacher, config)

    def _load_inputs(self):
        return normal(1, 3, 224, 224)


@model_test(ThisTester, "deit-base-distilled-patch16-224")
def test_deit(results):
    assert results.logits.shape == (1, 1000)
