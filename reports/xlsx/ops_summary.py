# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "Summary" of models op by op: a row per test, and what the figures mean."""

from collections.abc import Callable, Sequence
from typing import Any

from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from bringup.harness.records.schema import GOOD, Status
from bringup.reports.addresses import Addresses, page_of
from bringup.reports.model.headline import counted
from bringup.reports.model.ops import ModelOps
from bringup.reports.text import legend
from bringup.reports.text.numbers import Share, moment
from bringup.reports.xlsx import charts, link_columns, sheets
from bringup.reports.xlsx.hyperlinks import Link, to_sheet
from bringup.reports.xlsx.legend_rows import OUTCOMES, STATUSES, put_legend
from bringup.reports.xlsx.sheets import Value, put, put_header, put_share

FIGURES: dict[str, str] = {
    "0 to 7": "Unique ops that ended at this status.",
    "total": "Unique ops: first seen of each name, types and attributes. All that were found, "
    "begun or not.",
    "never begun": "Of these, ops that the test did not get to before it ended; at status 0.",
    "nodes": "Ops of the graph, repetitions included.",
    "good": "Unique ops at their device's top and not wrong, of all.",
    "compiled": "Unique ops at status 6 or 7, of all.",
    "executed": "Unique ops at status 7, of those that were to execute; n/a where a device "
    "only compiles.",
    "unknown errors": "Ops that crashed, were killed, or failed without naming a stage.",
    "timeouts": "Ops that ran past their deadline.",
    "not compared": "Unique ops that were executed and that nobody had a golden for.",
    "cached": "Unique ops whose verdict was computed by an earlier run.",
}


_NAMES: dict[str, Callable[[ModelOps], Value]] = {
    "model": lambda m: m.name,
    "test": lambda m: m.identity.shown,
    "device": lambda m: m.identity.device,
    "group": lambda m: m.source.record.model_group,
    "outcome": lambda m: m.record.outcome.value,
}
_COUNTS: dict[str, Callable[[ModelOps], int]] = {
    "never begun": lambda m: m.unbegun,
    "unknown errors": lambda m: m.unknown_errors,
    "timeouts": lambda m: m.timeouts,
    "not compared": lambda m: m.uncompared,
    "cached": lambda m: m.hits,
    "nodes": lambda m: m.nodes,
}
_SHARES: dict[str, Callable[[ModelOps], Share]] = {
    "good": lambda m: m.good,
    "compiled to TTNN": lambda m: m.compiled,
    "executed": lambda m: m.executed,
}
_TITLES = (
    *_NAMES,
    *(legend.status_text(status).replace(": ", "\n").replace("_", " ") for status in Status),
    "total",
    *(title for name in _SHARES for title in (name, f"{name} %")),
    *_COUNTS,
    "run",
    "run of (UTC)",
    "page",
    *link_columns.TITLES,
)
_LINKS = 1 + len(link_columns.TITLES)
"""Columns at the end."""


def write_summary(
    sheet: Any,
    header_row: int,
    models: Sequence[ModelOps],
    own: Sequence[Any],
    addresses: Addresses,
) -> None:
    """Write the table from `header_row` on, its totals, charts, and the legend below.

    `own` are the models' sheets, which the rows lead to.
    """
    put_header(sheet, header_row, _TITLES)
    for row, (model, target) in enumerate(zip(models, own, strict=True), start=header_row + 1):
        for column, name in enumerate(_NAMES.values(), start=1):
            put(sheet, row, column, name(model), sheets.BOLD if column == 1 else None)
        sheets.link(sheet.cell(row, 1), to_sheet("", target.title).target)
        tint = legend.OUTCOMES[model.record.outcome].tint
        sheet.cell(row, len(_NAMES)).fill = PatternFill("solid", fgColor=tint)
        _figures(sheet, row, [model])
        header = model.source.header
        put(sheet, row, len(_TITLES) - _LINKS - 1, header.run_id)
        put(sheet, row, len(_TITLES) - _LINKS, moment(header.created))
        _addresses(sheet, row, model, addresses)
    totals = header_row + len(models) + 1
    put(sheet, totals, 1, f"all {len(models)}", sheets.BOLD)
    _figures(sheet, totals, models)
    sheets.fit_columns(sheet, header_row)
    for column in range(len(_NAMES) + 1, len(_TITLES) - _LINKS - 1):
        sheet.column_dimensions[get_column_letter(column)].width = 13
    sheet.row_dimensions[header_row].height = 62
    last = get_column_letter(len(_TITLES))
    sheet.auto_filter.ref = f"A{header_row}:{last}{totals - 1}"
    sheet.freeze_panes = f"B{header_row + 1}"
    row = _below(sheet, totals + 2, models)
    row = _legend(sheet, row)
    sheets.print_whole(sheet, header_row, last, row)


