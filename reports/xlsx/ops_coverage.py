# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "Op coverage": a row for each op, dtypes and ranks, a column for each device."""

from typing import Any

from bringup.reports.model.coverage import Coverage, Seen, State, UseRow
from bringup.reports.text import legend
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import Column, Table
from bringup.reports.xlsx.cell_styles import PLAIN, QUIET_STYLE, CellStyle

NAME = "Op coverage"
TITLE = "What of the ops, dtypes and ranks that models and the sweep have each device has seen"
_FIXED = {
    **{"op": 36, "dtypes": 18, "ranks": 10},
    **{"models": 9, "nodes": 9, "sweep cases": 12},
}


def write_coverage(book: Book, sheet: Any, lead: str, header_row: int, found: Coverage) -> None:
    """One row for each use, by op; a cell says what its device has seen of it."""
    table: Table[None] = Table(
        [
            *(Column(title, lambda _: None, width=width) for title, width in _FIXED.items()),
            *(Column(device, lambda _: None, width=24) for device in found.devices),
        ]
    )
    leads = [lead, found.text, *(_counts(found))]
    frame = Frame(TITLE, leads, header_row + len(leads) - 1, len(found.rows), frozen=3)
    with book.bulk(sheet, frame, table) as rows:
        for row in found.rows:
            seen = [row.seen[device] for device in found.devices]
            rows.line([*_fixed(row), *(one.text for one in seen)], [*_STYLES, *map(_style, seen)])


def _counts(found: Coverage) -> list[str]:
    return [
        f"{one.device}: {one.states[State.COVERED]} covered, {one.states[State.PENDING]} pending, "
        f"{one.states[State.EXCLUDED]} excluded, {one.unknown} unknown"
        for one in found.by_device
    ]


def _fixed(row: UseRow) -> list[str | int]:
    use = row.use
    return [use.name, use.dtypes, use.ranks, row.models, row.nodes, row.cases]


_STYLES = [CellStyle(bold=True), *[PLAIN] * (len(_FIXED) - 1)]


def _style(seen: Seen) -> CellStyle:
    if seen.outcome is None:
        return QUIET_STYLE
    return CellStyle(tint=legend.OUTCOMES[seen.outcome].tint)
