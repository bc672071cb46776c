# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MobileNet V1.

Configuration: google/mobilenet_v1_1.0_224, config.json.
"""

from transformers import MobileNetV1Config, MobileNetV1ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = MobileNetV1ForImageClassification

    def config(self):
        return MobileNetV1Config(num_labels=1000)


@model_test(ThisTester, "mobilenet-v1-1.0-224", modes=("train", "eval"))
def test_mobilenet_v1(results):
    assert results.logits.shape == (2, 1000)
