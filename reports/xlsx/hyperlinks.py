# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Links of a sheet's cells: to another sheet, or to a file beside the workbook.

A link out of the workbook is in two parts: the sheet names a relationship, and the sheet's
relationships name the address, each once. Addresses are relative and made of percent-encoded
names, so none leads out of the folder of results or to another scheme.

Source: ECMA-376 part 1, 18.3.1.47 (`hyperlink`); part 2, 9.3 (relationships).
"""

from typing import NamedTuple
from xml.sax.saxutils import quoteattr

MOST = 65_530
"""Hyperlinks of a sheet: Excel repairs a file with more, and drops them all."""
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_LONGEST = 2_000
"""Characters of an address: Excel takes 2,079."""


class Link(NamedTuple):
    """A cell's text that leads somewhere."""

    text: str
    target: str
    """An address relative to the workbook's folder, or `#'SHEET'!A1`."""


def to_sheet(text: str, title: str) -> Link:
    """A link to the first cell of a sheet."""
    quoted = title.replace("'", "''")
    return Link(text, f"#'{quoted}'!A1")


class Hyperlinks:
    """The links of one sheet, by cell."""

    def __init__(self) -> None:
        self.left_out = 0
        """Links that a sheet has no room for; their cells have the text."""
        self._numbers: dict[str, int] = {}
        """Of each address outside."""
        self._lines: list[str] = []

    def add(self, cell: str, link: Link) -> None:
        """Let a cell lead somewhere, while there is room."""
        if len(self._lines) >= MOST or len(link.target) > _LONGEST:
            self.left_out += 1
        elif link.target.startswith("#"):
            self._lines.append(f'<hyperlink ref="{cell}" location={quoteattr(link.target[1:])}/>')
        else:
            number = self._numbers.setdefault(link.target, len(self._numbers) + 1)
            self._lines.append(f'<hyperlink ref="{cell}" r:id="rId{number}"/>')

    @property
    def xml(self) -> str:
        """The sheet's element; empty without a link."""
        return f"<hyperlinks>{''.join(self._lines)}</hyperlinks>" if self._lines else ""

    @property
    def relationships(self) -> bytes:
        """The sheet's relationships; empty where no link leads out of the workbook."""
        lines = [
            f'<Relationship Id="rId{number}" Type="{_KIND}" Target={quoteattr(target)} '
            'TargetMode="External"/>'
            for target, number in self._numbers.items()
        ]
        if not lines:
            return b""
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<Relationships xmlns="{_PACKAGE}">{"".join(lines)}</Relationships>'
        ).encode("utf-8", "replace")
