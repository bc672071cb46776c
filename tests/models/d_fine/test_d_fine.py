# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""D-FINE: boxes as distributions, with HGNetV2.

Configuration: ustc-community/dfine-small-coco, config.json.
"""

from transformers import DFineConfig, DFineForObjectDetection

from bringup import model_test

from ..testers import PictureTester


class ThisTester(PictureTester):
    architecture = DFineForObjectDetection
    side = 256

    def config(self):
        return DFineConfig(num_labels=80)


@model_test(ThisTester, "dfine-small")
def test_d_fine(results):
    assert results.pred_boxes.shape == (2, 300, 4)
