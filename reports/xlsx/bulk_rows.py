# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tables with far more rows than openpyxl writes in reasonable time, as SpreadsheetML text.

openpyxl makes the workbook and its styles. The sheets of large tables are written here, whole, and
put into the file as they are made (`book.Book.bulk`). What a cell holds and how it looks is the
same as with `sheets.put`.

Rows are cheap because what they share is made once: a text has its place among the shared strings,
and the cells of a verdict that many models took from the cache are made for the first of them.

Source: ECMA-376 part 1, 18.3.1.4 (`c`), 18.3.1.73 (`row`), 18.3.1.47 (`hyperlink`), 18.18.11
(`ST_CellType`).
"""

import itertools
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from bringup.reports.xlsx.cell_styles import PLAIN, CellStyle, StyleIds
from bringup.reports.xlsx.hyperlinks import Hyperlinks, Link
from bringup.reports.xlsx.shared_strings import SharedStrings
from bringup.reports.xlsx.sheets import LARGEST_INTEGER, Value

T = TypeVar("T")
Cell = Value | Link

_ROW = "\0"
"""Stands for the number of the row until the row has one; no text has it (`untrusted.clean`)."""
_FLUSH = 512
"""Rows that are handed on at once."""
_MOST_KEPT = 65_536
"""Rows whose cells are kept for the next row like them; some 1.5 kB each."""


class Out(Protocol):
    """Where rows go."""

    def write(self, data: bytes, /) -> object:
        """Take a piece."""
        ...


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a table."""

    title: str
    value: Callable[[T], Cell]
    style: CellStyle = PLAIN
    width: int = 0
    """In characters; 0: its title's."""
    own: bool = False
    """It differs between rows that are otherwise the same (`BulkRows.add`)."""


class _Heads(NamedTuple):
    """How cells of a column begin, by what is in them; the row's number is to come."""

    text: str
    quoted: str
    link: str
    number: str
    date: str
    empty: str
    """A whole cell; empty where such a cell is not written."""


class _Kept(NamedTuple):
    """What rows like one another share."""

    source: object
    between: list[str]
    """The cells around and between those of its own, joined."""
    links: list[tuple[str, Link]]


class Table(Generic[T]):
    """The columns of sheets that are alike, and what their rows share."""

    def __init__(self, columns: Sequence[Column[T]]) -> None:
        self.columns = columns
        self.own = [i for i, column in enumerate(columns) if column.own]
        self.letters = [get_column_letter(i) for i in range(1, len(columns) + 1)]
        self.own_letters = frozenset(self.letters[i] for i in self.own)
        self.heads: dict[tuple[str, str], list[_Heads]] = {}
        """Of every column, by the column that is tinted and its tint."""
        self.kept: dict[Hashable, _Kept] = {}

    def between(self, parts: Sequence[str]) -> list[str]:
        """The cells of a row around and between those of its own, joined."""
        ends = [-1, *self.own, len(parts)]
        return ["".join(parts[a + 1 : b]) for a, b in itertools.pairwise(ends)]


