# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test gives to `record_property` is on record: numbers, texts and small pictures."""

import io
import math
import random
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from bringup.harness.recording.shown import (
    MOST_PICTURE,
    MOST_SHOWN,
    MOST_TEXT,
    OURS,
    shown_of,
    without_pictures,
)
from bringup.harness.records.schema import MetricState, Shown


def one(value: object) -> Shown:
    (found,) = shown_of([("it", value)])
    assert found.name == "it"
    return found


NUMBERS = (0.5, Fraction(1, 2), torch.tensor(0.5), torch.tensor([0.5]), np.float32(0.5))


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: type(value).__name__)
def test_a_number_of_any_kind_is_a_number(value: object) -> None:
    found = one(value)
    assert found.number is not None and found.number.value == 0.5
    assert not found.text and not found.picture


def test_what_is_no_number_says_so() -> None:
    found = one(math.nan)
    assert found.number is not None and found.number.state is MetricState.NAN
    assert one(True).text == "True" and one("0.5").text == "0.5"
    assert one(torch.ones(2)).text == "tensor([1., 1.])"


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_what_cannot_be_written_is_written_otherwise() -> None:
    assert one(Mute()).text == "nothing, since its __str__ raises RuntimeError"
    assert one("\udc80").text == r"\udc80"
    assert len(one("x" * 10**6).text) == MOST_TEXT
    assert [s.name for s in shown_of([("\udc80", 1), ("b", 2)])] == [r"\udc80", "b"]
    assert len(shown_of([(str(n), n) for n in range(99)])) == MOST_SHOWN


def test_what_the_harness_gives_is_on_record_elsewhere() -> None:
    assert shown_of([(name, "x") for name in sorted(OURS)]) == ()


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height))


@pytest.mark.parametrize("size", [(8, 8), (900, 700), (4000, 2)])
@pytest.mark.parametrize("mode", ["1", "RGB", "CMYK", "F"])
def test_a_picture_is_a_small_png(mode: str, size: tuple[int, int]) -> None:
    found = one(noise(*size).convert(mode))
    assert found.is_png and len(found.picture) <= MOST_PICTURE
    shown = Image.open(io.BytesIO(found.picture))
    assert max(shown.size) >= min(64, *size)


def test_junit_gets_no_picture() -> None:
    given = [("picture", noise(30, 20)), ("text", "read")]
    assert without_pictures(given) == [("picture", "a picture of 30 x 20"), ("text", "read")]


def test_a_number_that_no_float_holds_is_a_text() -> None:
    for value in (10**400, Fraction(10**400), torch.empty(1, device="meta")):
        assert one(value).number is None and one(value).text
    assert one(10**400).text.startswith("1000")


def test_a_picture_that_cannot_be_written_is_said() -> None:
    assert one(Image.new("RGB", (0, 0))).text == "a picture of 0 x 0"
    file = io.BytesIO()
    noise(300, 300).save(file, "png")
    cut_off = Image.open(io.BytesIO(file.getvalue()[:2000]))
    assert one(cut_off).text == "a picture of 300 x 300"
