# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops of many models as a spreadsheet: `models_op_per_op.xlsx`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.properties import PageSetupProperties

from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import OpResult, Outcome, Stage
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.model.op_results import (
    attributes_text,
    cached_text,
    command_of,
    compared_with,
    cpu_seconds_of,
    failing_stage,
    peak_of,
    seconds_of,
    shapes_text,
    stage_of,
)
from bringup.reports.model.ops import ModelOps, SharedOp, across, blockers, made_text
from bringup.reports.text import legend
from bringup.reports.text.numbers import mebibytes, metric_cell, moment
from bringup.reports.text.untrusted import clean
from bringup.reports.xlsx import ops_matrix, ops_summary, sheets
from bringup.reports.xlsx.bulk_rows import BulkRows, CellStyle, edit_of
from bringup.reports.xlsx.sheets import Value, put

NAME = "models_op_per_op.xlsx"
_TABLE_ROW = 4  # two header lines and an empty one stay above every table
_NO_DATE = datetime(1980, 1, 1)


def write_ops_xlsx(folder: Path, models: Sequence[ModelOps]) -> Path:
    """Write `models_op_per_op.xlsx` into a folder.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(folder / NAME, render(models))


def render(models: Sequence[ModelOps]) -> bytes:
    """The whole file; the same models give the same bytes."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    shared = across(models)
    lead = made_text(models)
    summary = _sheet(workbook, "Summary", "Models, op by op", lead)
    ops_summary.write_summary(summary, _TABLE_ROW, models)
    bad = [SharedOp(tuple(u for u in s.uses if not is_good(u[1]))) for s in shared]
    title = "Ops below what their device can do, and wrong ones"
    below = _sheet(workbook, "All Ops", "All ops of all models", lead)
    low = _sheet(workbook, "All Ops (Not Executing)", title, lead)
    blocking = _sheet(workbook, "Ops by models blocked", "Ops by models they block", lead)
    matrix = _sheet(workbook, "Ops x models", ops_matrix.TITLE, lead)
    bulk = [
        _shared(below, shared),
        _shared(low, [s for s in bad if s.uses]),
        _shared(blocking, blockers(models)),
        ops_matrix.write_matrix(matrix, _TABLE_ROW, models),
    ]
    for model in models:
        where = f"{model.identity.key} · {model.made_text}"
        bulk.append(_model(_sheet(workbook, _tab(model), model.name, where), model))
    newest = max((m.source.header.created for m in models), default=None)
    return sheets.to_bytes(workbook, moment(newest) or _NO_DATE, edit_of(workbook, bulk))


def _tab(model: ModelOps) -> str:
    """The name of a model's sheet: as much of the model's as leaves room for its device's."""
    device = clean(model.identity.device) or "no device"
    room = max(sheets.LONGEST_NAME - len(device) - 1, 0)
    return f"{clean(model.name)[:room].rstrip()} {device}"


def _sheet(workbook: Workbook, name: str, title: str, lead: str) -> Any:
    sheet = sheets.add_sheet(workbook, name)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0  # as many pages as there are rows, one page wide
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    put(sheet, 1, 1, title, sheets.TITLE)
    put(sheet, 2, 1, lead, sheets.QUIET)
    return sheet


# --- ops -------------------------------------------------------------------------------------

_OP_STAGES = (
    Stage.TORCH_IR,
    Stage.TORCH_BACKEND_IR,
    Stage.STABLEHLO,
    Stage.COMPILE,
    Stage.EXECUTE,
)
"""The stages that an op goes through alone."""


def _stage_seconds(stage: Stage) -> Callable[[OpResult], Value]:
    def seconds(result: OpResult) -> Value:
        found = stage_of(result, stage)
        return None if found is None else _rounded(found.wall_s)

    return seconds


def _rounded(seconds: float | None) -> Value:
    return None if seconds is None else round(seconds, 6)


_COSTS: dict[str, Callable[[OpResult], Value]] = {
    "time s": lambda r: _rounded(seconds_of(r)),
    **{f"{stage.value} s": _stage_seconds(stage) for stage in _OP_STAGES},
    "CPU s": lambda r: _rounded(cpu_seconds_of(r)),
    "peak memory MiB": lambda r: mebibytes(peak_of(r)),
}
_OP_FORMATS = {
    "PCC": sheets.EVERY_DIGIT,
    "nodes": "#,##0",
    **{title: "0.0000" for title in _COSTS if title.endswith(" s")},
}


def _of_worst(value: Callable[[OpResult], Value]) -> Callable[[SharedOp], Value]:
    return lambda shared: value(shared.worst)


