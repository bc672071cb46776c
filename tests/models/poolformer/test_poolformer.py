# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PoolFormer S12: pooling in place of attention.

Configuration: sail/poolformer_s12, config.json.
"""

from transformers import PoolFormerConfig, PoolFormerForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = PoolFormerForImageClassification

    def config(self):
        return PoolFormerConfig(num_labels=1000)


@model_test(ThisTester, "poolformer-s12", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_poolformer(results):
    assert results.logits.shape == (2, 1000)
