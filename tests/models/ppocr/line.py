# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A line of text as a picture, and as PP-OCR takes it."""

import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn.functional import pad

HEIGHT = 48


def drawn(text):
    """The text, black on white, 48 pixels high."""
    font = ImageFont.load_default(36)
    _, _, right, _ = font.getbbox(text)
    page = Image.new("RGB", (int(right) + 16, HEIGHT), "white")
    ImageDraw.Draw(page).text((8, HEIGHT // 2), text, font=font, fill="black", anchor="lm")
    return page


def pixels_of(page, width):
    """Its pixels from -1 to 1, grey on its right: [3, 48, width]."""
    pixels = torch.frombuffer(bytearray(page.tobytes()), dtype=torch.uint8)
    pixels = pixels.reshape(HEIGHT, page.width, 3).permute(2, 0, 1) / 127.5 - 1
    return pad(pixels, (0, width - page.width))
