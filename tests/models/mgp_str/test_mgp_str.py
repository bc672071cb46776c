# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MGP-STR: reads a word at the granularity of characters and of pieces.

Configuration: alibaba-damo/mgp-str-base, config.json.
"""

from transformers import MgpstrConfig, MgpstrForSceneTextRecognition

from bringup import model_test

from ..seeded import normal
from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = MgpstrForSceneTextRecognition

    def config(self):
        return MgpstrConfig()

    def example(self):
        return normal(2, 3, 32, 128)


@model_test(ThisTester, "mgp-str-base", dtypes=("own", "bf16"))
def test_mgp_str(results):
    assert [o.shape[:2] for o in results.logits] == [(2, 27)] * 3
