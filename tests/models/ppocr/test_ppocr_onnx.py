# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from importlib.metadata import files

import onnx
import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn.functional import pad

from bringup import OnnxModelTester, model_test
from bringup.harness.given.onnx_file import static

TEXT = "HELLO 2026"


def recogniser():
    """The recogniser's file, found without importing its package, which would load OpenCV."""
    for file in files("rapidocr"):
        if file.name == "PP-OCRv6_rec_small.onnx":
            return onnx.load(file.locate())
    raise FileNotFoundError("rapidocr no longer carries PP-OCRv6_rec_small.onnx")


def picture(text):
    """The word, black on white, as PP-OCR wants it: [1, 3, 48, 320] from -1 to 1."""
    font = ImageFont.load_default(36)
    _, _, right, _ = font.getbbox(text)
    page = Image.new("RGB", (int(right) + 16, 48), "white")
    ImageDraw.Draw(page).text((8, 24), text, font=font, fill="black", anchor="lm")
    pixels = torch.frombuffer(bytearray(page.tobytes()), dtype=torch.uint8)
    pixels = pixels.reshape(48, page.width, 3).permute(2, 0, 1) / 127.5 - 1
    return pad(pixels, (0, 320 - page.width))[None]


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
        return static(recogniser(), {"x": (1, 3, 48, 320)})

    def _load_inputs(self):
        return {"x": picture(TEXT)}


@model_test(ThisTester, "PP-OCRv6_rec_small")
def test_ppocr_onnx(results, record_property):
    (scores,) = results
    text = read(scores, characters(recogniser())).strip()
    record_property("text", text)
    assert text == TEXT
