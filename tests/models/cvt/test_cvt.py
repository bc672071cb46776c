# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CvT 13: projections by convolution.

Configuration: microsoft/cvt-13, config.json.
"""

from transformers import CvtConfig, CvtForImageClassification

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = CvtForImageClassification

    def config(self):
        return CvtConfig(num_labels=1000)


@model_test(ThisTester, "cvt-13")
def test_cvt(results):
    assert results.logits.shape == (2, 1000)
