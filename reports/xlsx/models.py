# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run as a spreadsheet: `models.xlsx`, a row per (test, device) and figures to every digit."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from bringup.harness.records.metrics import titled
from bringup.harness.records.schema import Stage
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.model.run import Missing, Result, RunSummary
from bringup.reports.model.tally import Tally
from bringup.reports.text import legend
from bringup.reports.text.numbers import mebibytes, metric_cell, moment, moment_text
from bringup.reports.xlsx import legend_rows, sheets
from bringup.reports.xlsx.sheets import Value, put, put_header, put_share, put_table

NAME = "models.xlsx"
_TABLE_ROW = 5  # three header lines and an empty one stay above every table
_NO_DATE = datetime(1980, 1, 1)


def write_xlsx(run_dir: Path, run: RunSummary) -> Path:
    """Write `models.xlsx` into the run directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(run_dir / NAME, render(run))


def render(run: RunSummary) -> bytes:
    """The whole file; the same summary gives the same bytes."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    _summary(sheets.add_sheet(workbook, "Summary"), run)
    _models(sheets.add_sheet(workbook, "Models"), run)
    if run.anything_missing:
        _missing(sheets.add_sheet(workbook, "Missing"), run)
    if run.moves is not None:
        _moves(sheets.add_sheet(workbook, "Proposed list moves"), run)
    return sheets.to_bytes(workbook, moment(run.header.created) or _NO_DATE)


def _heading(sheet: Any, run: RunSummary, title: str) -> None:
    header, origin = run.header, run.origin
    put(sheet, 1, 1, f"{title}: {header.session} {header.run_id}", sheets.TITLE)
    where = f"{moment_text(header.created)} · {origin.commit_text}"
    put(sheet, 2, 1, where + (f" · on {', '.join(origin.hosts)}" if origin.hosts else ""))
    put(sheet, 3, 1, origin.versions_text, sheets.QUIET)


# --- Summary ---------------------------------------------------------------------------------

_SHARES: dict[str, Callable[[Tally], Any]] = {
    "good": lambda tally: tally.good,
    "compiled": lambda tally: tally.compiled,
    "executed": lambda tally: tally.executed,
    "reported": lambda tally: tally.arrived,
}


def _summary(sheet: Any, run: RunSummary) -> None:
    _heading(sheet, run, "Summary")
    shares = [title for name in _SHARES for title in (name, f"{name} %")]
    titles = ["device", "planned", "missing", *(o.value for o in legend.OUTCOMES), *shares]
    put_header(sheet, _TABLE_ROW, titles)
    tallies = (*run.tallies, run.overall)
    for row, tally in enumerate(tallies, start=_TABLE_ROW + 1):
        _tally(sheet, row, tally)
    sheets.fit_columns(sheet, _TABLE_ROW)
    sheet.column_dimensions["A"].width = 36
    sheet.freeze_panes = f"B{_TABLE_ROW + 1}"
    parts = {
        "Outcome": legend_rows.OUTCOMES | {legend.NO_RECORD: legend.NO_RECORD_MEANING},
        "Status": legend_rows.STATUSES,
        "Model status": {s.value: meaning for s, meaning in legend.MODEL_STATUSES.items()},
        "Figures": legend.FIGURES,
    }
    legend_rows.put_legend(sheet, _TABLE_ROW + len(tallies) + 2, parts)


def _tally(sheet: Any, row: int, tally: Tally) -> None:
    put(sheet, row, 1, tally.device, sheets.BOLD)
    put(sheet, row, 2, tally.planned)
    missing = put(sheet, row, 3, tally.planned - tally.reported)
    if tally.planned > tally.reported:
        missing.fill = PatternFill("solid", fgColor=sheets.percent_colour(0))
    for column, (outcome, style) in enumerate(legend.OUTCOMES.items(), start=4):
        count = tally.counts.get(outcome, 0)
        cell = put(sheet, row, column, count)
        cell.number_format = sheets.COUNT
        if count:
            cell.fill = PatternFill("solid", fgColor=style.tint)
    first = 4 + len(legend.OUTCOMES)
    for offset, share in enumerate(_SHARES.values()):
        put_share(sheet, row, first + 2 * offset, share(tally))


# --- Models ----------------------------------------------------------------------------------

Column = Callable[[Result], Value]


