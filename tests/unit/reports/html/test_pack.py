# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Packed columns come out as they went in, and numbers within a step of the scale."""

import base64
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bringup.reports.html.grid_data import natural
from bringup.reports.html.pack import LEAST, STEP, Pack, from_one, steps
from tests.unit.reports.html.unpacked import columns


@given(st.lists(st.integers(0, 2**32 - 1)), st.lists(st.integers(0, 255)))
def test_columns_come_out_as_they_went_in(wide: list[int], narrow: list[int]) -> None:
    pack = Pack()
    pack.add("wide", wide)
    pack.add("narrow", narrow)
    text = pack.text({"said": "é"})
    source = f'<script type="text/plain" id="x">{text}</script>'
    assert columns(source, "x") == {"said": "é", "wide": wide, "narrow": narrow}
    assert len(zlib.decompress(base64.b64decode(text))) < 90 + 4 * len(wide) + len(narrow)


@given(st.floats(1e-8, 1e8))
def test_a_number_is_within_half_a_step(number: float) -> None:
    (code,) = steps([number]).tolist()
    assert abs(np.log(LEAST) + (code - 1) * STEP - np.log(number)) <= 0.51 * STEP


def test_what_is_no_number_is_absent_and_nothing_is_least() -> None:
    strange = [None, float("nan"), float("inf"), 0.0, -3.0, 1e300]
    assert steps(strange).tolist() == [0, 0, 0, 1, 1, 65535]
    nearly = np.nextafter(1.0, 0.0)
    assert from_one(np.array([1.0, 2.0, np.nan, nearly])).tolist() == [1, 1, 0, 2]


def test_numbers_in_names_are_compared_as_numbers() -> None:
    names = ["vit_10", "vit_9", "Vit_1", "10", "9", "vit", "vit-x2"]
    assert sorted(names, key=natural) == ["9", "10", "vit", "vit-x2", "Vit_1", "vit_9", "vit_10"]
