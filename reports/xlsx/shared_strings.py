# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The texts of all large sheets, each kept once: `xl/sharedStrings.xml`.

Of a large night's cells nine in ten are texts that were there before. By number they are a third of
the bytes that they are inline, and a third of the work of whoever packs and opens the file.

Source: ECMA-376 part 1, 18.4.8 (`si`), 18.4.9 (`sst`), 18.4.12 (`t`).
"""

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from bringup.reports.xlsx.sheets import FORMULA, cell_text

NAME = "xl/sharedStrings.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PER_PIECE = 2_000
"""Texts that are encoded at once."""


class Known(NamedTuple):
    """A text that has its place in the table."""

    xml: str
    """Its number, and the end of the cell that has it."""
    quoted: bool
    """It begins like a formula: its cell's style says that it is none."""


class SharedStrings(dict[str, Known]):
    """Texts as records have them, to their place; one that is looked up has one from then on."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Known] = {}
        """By what a cell can hold of them: two may be the same then."""

    def __missing__(self, text: str) -> Known:
        held = cell_text(text)
        known = self._kept.get(held)
        if known is None:
            known = self._kept[held] = Known(f"{len(self._kept)}</v></c>", held.startswith(FORMULA))
        self[text] = known
        return known

    def xml(self) -> Iterator[bytes]:
        """The file, in pieces; `count` is left out, as it may be: nobody counts the cells."""
        yield (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<sst xmlns="{_MAIN}" uniqueCount="{len(self._kept)}">'
        ).encode()
        texts = list(self._kept)
        for first in range(0, len(texts), _PER_PIECE):
            piece = texts[first : first + _PER_PIECE]
            items = (f'<si><t xml:space="preserve">{escape(t)}</t></si>' for t in piece)
            yield "".join(items).encode("utf-8", "replace")
        yield b"</sst>"
