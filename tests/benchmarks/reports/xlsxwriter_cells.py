# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What XlsxWriter takes for the cells of a workbook: the same sheets, values and formats.

It is given the values: what is measured is a spreadsheet library's work alone, in the mode that its
documentation has for large files (`constant_memory`). Links are given to it as plain texts, which
is less than what they are in the workbook.
"""

import re
import time
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import xlsxwriter

_ROW = re.compile(r'<row r="\d+"[^>]*>(.*?)</row>', re.DOTALL)
_CELL = re.compile(r'<c r="([A-Z]+)\d+" s="(\d+)"(?: t="(\w+)")?(?:/>|><v>([^<]*)</v></c>)')
_TEXT = re.compile(r"<si><t[^>]*>(.*?)</t></si>", re.DOTALL)
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")


def xlsxwriter_seconds(workbook: Path, into: Path) -> tuple[float, int]:
    """Processor seconds of writing the large sheets of `workbook` into `into`, and their cells."""
    with zipfile.ZipFile(workbook) as archive:
        texts = [unescape(t) for t in _TEXT.findall(archive.read("xl/sharedStrings.xml").decode())]
        spent, cells = 0.0, 0
        began = time.process_time()
        book = xlsxwriter.Workbook(into, {"constant_memory": True, "strings_to_formulas": False})
        spent += time.process_time() - began
        formats: dict[str, Any] = {}
        for name in archive.namelist():
            if not _SHEET.fullmatch(name):
                continue
            rows = list(_rows(archive.read(name).decode(), texts))
            for style in {style for row in rows for _, style, _ in row}:
                formats.setdefault(style, book.add_format({"num_format": "0.0000"}))
            cells += sum(map(len, rows))
            began = time.process_time()
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for column, style, value in row:
                    if value is None:
                        sheet.write_blank(number, column, None, formats[style])
                    elif isinstance(value, str):
                        sheet.write_string(number, column, value, formats[style])
                    else:
                        sheet.write_number(number, column, value, formats[style])
            spent += time.process_time() - began
        began = time.process_time()
        book.close()
        return spent + time.process_time() - began, cells


def _rows(xml: str, texts: list[str]) -> Iterator[list[tuple[int, str, str | float | None]]]:
    """Of each row its cells: column, style and value."""
    columns: dict[str, int] = {}
    for row in _ROW.findall(xml):
        cells: list[tuple[int, str, str | float | None]] = []
        for letters, style, kind, value in _CELL.findall(row):
            column = columns.get(letters)
            if column is None:
                column = columns[letters] = _column(letters)
            if kind == "s":
                cells.append((column, style, texts[int(value)]))
            else:
                cells.append((column, style, float(value) if value else None))
        yield cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
