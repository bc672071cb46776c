# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MobileViT small.

Configuration: apple/mobilevit-small, config.json.
"""

from transformers import MobileViTConfig, MobileViTForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = MobileViTForImageClassification
    side = 256

    def config(self):
        return MobileViTConfig(num_labels=1000)


@model_test(ThisTester, "mobilevit-small", dtypes=("own", "bf16"))
def test_mobilevit(results):
    assert results.logits.shape == (2, 1000)
