# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Hiera tiny.

Configuration: facebook/hiera-tiny-224-hf, config.json.
"""

from transformers import HieraConfig, HieraForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = HieraForImageClassification

    def config(self):
        return HieraConfig(num_labels=1000)


@model_test(ThisTester, "hiera-tiny-224", dtypes=("own", "bf16"))
def test_hiera(results):
    assert results.logits.shape == (2, 1000)
