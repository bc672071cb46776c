# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Swin V2 tiny: cosine attention, window 8.

Configuration: microsoft/swinv2-tiny-patch4-window8-256, config.json.
"""

from transformers import Swinv2Config, Swinv2ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = Swinv2ForImageClassification
    side = 256

    def config(self):
        return Swinv2Config(num_labels=1000, image_size=256, window_size=8)


@model_test(ThisTester, "swinv2-tiny-window8-256", dtypes=("own", "bf16"))
def test_swin_v2(results):
    assert results.logits.shape == (2, 1000)
