# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""FocalNet tiny.

Configuration: microsoft/focalnet-tiny, config.json.
"""

from transformers import FocalNetConfig, FocalNetForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = FocalNetForImageClassification

    def config(self):
        return FocalNetConfig(num_labels=1000)


@model_test(ThisTester, "focalnet-tiny", dtypes=("own", "bf16"))
def test_focalnet(results):
    assert results.logits.shape == (2, 1000)
