# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""LeViT 128S: attention with shrinking, batch norms throughout.

Configuration: facebook/levit-128S, config.json.
"""

from transformers import LevitConfig, LevitForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = LevitForImageClassification

    def config(self):
        return LevitConfig(num_labels=1000)


@model_test(ThisTester, "levit-128S")
def test_levit(results):
    assert results.logits.shape == (2, 1000)
