# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PVT v2 B0: a pyramid with shrunk keys.

Configuration: OpenGVLab/pvt_v2_b0, config.json.
"""

from transformers import PvtV2Config, PvtV2ForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = PvtV2ForImageClassification

    def config(self):
        return PvtV2Config(num_labels=1000)


@model_test(ThisTester, "pvt-v2-b0", dtypes=("own", "bf16"))
def test_pvt_v2(results):
    assert results.logits.shape == (2, 1000)
