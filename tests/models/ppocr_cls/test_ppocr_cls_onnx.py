# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PP-OCR's classifier: which way up a picture of a line is, with trained weights.

Configuration: rapidocr's ch_ppocr_mobile_v2.0_cls_mobile.onnx; trained weights.
"""

from importlib.metadata import files

import onnx
import torch
from PIL import Image

from bringup import OnnxModelTester, model_test
from bringup.harness.given.onnx_file import static

from ..ppocr.line import HEIGHT, drawn, pixels_of

WIDTH = 192
LINES = ("MODEL 7", "Tuesday", "hello", "a night")


def pages():
    """Each line as it is, then each upside down."""
    upright = [drawn(line) for line in LINES]
    return upright + [page.rotate(180) for page in upright]


def sheet(found):
    """All pages below each other, and beside each the way up that it was told to have."""
    whole = Image.new("RGB", (2 * WIDTH, HEIGHT * len(found)), "white")
    for row, (page, said) in enumerate(zip(pages(), found, strict=True)):
        whole.paste(page, (0, row * HEIGHT))
        whole.paste(drawn(said), (WIDTH, row * HEIGHT))
    return whole.resize((WIDTH, HEIGHT * len(found) // 2))


class ThisTester(OnnxModelTester):
    def _load_model(self):
        (file,) = (f for f in files("rapidocr") if f.name == "ch_ppocr_mobile_v2.0_cls_mobile.onnx")
        return static(onnx.load(file.locate()), {"x": (2 * len(LINES), 3, HEIGHT, WIDTH)})

    def _load_inputs(self):
        return {"x": torch.stack([pixels_of(page, WIDTH) for page in pages()])}


@model_test(ThisTester, "ch_ppocr_mobile_v2.0_cls")
def test_ppocr_cls_onnx(results, record_property):
    (chances,) = results
    turned = chances.argmax(dim=1)
    truth = torch.arange(len(turned)) >= len(LINES)
    record_property("accuracy", (turned == truth).float().mean())
    record_property("pictures", sheet([("0°", "180°")[int(one)] for one in turned]))
    assert int((turned == truth).sum()) >= 7
