# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How cells of large sheets look, and the numbers under which the workbook keeps that."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill

from bringup.reports.xlsx.sheets import BOLD, DATE, HEAD, LINK, QUIET, TITLE


@dataclass(frozen=True)
class CellStyle:
    """How a cell looks."""

    number_format: str = ""
    tint: str = ""
    """Background, as RRGGBB."""
    top: bool = False
    """Shows the first lines of a long text and not its middle."""
    right: bool = False
    bold: bool = False
    quoted: bool = False
    """Text that begins like a formula."""
    link: bool = False
    title: bool = False
    quiet: bool = False
    head: bool = False
    """A table's header."""
    height: int = 0
    """Of its row, in points; 0: as high as a line."""

    @property
    def font(self) -> Font | None:
        """None: the workbook's own."""
        if self.link:
            return LINK
        if self.title:
            return TITLE
        if self.quiet:
            return QUIET
        return BOLD if self.bold or self.head else None


PLAIN = CellStyle()
BOLD_STYLE = CellStyle(bold=True)
TITLE_STYLE = CellStyle(title=True)
QUIET_STYLE = CellStyle(quiet=True)
HEAD_STYLE = CellStyle(head=True)


class Ids(NamedTuple):
    """The numbers of a style, by what is in a cell."""

    plain: int
    quoted: int
    link: int
    date: int


class StyleIds:
    """The numbers under which a workbook keeps styles; one that is looked up has one."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._known: dict[CellStyle, Ids] = {}

    def of(self, style: CellStyle) -> Ids:
        """The numbers of a style and of what a quoted text, a link and a date make of it."""
        known = self._known.get(style)
        if known is None:
            known = self._known[style] = Ids(
                plain=self._id(style),
                quoted=self._id(replace(style, quoted=True)),
                link=self._id(replace(style, link=True)),
                date=self._id(replace(style, number_format=style.number_format or DATE)),
            )
        return known

    def _id(self, style: CellStyle) -> int:
        sample = Cell(self._sheet, row=1, column=1)
        if style.number_format:
            sample.number_format = style.number_format
        if style.head:
            sample.fill = HEAD
        if style.tint:
            sample.fill = PatternFill("solid", fgColor=style.tint)
        if style.top or style.right or style.head:
            sample.alignment = Alignment(
                horizontal="right" if style.right else None,
                vertical="top" if style.top or style.head else None,
                wrap_text=style.head or None,
            )
        if style.font is not None:
            sample.font = style.font
        sample.quotePrefix = style.quoted
        return int(sample.style_id)
