# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""BEiT base.

Configuration: microsoft/beit-base-patch16-224, config.json.
"""

from transformers import BeitConfig, BeitForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = BeitForImageClassification

    def config(self):
        return BeitConfig(
            num_labels=1000,
            use_relative_position_bias=True,
            use_mean_pooling=True,
            layer_scale_init_value=0.1,
        )


@model_test(ThisTester, "beit-base-patch16-224", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_beit(results):
    assert results.logits.shape == (2, 1000)
