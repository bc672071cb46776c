# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run as a spreadsheet: `models.xlsx`, a row per (test, device) and figures to every digit."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl.styles import PatternFill

from bringup.harness.records.metrics import titled
from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Estimate, Shown, Stage, Status
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.addresses import Addresses, page_of
from bringup.reports.model.past import statuses_by_night
from bringup.reports.model.run import Missing, Result, RunSummary
from bringup.reports.model.tally import Tally
from bringup.reports.text import legend, shown
from bringup.reports.text.numbers import mebibytes, metric_cell, moment, moment_text
from bringup.reports.xlsx import (
    charts,
    estimate_matrix,
    legend_rows,
    link_columns,
    sheets,
    what_changed,
)
from bringup.reports.xlsx.book import Book, Frame, Line
from bringup.reports.xlsx.bulk_rows import Cell, Column, Table
from bringup.reports.xlsx.cell_styles import BOLD_STYLE, CellStyle
from bringup.reports.xlsx.hyperlinks import Link
from bringup.reports.xlsx.sheets import put, put_header, put_share

NAME = "models.xlsx"
_TABLE_ROW = 5  # three header lines and an empty one stay above every table
_NO_DATE = datetime(1980, 1, 1)


def write_xlsx(run_dir: Path, run: RunSummary, addresses: Addresses) -> Path:
    """Write `models.xlsx` into the run directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(run_dir / NAME, render(run, addresses))


def render(run: RunSummary, addresses: Addresses) -> bytes:
    """The whole file; the same summary gives the same bytes."""
    book = Book()
    changed, summary = book.sheet(what_changed.NAME), book.sheet("Summary")
    models = book.sheet("Models")
    missing = book.sheet("Missing") if run.anything_missing else None
    moves = book.sheet("Proposed list moves") if run.moves is not None else None
    estimates = book.sheet(estimate_matrix.NAME) if run.any_estimates else None
    what_changed.write_what_changed(book, changed, run, addresses)
    _summary(summary, run)
    _models(book, models, run, addresses)
    if missing is not None:
        _missing(book, missing, run)
    if moves is not None:
        table = Table([Column(title, value) for title, value in _MOVES.items()])
        with book.bulk(
            moves, _frame(run, "Proposed list moves", len(run.moves or ())), table
        ) as rows:
            for move in run.moves or ():
                rows.add(move)
    if estimates is not None:
        estimate_matrix.write_matrix(
            book, estimates, run, _frame(run, estimate_matrix.TITLE, len(run.grid))
        )
    return book.to_bytes(moment(run.header.created) or _NO_DATE)


def _frame(run: RunSummary, title: str, rows: int, above: int = 0) -> Frame:
    header = run.header
    whole = f"{title}: {header.session} {header.run_id}"
    return Frame(whole, _lead(run), _TABLE_ROW + above, rows, frozen=0 if above else 1)


def _lead(run: RunSummary) -> list[str]:
    where = f"{moment_text(run.header.created)} · {run.origin.commit_text}"
    hosts = f" · on {', '.join(run.origin.hosts)}" if run.origin.hosts else ""
    return [where + hosts, run.origin.versions_text]


# --- Summary ---------------------------------------------------------------------------------

_SHARES: dict[str, Callable[[Tally], Any]] = {
    "good": lambda tally: tally.good,
    "compiled": lambda tally: tally.compiled,
    "executed": lambda tally: tally.executed,
    "reported": lambda tally: tally.arrived,
}


def _summary(sheet: Any, run: RunSummary) -> None:
    put(sheet, 1, 1, f"Summary: {run.header.session} {run.header.run_id}", sheets.TITLE)
    for row, line in enumerate(_lead(run), start=2):
        put(sheet, row, 1, line, sheets.QUIET)
    shares = [title for name in _SHARES for title in (name, f"{name} %")]
    titles = ["device", "planned", "missing", *(o.value for o in legend.OUTCOMES), *shares]
    put_header(sheet, _TABLE_ROW, titles)
    tallies = (*run.tallies, run.overall)
    for row, tally in enumerate(tallies, start=_TABLE_ROW + 1):
        _tally(sheet, row, tally)
    sheets.fit_columns(sheet, _TABLE_ROW)
    sheet.column_dimensions["A"].width = 36
    sheet.freeze_panes = f"B{_TABLE_ROW + 1}"
    row = _charts(sheet, _TABLE_ROW + len(tallies) + 2, len(titles) + 2, run)
    parts = {
        "Outcome": legend_rows.OUTCOMES | {legend.NO_RECORD: legend.NO_RECORD_MEANING},
        "Status": legend_rows.STATUSES,
        "Model status": {s.value: meaning for s, meaning in legend.MODEL_STATUSES.items()}
        | legend.REACHED_STATUS,
        "Figures": legend.FIGURES,
    }
    last = legend_rows.put_legend(sheet, row, parts)
    sheets.print_whole(sheet, _TABLE_ROW, sheets.letter(len(titles)), last)


def _charts(sheet: Any, row: int, beside: int, run: RunSummary) -> int:
    """How far tests got on each device, and what of each model compiled and ran."""
    reached = {device: [0] * len(Status) for device in run.devices}
    for result in run.results:
        reached[result.identity.device][result.record.status] += 1
    series = dict(zip(legend_rows.STATUSES, charts.STATUS_COLOURS, strict=True))
    title = "Tests by the status they reached"
    charts.put_counts(sheet, row, beside, "device", title, reached, series)
    row += charts.ROWS
    if run.trends and len(run.trends.nights) > 1:
        by_night = statuses_by_night(run.trends)
        title = "Tests by the status they reached, night by night"
        charts.put_counts(sheet, row, beside, "night", title, by_night, series)
        row += max(charts.ROWS, len(by_night) + 2)
    progress = [charts.Progress(t.device, t.compiled, t.executed) for t in run.by_model]
    charts.put_progress(sheet, row, beside, "model", progress)
    return row + charts.ROWS


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

Value = Callable[[Result], Cell]


def _columns(addresses: Addresses, *, estimates: bool, said: bool) -> dict[str, Value]:
    """Every column by its title; a new metric or stage has its own."""
    metrics = {f"worst {kind.title}": _metric(kind.name) for kind in titled()}
    stages = {f"{stage.value} s": _stage_seconds(stage) for stage in Stage}
    page: dict[str, Value] = {
        "page": lambda r: Link("page", addresses.of(addresses.folder, page_of(r.identity)))
    }
    texts = {title: _text(title, addresses) for title in link_columns.TITLES}
    taken = _TAKES if estimates else {}
    return (
        _WHAT_CAME_OF_IT
        | metrics
        | (_SAID if said else {})
        | _WHY
        | page
        | taken
        | texts
        | stages
        | _HOW
    )


def _metric(name: str) -> Value:
    return lambda result: metric_cell(result.record.metric(name))


def _stage_seconds(stage: Stage) -> Value:
    return lambda result: result.stage_seconds(stage)


def _text(title: str, addresses: Addresses) -> Value:
    def link(result: Result) -> Cell:
        texts, good = link_columns.by_level(result.record), result.good
        return link_columns.text_link(title, texts, addresses.folder, addresses, good=good)

    return link


_WHAT_CAME_OF_IT: dict[str, Value] = {
    "model": lambda r: r.identity.model,
    "variant": lambda r: r.identity.variant,
    "flow": lambda r: r.identity.flow,
    "mode": lambda r: r.identity.mode,
    "framework": lambda r: r.identity.framework,
    "device": lambda r: r.identity.device,
    "outcome": lambda r: r.record.outcome.value,
    "status": lambda r: legend.status_text(r.record.status),
    "model status": lambda r: legend.model_status_text(
        r.record.outcome, r.record.status, r.record.model_status
    ),
}
_SAID: dict[str, Value] = {
    "task metric": lambda r: next((s.name for s in _measured(r)), None),
    "measured": lambda r: next((metric_cell(s.number) for s in _measured(r)), None),
    "said": lambda r: shown.line(s for s in r.record.shown if s not in [*_measured(r)][:1]),
}
"""The first metric of a task, and in words what else a test made of the outputs."""


def _measured(result: Result) -> Iterator[Shown]:
    return (one for one in result.record.shown if one.number is not None)


_WHY: dict[str, Value] = {
    "failing stage": lambda r: r.failing_stage,
    "failure": lambda r: r.failure_line,
    "total s": lambda r: r.seconds,
}
_TAKES: dict[str, Value] = {
    "fits": lambda r: estimate_matrix.fits_text(r.record.estimate),
    "needs MiB": lambda r: _taken(r, lambda e: mebibytes(e.memory.needed)),
    "of MiB": lambda r: _taken(r, lambda e: mebibytes(e.memory.available)),
    "estimate s": lambda r: _taken(r, lambda e: e.seconds),
    "bound by": lambda r: _taken(r, lambda e: e.bound.value if e.bound else None),
    "GFLOP": lambda r: _taken(r, lambda e: e.flops / 1e9),
    "traffic MB": lambda r: _taken(r, lambda e: e.bytes / 1e6),
}
"""Of devices that are compiled for; an estimate and no measurement."""


def _taken(result: Result, figure: Callable[[Estimate], Cell]) -> Cell:
    one = result.record.estimate
    return None if one is None else figure(one)


_HOW: dict[str, Value] = {
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
    digits = dict.fromkeys(("measured", "estimate s", "GFLOP", "traffic MB"), sheets.EVERY_DIGIT)
    return {**ratios, **seconds, **digits, "parameters": "#,##0"}


_WIDTHS = {
    **dict.fromkeys(("failure", "run it again", "pytest id", "said"), 60),
    **dict.fromkeys(("model", "variant", "list", "model name"), 28),
    **dict.fromkeys(("status", "model status"), 30),
    **dict.fromkeys(("worst PCC", "started UTC", *link_columns.TITLES), 20),
}


def _models(book: Book, sheet: Any, run: RunSummary, addresses: Addresses) -> None:
    formats = _formats()
    table = Table(
        [
            Column(title, value, CellStyle(formats.get(title, "")), _WIDTHS.get(title, 0))
            for title, value in _columns(
                addresses, estimates=run.any_estimates, said=bool(run.shown)
            ).items()
        ]
    )
    with book.bulk(sheet, _frame(run, "Models", len(run.results)), table) as rows:
        for result in run.results:
            rows.add(result, "outcome", legend.OUTCOMES[result.record.outcome].tint)


# --- Missing, Proposed list moves ------------------------------------------------------------


def _missing(book: Book, sheet: Any, run: RunSummary) -> None:
    above: list[Line] = [([], []), *(([sentence], [BOLD_STYLE]) for sentence in run.gaps), ([], [])]
    table = Table([Column(t, value, width=_WIDTHS.get(t, 0)) for t, value in _MISSING.items()])
    frame = _frame(run, "Planned minus reported", len(run.missing), len(run.gaps) + 1)
    with book.bulk(sheet, frame, table, above) as rows:
        for one in run.missing:
            rows.add(one)


_MISSING: dict[str, Callable[[Missing], Cell]] = {
    "model": lambda m: m.identity.model,
    "variant": lambda m: m.identity.variant,
    "flow": lambda m: m.identity.flow,
    "mode": lambda m: m.identity.mode,
    "framework": lambda m: m.identity.framework,
    "device": lambda m: m.identity.device,
    "outcome": lambda m: m.result.record.outcome.value if m.result else legend.NO_RECORD,
    "why": lambda m: m.reason,
    "list": lambda m: m.list_name,
    "pytest id": lambda m: m.nodeid,
}
_MOVES: dict[str, Callable[[Move], Cell]] = {
    "move": lambda m: m.move,
    "test": lambda m: m.test,
    "device": lambda m: m.device,
    "list": lambda m: m.list,
    "reason": lambda m: m.reason,
}
