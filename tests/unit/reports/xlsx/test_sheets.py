# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Cells and sheets that are safe to open."""

import re

import openpyxl
import pytest

from bringup.reports.text.numbers import Share
from bringup.reports.xlsx import sheets

HOSTILE = ("=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "\n=1", "#N/A", "TRUE", "'=1")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_stored_as_text_whatever_it_begins_with(text: str) -> None:
    cell = sheets.put(openpyxl.Workbook().active, 1, 1, text)
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.quotePrefix == (text[0] in "=+-@\t\n")


@pytest.mark.parametrize("letter", ["x", "é", "👩", "<"])
def test_a_cell_is_cut_where_a_spreadsheet_must_cut_and_says_so(letter: str) -> None:
    text = sheets.cell_text(letter * (40_000 // len(letter.encode("utf-16-le")) * 2))
    assert len(text.encode("utf-16-le")) // 2 <= 32_767
    assert text.endswith("[cut: longer than a cell can be]")


def test_a_cell_of_exactly_the_limit_is_whole() -> None:
    assert sheets.cell_text("x" * 32_767) == "x" * 32_767


def test_an_escape_of_the_format_stays_the_text_it_is() -> None:
    """`_x0041_` in a file reads as A in a spreadsheet unless its first underscore is escaped
    (ECMA-376 part 1, 22.9.2.19, ST_Xstring); openpyxl does neither on its own.
    """
    assert sheets.cell_text("a_x0041_b") == "a_x005F_x0041_b"
    assert sheets.cell_text("a_x41_b") == "a_x41_b"


def test_sheet_names_are_unique_short_and_legal() -> None:
    book, taken = openpyxl.Workbook(), set[str]()
    book.remove(book.active)
    awkward = ("x" * 50, "X" * 50, "a/b:c*d?[e]\\", "", "'quoted'", "a/b:c*d?[e]\\", "🦙" * 40)
    for name in (*awkward, "🦙" * 40, "x" * 30 + "'s", "Straße", "STRASSE", "İ", "i̇"):
        sheets.add_sheet(book, name, taken)
    names = [name.casefold() for name in book.sheetnames]
    assert set(names) == taken and len(taken) == len(names)
    for name in names:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", name)


@pytest.mark.parametrize(
    ("percent", "colour"),
    [
        (100, "A9D8A0"),
        (99.9, "FFF2A8"),
        (80, "FFF2A8"),
        (79.9, "F9C98B"),
        (50, "F9C98B"),
        (0, "F2A59B"),
    ],
)
def test_percent_cells_are_green_yellow_orange_or_red(percent: float, colour: str) -> None:
    assert sheets.percent_colour(percent) == colour


def test_a_share_of_nothing_has_no_colour_and_no_number() -> None:
    sheet = openpyxl.Workbook().active
    sheets.put_share(sheet, 1, 1, Share(0, 0))
    assert [sheet["A1"].value, sheet["B1"].value] == ["n/a", "n/a"]
    assert sheet["B1"].fill.fill_type is None