def _columns() -> dict[str, Column]:
    """Every column by its title; a new metric or stage has its own."""
    metrics = {f"worst {kind.title}": _metric(kind.name) for kind in titled()}
    stages = {f"{stage.value} s": _stage_seconds(stage) for stage in Stage}
    return _WHAT_CAME_OF_IT | metrics | _WHY | stages | _HOW


def _metric(name: str) -> Column:
    return lambda result: metric_cell(result.record.metric(name))


def _stage_seconds(stage: Stage) -> Column:
    return lambda result: result.stage_seconds(stage)


_WHAT_CAME_OF_IT: dict[str, Column] = {
    "model": lambda r: r.identity.model,
    "variant": lambda r: r.identity.variant,
    "flow": lambda r: r.identity.flow,
    "mode": lambda r: r.identity.mode,
    "framework": lambda r: r.identity.framework,
    "device": lambda r: r.identity.device,
    "outcome": lambda r: r.record.outcome.value,
    "status": lambda r: legend.status_text(r.record.status),
    "model status": lambda r: r.record.model_status.value,
}
_WHY: dict[str, Column] = {
    "failing stage": lambda r: r.failing_stage,
    "failure": lambda r: r.failure_line,
    "total s": lambda r: r.seconds,
}
_HOW: dict[str, Column] = {
    "peak memory MiB": lambda r: mebibytes(r.record.peak_rss),
    "depth": lambda r: r.record.depth,
    "started UTC": lambda r: moment(r.record.started),
    "attempts": lambda r: len(r.earlier) + 1,
    "list": lambda r: r.list_name,
    "model name": lambda r: r.record.model_name,
    "group": lambda r: r.record.model_group,
    "parameters": lambda r: r.record.parameters,
    "pytest id": lambda r: r.record.nodeid,
    "run it again": lambda r: r.command,
}


def _formats() -> dict[str, str]:
    """Number formats by title: of ratios every digit, as 0.99 and 0.989999 are two things."""
    ratios = {f"worst {kind.title}": sheets.EVERY_DIGIT for kind in titled() if not kind.unit}
    seconds = {f"{name} s": sheets.SECONDS for name in ("total", *Stage)}
    return {**ratios, **seconds, "parameters": "#,##0"}


def _models(sheet: Any, run: RunSummary) -> None:
    _heading(sheet, run, "Models")
    columns = _columns()
    titles = list(columns)
    rows = [[sheets.none_if_empty(value(r)) for value in columns.values()] for r in run.results]
    put_table(sheet, _TABLE_ROW, titles, rows, _formats())
    for row, result in enumerate(run.results, start=_TABLE_ROW + 1):
        tint = legend.OUTCOMES[result.record.outcome].tint
        outcome = sheet.cell(row, titles.index("outcome") + 1)
        outcome.fill = PatternFill("solid", fgColor=tint)
    for title in ("failure", "run it again"):
        sheet.column_dimensions[get_column_letter(titles.index(title) + 1)].width = 60


# --- Missing, Proposed list moves ------------------------------------------------------------


def _missing(sheet: Any, run: RunSummary) -> None:
    _heading(sheet, run, "Planned minus reported")
    for row, sentence in enumerate(run.gaps, start=_TABLE_ROW):
        put(sheet, row, 1, sentence, sheets.BOLD)
    row = _TABLE_ROW + len(run.gaps) + bool(run.gaps)
    put_table(sheet, row, _MISSING_TITLES, [_missing_row(one) for one in run.missing])


_MISSING_TITLES = (
    "model",
    "variant",
    "flow",
    "mode",
    "framework",
    "device",
    "outcome",
    "why",
    "list",
    "pytest id",
)


def _missing_row(one: Missing) -> list[Value]:
    identity = one.identity
    return [
        identity.model,
        identity.variant,
        identity.flow,
        identity.mode,
        identity.framework,
        identity.device,
        one.result.record.outcome.value if one.result else legend.NO_RECORD,
        one.reason,
        one.list_name,
        one.nodeid,
    ]


def _moves(sheet: Any, run: RunSummary) -> None:
    _heading(sheet, run, "Proposed list moves")
    rows = [[m.move, m.test, m.device, m.list, m.reason] for m in run.moves or ()]
    put_table(sheet, _TABLE_ROW, ("move", "test", "device", "list", "reason"), rows)
