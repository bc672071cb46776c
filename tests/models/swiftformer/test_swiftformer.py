# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SwiftFormer XS: additive attention.

Configuration: MBZUAI/swiftformer-xs, config.json.
"""

from transformers import SwiftFormerConfig, SwiftFormerForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = SwiftFormerForImageClassification

    def config(self):
        return SwiftFormerConfig(num_labels=1000)


@model_test(ThisTester, "swiftformer-xs")
def test_swiftformer(results):
    assert results.logits.shape == (2, 1000)
