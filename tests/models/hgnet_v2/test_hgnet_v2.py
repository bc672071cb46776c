# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""HGNetV2: the backbone of RT-DETR and D-FINE, as a classifier.

Configuration: ustc-community/hgnet-v2, config.json.
"""

from transformers import HGNetV2Config, HGNetV2ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = HGNetV2ForImageClassification

    def config(self):
        return HGNetV2Config(num_labels=1000)


@model_test(ThisTester, "hgnet-v2", modes=("train", "eval"))
def test_hgnet_v2(results):
    assert results.logits.shape == (2, 1000)