_SHARED: dict[str, Callable[[SharedOp], Value]] = {
    "op": lambda s: s.op.name,
    "device": lambda s: ", ".join(s.devices),
    "inputs": lambda s: shapes_text(s.op.inputs),
    "outputs": lambda s: shapes_text(s.op.outputs),
    "attributes": lambda s: attributes_text(s.op),
    "variants": lambda s: s.variants,
    "models": lambda s: len(s.models),
    "nodes": lambda s: s.nodes,
    "lowest status": lambda s: legend.status_text(s.worst.verdict.status),
    "outcome": lambda s: s.worst.verdict.outcome.value,
    "PCC": lambda s: metric_cell(s.pcc),
    "atol": lambda s: metric_cell(s.atol),
    "compared with": lambda s: compared_with(s.worst),
    "failing stage": lambda s: failing_stage(s.worst),
    "failure": lambda s: _whole_failure(s.worst),
    "fingerprint": lambda s: s.worst.verdict.fingerprint,
    **{title: _of_worst(value) for title, value in _COSTS.items()},
    "cached": lambda s: f"{s.hits}/{len(s.uses)}",
    "run its reproducer": lambda s: s.command,
    "model names": lambda s: ", ".join(s.models),
    "source": lambda s: s.op.source,
    "key": lambda s: s.op.key,
}
_OF_MODEL: dict[str, Callable[[OpResult], Value]] = {
    "global_op_idx": lambda r: r.index,
    "op": lambda r: r.verdict.op.name,
    "first node": lambda r: r.node,
    "inputs": lambda r: shapes_text(r.verdict.op.inputs),
    "outputs": lambda r: shapes_text(r.verdict.op.outputs),
    "attributes": lambda r: attributes_text(r.verdict.op),
    "num_ops": lambda r: r.count,
    "status": lambda r: legend.status_text(r.verdict.status),
    "outcome": lambda r: r.verdict.outcome.value,
    "PCC": lambda r: metric_cell(r.verdict.pcc),
    "atol": lambda r: metric_cell(r.verdict.atol),
    "compared with": compared_with,
    "failing stage": failing_stage,
    "failure": lambda r: _whole_failure(r),
    "fingerprint": lambda r: r.verdict.fingerprint,
    **_COSTS,
    "cached": cached_text,
    "computed in run": lambda r: r.verdict.origin,
    "computed at (UTC)": lambda r: moment(r.verdict.computed) if r.verdict.computed else None,
    "key": lambda r: r.verdict.op.key,
}


def _whole_failure(result: OpResult) -> str:
    """The failure's whole message: the sheet cuts what a cell cannot hold."""
    failure = result.verdict.failure
    return failure.message.strip() if failure else ""


def _shared(sheet: Any, shared: Sequence[SharedOp]) -> BulkRows:
    rows = [[sheets.none_if_empty(value(one)) for value in _SHARED.values()] for one in shared]
    return _ops_table(sheet, list(_SHARED), rows, [s.worst.verdict.outcome for s in shared])


def _model(sheet: Any, model: ModelOps) -> BulkRows:
    columns = _OF_MODEL | {"run its reproducer": partial(command_of, place=model.place)}
    rows = [[sheets.none_if_empty(value(op)) for value in columns.values()] for op in model.ops]
    made = _ops_table(sheet, list(columns), rows, [op.verdict.outcome for op in model.ops])
    sheet.freeze_panes = f"C{_TABLE_ROW + 1}"
    return made


_LONG = frozenset({"inputs", "outputs", "attributes", "failure", "fingerprint", "model names"})


def _ops_table(
    sheet: Any, titles: Sequence[str], rows: Sequence[Sequence[Value]], outcomes: Sequence[Outcome]
) -> BulkRows:
    """A filterable table of ops, each with its outcome's colour."""
    sheets.frame_table(sheet, _TABLE_ROW, titles, len(rows))
    styles = [CellStyle(_OP_FORMATS.get(t, ""), top=t == "failure") for t in titles]
    of_outcome = {
        outcome: [
            replace(style, tint=legend.OUTCOMES[outcome].tint) if title == "outcome" else style
            for title, style in zip(titles, styles, strict=True)
        ]
        for outcome in Outcome
    }
    made = BulkRows(sheet, _TABLE_ROW + 1)
    for values, outcome in zip(rows, outcomes, strict=True):
        made.add(values, of_outcome[outcome])
    for column, title in enumerate(titles):
        longest = max([len(title), *(_width(row[column]) for row in rows)])
        widest = {"widest": 48} if title in _LONG else {}
        sheets.fit_column(sheet, column + 1, longest, **widest)
    return made


def _width(value: Value) -> int:
    """Characters of a cell's first line."""
    if isinstance(value, datetime):
        return 16
    return 0 if value is None else len(str(value).partition("\n")[0])
