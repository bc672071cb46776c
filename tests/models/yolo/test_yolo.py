# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""YOLO heads: anchors (v3), anchors with SiLU (v5), distributions of distances (v8).

Configuration: Redmon and Farhadi 2018, arXiv:1804.02767; the v5n and v8n files of their authors,
640 x 640, 80 classes.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .yolo import Yolo


class ThisTester(NetTester):
    batch, side = 1, at_most(640, 128)

    def net(self):
        return Yolo(self.model_name)


@model_test(ThisTester, "yolov3", "yolov5n", "yolov8n")
def test_yolo(results, tester):
    cells = tester.side**2 // 64 * 21 // 16
    rows = (cells, 84) if tester.model_name == "yolov8n" else (3 * cells, 85)
    assert results.shape == (1, *rows)
