# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "Ops x models": a row per op name, a column per test."""

from collections.abc import Sequence
from typing import Any

from bringup.harness.records.outcomes import ATTENTION, is_good
from bringup.harness.records.schema import OpResult
from bringup.reports.model.ops import ModelOps
from bringup.reports.text import legend
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import Column, Table
from bringup.reports.xlsx.cell_styles import PLAIN, CellStyle

TITLE = "Unique ops at their device's top and not wrong, of all; coloured by the worst outcome"


def write_matrix(
    book: Book, sheet: Any, lead: str, header_row: int, models: Sequence[ModelOps]
) -> None:
    """Of every op name and model: unique ops that are good, of all.

    A cell has the colour of the worst outcome in it.
    """
    cells: dict[str, dict[int, list[OpResult]]] = {}
    for column, model in enumerate(models):
        for op in model.ops:
            cells.setdefault(op.verdict.op.name, {}).setdefault(column, []).append(op)
    titles = [f"{m.name}\n{m.identity.flow} {m.identity.device}" for m in models]
    widths = {"op": max(map(len, cells), default=2) + 3, "models": 9, "all models": 13}
    table: Table[None] = Table(
        [
            Column(title, lambda _: None, width=widths.get(title, 16))
            for title in ["op", "models", "all models", *titles]
        ]
    )
    frame = Frame(TITLE, [lead], header_row, len(cells), frozen=3, head_height=62)
    with book.bulk(sheet, frame, table) as rows:
        for name in sorted(cells):
            own = cells[name]
            found = [[op for ops in own.values() for op in ops]]
            found += [own.get(column, []) for column in range(len(models))]
            texts = [_share(ops) if ops else None for ops in found]
            styles = [CellStyle(tint=_tint(ops), right=True) if ops else PLAIN for ops in found]
            named = len({models[column].name for column in own})
            rows.line([name, named, *texts], [CellStyle(bold=True), PLAIN, *styles])


def _share(ops: Sequence[OpResult]) -> str:
    return f"{sum(map(is_good, ops))}/{len(ops)}"


def _tint(ops: Sequence[OpResult]) -> str:
    worst = min((op.verdict.outcome for op in ops), key=ATTENTION.index)
    return legend.OUTCOMES[worst].tint
