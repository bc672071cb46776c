# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A workbook: openpyxl's sheets, which people format, and large ones that are written as text.

The large ones go into the file one after the other, packed (`packing`) while they are made: of 800
models' sheets only a few are in memory. openpyxl's own parts follow.

Source: ECMA-376 part 1, 18.3.1.99 (`worksheet`, the order of its elements) and 12.3 (the parts of a
package).
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from bringup.reports.xlsx import shared_strings, sheets
from bringup.reports.xlsx.bulk_rows import BulkRows, Column, Table
from bringup.reports.xlsx.cell_styles import (
    HEAD_STYLE,
    QUIET_STYLE,
    TITLE_STYLE,
    CellStyle,
    StyleIds,
)
from bringup.reports.xlsx.packing import Packing
from bringup.reports.xlsx.sheets import Value

T = TypeVar("T")
Line = tuple[Sequence[Value], Sequence[CellStyle]]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class Frame:
    """What stands around a large table."""

    title: str
    lead: Sequence[str]
    """The lines below the title."""
    header_row: int
    rows: int
    """Of the table."""
    below: int = 0
    """Rows that follow the table and are printed with it."""
    frozen: int = 1
    """Columns that stay in sight, with the header; 0: neither does."""
    head_height: int = 0
    """Of the header, in points; 0: as it comes."""


class Book:
    """A workbook in the making."""

    def __init__(self) -> None:
        self.workbook = Workbook()
        self.workbook.remove(self.workbook.active)
        self.strings = shared_strings.SharedStrings()
        self._packing = Packing()
        self._numbers: dict[str, int] = {}
        """Of the sheets by title, from 1 on: openpyxl would look through all of them for each."""
        self._taken: set[str] = set()
        self._style_ids: StyleIds | None = None
        self._written: set[str] = set()

    def sheet(self, name: str) -> Any:
        """A sheet under `name`, or under a free name close to it, for `put` or for `bulk`."""
        sheet = sheets.add_sheet(self.workbook, name, self._taken)
        self._numbers[sheet.title] = len(self._numbers) + 1
        sheets.set_page(sheet)
        return sheet

    @contextmanager
    def bulk(
        self, sheet: Any, frame: Frame, table: Table[T], above: Sequence[Line] = ()
    ) -> Iterator[BulkRows[T]]:
        """Write a sheet whole: its rows are added within the context, and none before it.

        All sheets must be there: a sheet's place among them is its file's name. Lines `above` stand
        between the head and the table.
        """
        if self._style_ids is None:
            self._style_ids = StyleIds(sheet)
        columns = table.columns
        number = self._numbers[sheet.title]
        name = f"xl/worksheets/sheet{number}.xml"
        last = get_column_letter(max(len(columns), 1))
        area = f"A{frame.header_row}:{last}{frame.header_row + frame.rows}"
        sheet.auto_filter.ref = area  # here and below: openpyxl names the ranges
        sheets.print_whole(
            sheet, frame.header_row, last, frame.header_row + frame.rows + frame.below
        )
        out = self._packing
        out.begin(name)
        out.write(_opening(frame, columns, first=number == 1).encode())
        rows = BulkRows(out, table, 1, self.strings, self._style_ids)
        _write_head(rows, frame, above)
        yield rows
        rows.flush()
        closing = f'</sheetData><autoFilter ref="{area}"/>{rows.links.xml}{_CLOSING}'
        out.write(closing.encode("utf-8", "replace"))
        self._written.add(name)
        if links := rows.links.relationships:
            out.add(f"xl/worksheets/_rels/sheet{number}.xml.rels", links)

    def to_bytes(self, when: datetime) -> bytes:
        """The file's bytes; the same workbook and moment give the same bytes.

        openpyxl's own `save` stamps the clock into the properties and into every zip entry.
        """
        self.workbook.properties.creator = "bringup reports"
        self.workbook.properties.created = self.workbook.properties.modified = when
        saved = io.BytesIO()
        _Parts(self.workbook, zipfile.ZipFile(saved, "w"), self._written).save()
        with zipfile.ZipFile(saved) as source:
            for entry in source.infolist():
                data = source.read(entry)
                if entry.filename == _WORKBOOK_LINKS:
                    data = data.replace(_LINKS_END, _STRINGS_LINK + _LINKS_END, 1)
                self._packing.add(entry.filename, data)
        self._packing.begin(shared_strings.NAME)
        for piece in self.strings.xml():
            self._packing.write(piece)
        return self._packing.to_bytes()


_WORKBOOK_LINKS, _LINKS_END = "xl/_rels/workbook.xml.rels", b"</Relationships>"
_STRINGS_LINK = (
    f'<Relationship Id="strings" Type="{_RELATIONS}/sharedStrings" '
    f'Target="/{shared_strings.NAME}"/>'
).encode()


class _StringsPart:
    """The shared strings as the list of parts has them: openpyxl itself writes none."""

    path = f"/{shared_strings.NAME}"
    mime_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


class _Parts(ExcelWriter):  # type: ignore[misc]
    """openpyxl's parts of a workbook, without the sheets that are written already."""

    def __init__(self, workbook: Workbook, archive: zipfile.ZipFile, written: set[str]) -> None:
        super().__init__(workbook, archive)
        self._written = written
        self.manifest.append(_StringsPart())

    def write_worksheet(self, ws: Any) -> None:
        """One sheet, or its place in the list of parts alone."""
        if ws.path[1:] not in self._written:
            super().write_worksheet(ws)
            return
        ws._drawing, ws._rels = None, ()
        self.manifest.append(ws)


def _opening(frame: Frame, columns: Sequence[Column[T]], *, first: bool) -> str:
    widths = "".join(
        f'<col min="{i}" max="{i}" width="{column.width or len(column.title) + 4}" '
        'customWidth="1"/>'
        for i, column in enumerate(columns, start=1)
    )
    corner = f"{get_column_letter(frame.frozen + 1)}{frame.header_row + 1}"
    pane = (
        f'<pane xSplit="{frame.frozen}" ySplit="{frame.header_row}" topLeftCell="{corner}" '
        'activePane="bottomRight" state="frozen"/>'
    )
    selected = ' tabSelected="1"' if first else ""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<sheetViews><sheetView{selected} workbookViewId="0">{pane if frame.frozen else ""}'
        "</sheetView></sheetViews>"
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>'
    )


def _write_head(rows: BulkRows[T], frame: Frame, above: Sequence[Line]) -> None:
    rows.line([frame.title], [TITLE_STYLE])
    for line in frame.lead:
        rows.line([line], [QUIET_STYLE])
    for values, styles in above:
        rows.line(values, styles)
    while rows.next_row < frame.header_row:
        rows.line([])
    head = replace(HEAD_STYLE, height=frame.head_height)
    rows.line([column.title for column in rows.table.columns], [head] * len(rows.table.columns))


_CLOSING = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    '<pageSetup orientation="landscape" fitToHeight="0"/>'
    "<headerFooter><oddFooter>&amp;L&amp;A&amp;R&amp;P / &amp;N</oddFooter></headerFooter>"
    "</worksheet>"
)