def _addresses(sheet: Any, row: int, model: ModelOps, addresses: Addresses) -> None:
    """Where the test and its ops can be read, and what the test itself left."""
    run_dir, column = model.source.run_dir, len(_TITLES) - len(link_columns.TITLES)
    if page := addresses.of(run_dir, page_of(model.identity)):
        sheets.link(put(sheet, row, column, "page"), page)
    texts, good = link_columns.by_level(model.record), model.record.outcome in GOOD
    for offset, title in enumerate(link_columns.TITLES, start=1):
        cell = link_columns.text_link(title, texts, run_dir, addresses, good=good)
        if isinstance(cell, Link):
            sheets.link(put(sheet, row, column + offset, cell.text), cell.target)


def _below(sheet: Any, row: int, models: Sequence[ModelOps]) -> int:
    """The totals that people quote, and two charts; gives the row after the last."""
    totals = {
        "models total": len(models),
        "fully compiling": sum(1 for m in models if _is_full(m.compiled)),
        "fully executing": sum(1 for m in models if _is_full(m.executed)),
    }
    put(sheet, row, 1, "Totals", sheets.BOLD)
    for offset, (name, count) in enumerate(totals.items(), start=1):
        put(sheet, row + offset, 1, name)
        put(sheet, row + offset, 2, count, sheets.BOLD)
    devices = sorted({model.identity.device for model in models})
    names = len({model.name for model in models})
    of = f"tests of {counted(names, 'model')} on {counted(len(devices), 'device')}"
    put(sheet, row + 1, 3, of, sheets.QUIET)
    row += len(totals) + 2
    statuses = {
        device: [sum(m.statuses[s] for m in models if m.identity.device == device) for s in Status]
        for device in devices
    }
    series = dict(zip((legend.status_text(s) for s in Status), charts.STATUS_COLOURS, strict=True))
    beside = len(_TITLES) + 2
    title = "Unique ops by the status they reached"
    charts.put_counts(sheet, row, beside, "device", title, statuses, series, "ops")
    row += charts.ROWS
    progress = [
        charts.Progress(f"{m.name} {m.identity.device}", m.compiled, m.executed) for m in models
    ]
    charts.put_progress(sheet, row, beside, "model", progress)
    return row + charts.ROWS


def _is_full(share: Share) -> bool:
    return share.whole > 0 and share.part == share.whole


def _figures(sheet: Any, row: int, models: Sequence[ModelOps]) -> None:
    """Counts and shares of one model, or of all together."""
    column = len(_NAMES) + 1
    for status in Status:
        count = sum(m.statuses[status] for m in models)
        put(sheet, row, column + status, count).number_format = sheets.COUNT
    column += len(Status)
    put(sheet, row, column, sum(m.found for m in models), sheets.BOLD)
    for offset, share in enumerate(_SHARES.values()):
        shares = [share(model) for model in models]
        together = Share(sum(s.part for s in shares), sum(s.whole for s in shares))
        put_share(sheet, row, column + 1 + 2 * offset, together)
    for offset, count_of in enumerate(_COUNTS.values(), start=column + 1 + 2 * len(_SHARES)):
        cell = put(sheet, row, offset, sum(map(count_of, models)))
        cell.number_format = sheets.COUNT


def _legend(sheet: Any, row: int) -> int:
    parts = {"Status": STATUSES, "Outcome": OUTCOMES, "Figures": FIGURES}
    row = put_legend(sheet, row, parts)
    put(sheet, row, 1, "Percent", sheets.BOLD)
    bands = {"100 %": 100, "80 % and more": 80, "50 % and more": 50, "below 50 %": 0}
    for offset, (band, percent) in enumerate(bands.items(), start=1):
        cell = put(sheet, row + offset, 1, band)
        cell.fill = PatternFill("solid", fgColor=sheets.percent_colour(percent))
    first = sheet.column_dimensions["A"]
    names = (name for meanings in parts.values() for name in meanings)
    first.width = max(first.width, *(len(name) + 3 for name in names))
    return row + len(bands) + 1
