# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DINOv2 small.

Configuration: facebook/dinov2-small-imagenet1k-1-layer, config.json.
"""

from transformers import Dinov2Config, Dinov2ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = Dinov2ForImageClassification

    def config(self):
        return Dinov2Config(num_labels=1000, hidden_size=384, num_attention_heads=6, image_size=224)


@model_test(ThisTester, "dinov2-small", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_dinov2(results):
    assert results.logits.shape == (2, 1000)
