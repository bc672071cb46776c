# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""BiT: a ResNet-50 of weight-standardised convolutions and group norms.

Configuration: google/bit-50, config.json.
"""

from transformers import BitConfig, BitForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = BitForImageClassification

    def config(self):
        return BitConfig(num_labels=1000, global_padding="same")


@model_test(ThisTester, "bit-50", modes=("train", "eval"))
def test_bit(results):
    assert results.logits.shape == (2, 1000)
