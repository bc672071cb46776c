# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "Ops x models": a row per op name, a column per test."""

from collections.abc import Sequence
from typing import Any

from openpyxl.utils import get_column_letter

from bringup.harness.records.outcomes import ATTENTION, is_good
from bringup.harness.records.schema import OpResult
from bringup.reports.model.ops import ModelOps
from bringup.reports.text import legend
from bringup.reports.xlsx import sheets
from bringup.reports.xlsx.bulk_rows import PLAIN, BulkRows, CellStyle
from bringup.reports.xlsx.sheets import Value, put_header

TITLE = "Unique ops at their device's top and not wrong, of all; coloured by the worst outcome"


def write_matrix(sheet: Any, row: int, models: Sequence[ModelOps]) -> BulkRows:
    """Of every op name and model: unique ops that are good, of all.

    The header goes to `row`, and the rows below it into what is returned. A cell has the colour of
    the worst outcome in it.
    """
    cells: dict[str, dict[int, list[OpResult]]] = {}
    for column, model in enumerate(models):
        for op in model.ops:
            cells.setdefault(op.verdict.op.name, {}).setdefault(column, []).append(op)
    titles = [f"{m.name}\n{m.identity.flow} {m.identity.device}" for m in models]
    put_header(sheet, row, ["op", "models", "all models", *titles])
    made = BulkRows(sheet, row + 1)
    empty: Value = None
    for name in sorted(cells):
        own = cells[name]
        found = [[op for ops in own.values() for op in ops]]
        found += [own.get(column, []) for column in range(len(models))]
        texts = [f"{sum(map(is_good, ops))}/{len(ops)}" if ops else empty for ops in found]
        styles = [CellStyle(tint=_tint(ops), right=True) if ops else PLAIN for ops in found]
        named = len({models[column].name for column in own})
        made.add([name, named, *texts], [CellStyle(bold=True), PLAIN, *styles])
    for column, longest in enumerate((max(map(len, cells), default=2), 6, 10), start=1):
        sheets.fit_column(sheet, column, longest)
    for column in range(4, len(models) + 4):
        sheet.column_dimensions[get_column_letter(column)].width = 16
    sheet.row_dimensions[row].height = 62
    sheet.freeze_panes = f"D{row + 1}"
    return made


def _tint(ops: Sequence[OpResult]) -> str:
    worst = min((op.verdict.outcome for op in ops), key=ATTENTION.index)
    return legend.OUTCOMES[worst].tint
