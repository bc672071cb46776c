# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""RegNet Y-040.

Configuration: facebook/regnet-y-040, config.json.
"""

from transformers import RegNetConfig, RegNetForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = RegNetForImageClassification

    def config(self):
        return RegNetConfig(num_labels=1000)


@model_test(ThisTester, "regnet-y-040", modes=("train", "eval"))
def test_regnet(results):
    assert results.logits.shape == (2, 1000)
