# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Spreadsheet cells and files that are safe to open and the same when built again.

Text from a record is never evaluated, never longer than a cell may be and never holds what XML
cannot; see `untrusted` for what is taken away in every format.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from bringup.reports.text.numbers import Share
from bringup.reports.text.untrusted import clean

Value = str | int | float | datetime | None

_LARGEST_CELL = 32_767  # UTF-16 units: Excel's limit
_CUT = " [cut: longer than a cell can be]"
FORMULA = tuple("=+-@\t\n")
_LITERAL_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NAME_TAKES = re.compile(r"[\[\]:*?/\\\n\t]")
LONGEST_NAME = 31
"""UTF-16 units of a sheet's name: Excel's limit."""
LARGEST_INTEGER = 1 << 53  # beyond it a spreadsheet loses digits
LAST_ROW = 1_048_576
"""Of a sheet: Excel's limit."""
_WIDEST = 100  # characters

_FACE = "Calibri"
PERCENT = "0.0%"
SECONDS = "0.00"
DATE = "yyyy-mm-dd hh:mm:ss"
COUNT = '0;-0;"·"'
"""Zeros as a dot: the eye finds what is not zero."""
EVERY_DIGIT = "0.0##############"

BOLD = Font(name=_FACE, size=11, bold=True)
TITLE = Font(name=_FACE, size=14, bold=True)
QUIET = Font(name=_FACE, size=11, color="59636E")
LINK = Font(name=_FACE, size=11, color="0563C1", underline="single")
HEAD = PatternFill("solid", fgColor="E4E8ED")
_GREEN, _YELLOW, _ORANGE, _RED = "A9D8A0", "FFF2A8", "F9C98B", "F2A59B"


def put(sheet: Any, row: int, column: int, value: Value, font: Font | None = None) -> Any:
    """Write one value; text stays text whatever it begins with. Returns the cell."""
    cell = sheet.cell(row, column)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        value = str(value)
    if isinstance(value, str):
        text = cell_text(value)
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(FORMULA)
    else:
        cell.value = value
    if isinstance(value, datetime):
        cell.number_format = DATE
    if font:
        cell.font = font
    return cell


def link(cell: Any, target: str) -> None:
    """Let a cell lead to an address beside the workbook, or to `#'SHEET'!A1`."""
    inside = target.startswith("#")
    cell.hyperlink = Hyperlink(
        ref=cell.coordinate,
        target=None if inside else target,
        location=target[1:] if inside else None,
    )
    cell.font = LINK


def cell_text(text: str) -> str:
    """Text as a cell can hold it: clean, at most 32,767 UTF-16 units, no `_x0041_` escapes."""
    text = _LITERAL_ESCAPE.sub("_x005F_", clean(text)) if "_x" in text else clean(text)
    if 2 * len(text) <= _LARGEST_CELL or units(text) <= _LARGEST_CELL:
        return text
    return shortened(text, _LARGEST_CELL - units(_CUT)) + _CUT


def shortened(text: str, most: int) -> str:
    """As much of a text as fits into so many UTF-16 units."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def units(text: str) -> int:
    """How long a text is in UTF-16, by which Excel's limits go."""
    return len(text) + sum(1 for letter in text if ord(letter) > 0xFFFF)


def put_share(sheet: Any, row: int, column: int, share: Share) -> None:
    """Write a share as `x/y` and, right of it, as a coloured percent cell."""
    known = share.percent is not None
    text = put(sheet, row, column, f"{share.part}/{share.whole}" if known else "n/a")
    cell = put(sheet, row, column + 1, share.part / share.whole if known else "n/a")
    text.alignment = cell.alignment = Alignment(horizontal="right")
    if share.percent is not None:
        cell.number_format = PERCENT
        cell.fill = PatternFill("solid", fgColor=percent_colour(share.percent))


def percent_colour(percent: float) -> str:
    """Green for all, yellow from 80 %, orange from 50 %, red below."""
    if percent >= 100:
        return _GREEN
    return _YELLOW if percent >= 80 else _ORANGE if percent >= 50 else _RED


def put_header(sheet: Any, row: int, titles: Sequence[str], first_column: int = 1) -> None:
    """Write a table's header line."""
    for column, title in enumerate(titles, start=first_column):
        cell = put(sheet, row, column, title, BOLD)
        cell.fill = HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def letter(column: int) -> str:
    """What a column is called."""
    return str(get_column_letter(column))


def fit_columns(sheet: Any, first_row: int) -> None:
    """Make every column as wide as what it holds from `first_row` on, within reason."""
    for column in sheet.iter_cols(min_row=first_row):
        longest = max(len(_shown(cell)) for cell in column)
        fit_column(sheet, column[0].column, longest)


def fit_column(sheet: Any, column: int, longest: int, widest: int = _WIDEST) -> None:
    """Make a column as wide as its longest text, in characters, within reason."""
    sheet.column_dimensions[letter(column)].width = min(max(longest + 3, 9), widest)


def _shown(cell: Any) -> str:
    if isinstance(cell.value, datetime):
        return f"{cell.value:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell.value, float) and cell.number_format in (PERCENT, SECONDS):
        return f"{cell.value:.2f}"
    return "" if cell.value is None else str(cell.value).partition("\n")[0]


def add_sheet(workbook: Workbook, name: str, taken: set[str]) -> Any:
    """Add a sheet under `name`, or under a free name close to it that Excel accepts.

    `taken` are the names of the sheets that are there, case-folded; the new one's is added.
    """
    base = _NAME_TAKES.sub("_", clean(name)).strip("' ") or "Sheet"
    # an apostrophe that the cut leaves at the end is one more that Excel refuses
    title, number = shortened(base, LONGEST_NAME).rstrip("' "), 1
    while title.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        title = shortened(base, LONGEST_NAME - len(suffix)) + suffix
    taken.add(title.casefold())
    return workbook.create_sheet(title)


def set_page(sheet: Any) -> None:
    """Print in landscape, one page wide and as many high as there are rows, with page numbers."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"


def print_whole(sheet: Any, header_row: int, last_column: str, last_row: int) -> None:
    """Print a table whole, with its header on every page."""
    sheet.print_title_rows = f"{header_row}:{header_row}"
    sheet.print_area = f"A1:{last_column}{min(last_row, LAST_ROW)}"
