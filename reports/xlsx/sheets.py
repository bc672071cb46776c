# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Spreadsheet cells and files that are safe to open and the same when built again.

Text from a record is never evaluated, never longer than a cell may be and never holds what XML
cannot; see `untrusted` for what is taken away in every format.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from bringup.reports.text.numbers import Share
from bringup.reports.text.untrusted import clean

Value = str | int | float | datetime | None

_LARGEST_CELL = 32_767  # UTF-16 units: Excel's limit
_CUT = " [cut: longer than a cell can be]"
FORMULA = tuple("=+-@\t\n")
_LITERAL_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NAME_TAKES = re.compile(r"[\[\]:*?/\\]")
LONGEST_NAME = 31
"""Characters of a sheet's name: Excel's limit."""
LARGEST_INTEGER = 1 << 53  # beyond it a spreadsheet loses digits
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip entry
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
_HEAD = PatternFill("solid", fgColor="E4E8ED")
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


def none_if_empty(value: Value) -> Value:
    """A cell of an empty text is not written at all: it would count as filled."""
    return None if value == "" else value


def cell_text(text: str) -> str:
    """Text as a cell can hold it: clean, at most 32,767 UTF-16 units, no `_x0041_` escapes."""
    text = _LITERAL_ESCAPE.sub("_x005F_", clean(text)) if "_x" in text else clean(text)
    if 2 * len(text) <= _LARGEST_CELL or _units(text) <= _LARGEST_CELL:
        return text
    room = _LARGEST_CELL - _units(_CUT)
    return text.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore") + _CUT


def _units(text: str) -> int:
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


def put_header(sheet: Any, row: int, titles: Sequence[str]) -> None:
    """Write a table's header line."""
    for column, title in enumerate(titles, start=1):
        cell = put(sheet, row, column, title, BOLD)
        cell.fill = _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def put_table(
    sheet: Any,
    row: int,
    titles: Sequence[str],
    rows: Sequence[Sequence[Value]],
    formats: Mapping[str, str] | None = None,
) -> None:
    """Write a filterable table whose header stays in sight; `formats` are by title."""
    frame_table(sheet, row, titles, len(rows))
    number_formats = [(formats or {}).get(title) for title in titles]
    for offset, values in enumerate(rows, start=1):
        for column, value in enumerate(values, start=1):
            cell = put(sheet, row + offset, column, value)
            cell.number_format = number_formats[column - 1] or cell.number_format
    fit_columns(sheet, row)


def frame_table(sheet: Any, row: int, titles: Sequence[str], count: int) -> None:
    """Write the header of a table of `count` rows, with its filter."""
    put_header(sheet, row, titles)
    sheet.auto_filter.ref = f"A{row}:{get_column_letter(len(titles))}{row + count}"
    sheet.freeze_panes = f"B{row + 1}"


def fit_columns(sheet: Any, first_row: int) -> None:
    """Make every column as wide as what it holds from `first_row` on, within reason."""
    for column in sheet.iter_cols(min_row=first_row):
        longest = max(len(_shown(cell)) for cell in column)
        fit_column(sheet, column[0].column, longest)


def fit_column(sheet: Any, column: int, longest: int, widest: int = _WIDEST) -> None:
    """Make a column as wide as its longest text, in characters, within reason."""
    letter = get_column_letter(column)
    sheet.column_dimensions[letter].width = min(max(longest + 3, 9), widest)


def _shown(cell: Any) -> str:
    if isinstance(cell.value, datetime):
        return f"{cell.value:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell.value, float) and cell.number_format in (PERCENT, SECONDS):
        return f"{cell.value:.2f}"
    return "" if cell.value is None else str(cell.value).partition("\n")[0]


def add_sheet(workbook: Workbook, name: str) -> Any:
    """Add a sheet under `name`, or under a free name close to it that Excel accepts."""
    base = _NAME_TAKES.sub("_", clean(name)).strip("' ") or "Sheet"
    taken = {title.casefold() for title in workbook.sheetnames}
    title, number = base[:LONGEST_NAME], 1
    while title.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        title = base[: LONGEST_NAME - len(suffix)] + suffix
    return workbook.create_sheet(title)


Edit = Callable[[str, bytes], bytes]
"""Gets a file of the saved workbook, by its name in the archive, and gives what to write."""


def to_bytes(workbook: Workbook, when: datetime, edit: Edit = lambda _, data: data) -> bytes:
    """The file's bytes; the same workbook and moment give the same bytes.

    openpyxl's own `save` stamps the clock into the properties and into every zip entry.
    """
    workbook.properties.creator = "bringup reports"
    workbook.properties.created = workbook.properties.modified = when
    saved = io.BytesIO()
    ExcelWriter(workbook, zipfile.ZipFile(saved, "w")).save()
    stamped = io.BytesIO()
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(stamped, "w") as target:
        for entry in source.infolist():
            data = edit(entry.filename, source.read(entry))
            target.writestr(zipfile.ZipInfo(entry.filename, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return stamped.getvalue()