class BulkRows(Generic[T]):
    """The rows of one sheet, from its title on."""

    def __init__(
        self,
        out: Out,
        table: Table[T],
        first_row: int,
        strings: SharedStrings,
        style_ids: StyleIds,
    ) -> None:
        self.table = table
        self.next_row = first_row
        self.links = Hyperlinks()
        self._out, self._strings, self._style_ids = out, strings, style_ids
        self._lines: list[str] = []

    def add(
        self, row: T, tinted: str = "", tint: str = "", like: Hashable = None, source: object = None
    ) -> None:
        """One row; the cell of the column called `tinted` has the background `tint`.

        Rows that are alike but for the columns of their own have the same `like` and an equal
        `source`: what they share is made once. None: it is like no other.
        """
        table, number = self.table, str(self.next_row)
        heads = table.heads.get((tinted, tint)) or self._heads_of(tinted, tint)
        if like is None:
            parts, links = self._made(row, heads)
        else:
            known = table.kept.get(like)
            if known is None or not (known.source is source or known.source == source):
                if len(table.kept) >= _MOST_KEPT:
                    table.kept.clear()
                parts, links = self._made(row, heads)
                shared = [link for link in links if link[0] not in table.own_letters]
                known = table.kept[like] = _Kept(source, table.between(parts), shared)
            parts, links = [known.between[0]], known.links.copy()
            for i, between in zip(table.own, known.between[1:], strict=True):
                value = table.columns[i].value(row)
                if type(value) is Link:
                    links.append((table.letters[i], value))
                parts += self._cell(value, heads[i]), between
        for letter, link in links:
            self.links.add(letter + number, link)
        cells = "".join(parts).replace(_ROW, number)
        self._lines.append(f'<row r="{number}">{cells}</row>')
        self._next()

    def line(self, values: Sequence[Value], styles: Sequence[CellStyle] = ()) -> None:
        """A row that is none of the table's: a title, a header, a total. `()` is a plain one."""
        given = [*styles, *[PLAIN] * (len(values) - len(styles))]
        cells = [
            self._cell(value, self._heads(get_column_letter(i), style))
            for i, (value, style) in enumerate(zip(values, given, strict=True), start=1)
        ]
        number = str(self.next_row)
        text = "".join(cells).replace(_ROW, number)
        high = max((style.height for style in given), default=0)
        size = f' ht="{high}" customHeight="1"' if high else ""
        self._lines.append(f'<row r="{number}"{size}>{text}</row>')
        self._next()

    def flush(self) -> None:
        """Hand on what there is."""
        self._out.write("".join(self._lines).encode("utf-8", "replace"))
        self._lines.clear()

    def _next(self) -> None:
        self.next_row += 1
        if len(self._lines) >= _FLUSH:
            self.flush()

    def _made(self, row: T, heads: Sequence[_Heads]) -> tuple[list[str], list[tuple[str, Link]]]:
        values = [column.value(row) for column in self.table.columns]
        links = [
            (letter, value)
            for letter, value in zip(self.table.letters, values, strict=True)
            if type(value) is Link
        ]
        return list(map(self._cell, values, heads)), links

    def _cell(self, value: Cell, heads: _Heads) -> str:
        """One cell, its row not known yet. Texts first: most cells are."""
        kind = type(value)
        if value is None or value == "":
            return heads.empty
        if kind is str:
            xml, quoted = self._strings[value]  # type: ignore[index]
            return (heads.quoted if quoted else heads.text) + xml
        if kind is Link:
            return heads.link + self._strings[value.text][0]  # type: ignore[union-attr]
        if kind is datetime:
            return f"{heads.date}{to_excel(value)!r}</v></c>"
        exact = kind is int and -LARGEST_INTEGER <= value <= LARGEST_INTEGER  # type: ignore[operator]
        if exact or (kind is float and math.isfinite(value)):  # type: ignore[arg-type]
            return f"{heads.number}{value!r}</v></c>"
        return heads.text + self._strings[str(value)][0]

    def _heads_of(self, tinted: str, tint: str) -> list[_Heads]:
        table = self.table
        found = table.heads[tinted, tint] = [
            self._heads(letter, replace(c.style, tint=tint) if c.title == tinted else c.style)
            for letter, c in zip(table.letters, table.columns, strict=True)
        ]
        return found

    def _heads(self, letter: str, style: CellStyle) -> _Heads:
        ids = self._style_ids.of(style)
        cell = f'<c r="{letter}{_ROW}" s="'
        return _Heads(
            text=f'{cell}{ids.plain}" t="s"><v>',
            quoted=f'{cell}{ids.quoted}" t="s"><v>',
            link=f'{cell}{ids.link}" t="s"><v>',
            number=f'{cell}{ids.plain}"><v>',
            date=f'{cell}{ids.date}"><v>',
            empty=f'{cell}{ids.plain}"/>' if style.tint else "",
        )
