# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ConvNeXt V2 tiny: with global response normalisation.

Configuration: facebook/convnextv2-tiny-1k-224, config.json.
"""

from transformers import ConvNextV2Config, ConvNextV2ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = ConvNextV2ForImageClassification

    def config(self):
        return ConvNextV2Config(num_labels=1000)


@model_test(ThisTester, "convnextv2-tiny", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_convnext_v2(results):
    assert results.logits.shape == (2, 1000)
