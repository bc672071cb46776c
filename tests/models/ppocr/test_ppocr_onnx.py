# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from importlib.metadata import files

import onnx

from bringup import OnnxModelTester, model_test
from bringup.harness.given.onnx_file import static

from .line import HEIGHT, drawn, pixels_of

TEXT, WIDTH = "HELLO 2026", 320


def recogniser():
    """The recogniser's file, found without importing its package, which would load OpenCV."""
    for file in files("rapidocr"):
        if file.name == "PP-OCRv6_rec_small.onnx":
            return onnx.load(file.locate())
    raise FileNotFoundError("rapidocr no longer carries PP-OCRv6_rec_small.onnx")


def characters(model):
    """What classes 1, 2, ... stand for; the list in the file leaves out the space, the last."""
    (listed,) = (entry.value for entry in model.metadata_props if entry.key == "character")
    return [*listed.split("\n"), " "]


def read(scores, characters):
    """CTC: the best class of each step, repeats collapsed, blanks (class 0) dropped."""
    classes = scores[0].argmax(dim=-1).unique_consecutive()
    return "".join(characters[index - 1] for index in classes if index)


class ThisTester(OnnxModelTester):
    def _load_model(self):
        return static(recogniser(), {"x": (1, 3, HEIGHT, WIDTH)})

    def _load_inputs(self):
        return {"x": pixels_of(drawn(TEXT), WIDTH)[None]}


@model_test(ThisTester, "PP-OCRv6_rec_small")
def test_ppocr_onnx(results, record_property):
    (scores,) = results
    text = read(scores, characters(recogniser())).strip()
    right = sum(one == other for one, other in zip(text, TEXT, strict=False))
    record_property("characters right", right / max(len(text), len(TEXT)))
    record_property("picture", drawn(TEXT))
    record_property("text", text)
    assert text == TEXT
