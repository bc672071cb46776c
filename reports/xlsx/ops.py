# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops of many models as a spreadsheet: `models_op_per_op.xlsx`."""

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import OpResult, Outcome, Status
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.addresses import Addresses
from bringup.reports.model.coverage import coverage
from bringup.reports.model.ops import ModelOps, SharedOp, across, blockers, made_text
from bringup.reports.text import legend
from bringup.reports.text.numbers import moment
from bringup.reports.text.untrusted import clean
from bringup.reports.xlsx import ops_coverage, ops_matrix, ops_summary, sheets
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import BulkRows, Table
from bringup.reports.xlsx.cell_styles import HEAD_STYLE, CellStyle
from bringup.reports.xlsx.op_columns import OpColumns, Row
from bringup.reports.xlsx.sheets import put

NAME = "models_op_per_op.xlsx"
_TABLE_ROW = 4  # two header lines and an empty one stay above every table
_NO_DATE = datetime(1980, 1, 1)
_UNDER = len(Status) + 4
"""Rows that the totals under a table take."""
T = TypeVar("T")


def write_ops_xlsx(
    folder: Path, models: Sequence[ModelOps], addresses: Addresses, devices: Sequence[str] = ()
) -> Path:
    """Write `models_op_per_op.xlsx` into a folder; `devices` are those that may have seen nothing.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(folder / NAME, render(models, addresses, devices))


def render(models: Sequence[ModelOps], addresses: Addresses, devices: Sequence[str] = ()) -> bytes:
    """The whole file; the same models, linked to from the same folder, give the same bytes."""
    book = Book()
    lead = made_text(models)
    shared = across(models)
    bad = [SharedOp(uses) for s in shared if (uses := _bad_uses(s))]
    summary = _headed(book, "Summary", "Models, op by op", lead)
    below = "Ops below what their device can do, and wrong ones"
    tables = [
        *_tables(book, "All Ops", "All ops of all models", shared),
        *_tables(book, "All Ops (Not Executing)", below, bad),
        *_tables(book, "Ops by models blocked", "Ops by models they block", blockers(models)),
    ]
    matrix = book.sheet("Ops x models")
    seen = book.sheet(ops_coverage.NAME)
    own = [book.sheet(_tab(model)) for model in models]
    tabs = {id(model): sheet.title for model, sheet in zip(models, own, strict=True)}
    columns = OpColumns(addresses, tabs)
    table = columns.shared_table()
    ops_summary.write_summary(summary, _TABLE_ROW, models, own, addresses)
    for sheet, title, rows in tables:
        _write_shared(
            *(book, sheet, Frame(title, [lead], _TABLE_ROW, len(rows), _UNDER, frozen=2)),
            *(table, columns, rows),
        )
    ops_matrix.write_matrix(book, matrix, lead, _TABLE_ROW, models)
    ops_coverage.write_coverage(book, seen, lead, _TABLE_ROW, coverage(models, devices))
    _write_models(book, own, models, columns)
    newest = max((m.source.header.created for m in models), default=None)
    return book.to_bytes(moment(newest) or _NO_DATE)


def _bad_uses(shared: SharedOp) -> tuple[tuple[ModelOps, OpResult], ...]:
    return tuple(use for use in shared.uses if not is_good(use[1]))


def _tab(model: ModelOps) -> str:
    """The name of a model's sheet: as much of the model's as leaves room for its device's."""
    device = clean(model.identity.device) or "no device"
    room = max(sheets.LONGEST_NAME - sheets.units(device) - 1, 0)
    return f"{sheets.shortened(clean(model.name), room).rstrip()} {device}"


def _headed(book: Book, name: str, title: str, lead: str) -> Any:
    sheet = book.sheet(name)
    put(sheet, 1, 1, title, sheets.TITLE)
    put(sheet, 2, 1, lead, sheets.QUIET)
    return sheet


def _tables(
    book: Book, name: str, title: str, rows: Sequence[T], most: int = 0
) -> Iterator[tuple[Any, str, Sequence[T]]]:
    """A sheet, or as many as the rows need; `most` rows to a sheet, 0: what a sheet can hold."""
    most = most or sheets.LAST_ROW - _TABLE_ROW - _UNDER
    for first in range(0, max(len(rows), 1), most):
        part = rows[first : first + most]
        said = title if len(part) == len(rows) else f"{title}, from number {first + 1:,} on"
        yield book.sheet(name), said, part


# --- sheets ----------------------------------------------------------------------------------


def _tint(outcome: Outcome) -> str:
    return legend.OUTCOMES[outcome].tint


def _write_shared(
    book: Book,
    sheet: Any,
    frame: Frame,
    table: Table[Row],
    columns: OpColumns,
    ops: Sequence[SharedOp],
) -> None:
    """A filterable table of ops, each with its outcome's colour, and its totals by status."""
    with book.bulk(sheet, frame, table) as rows:
        for one in ops:
            rows.add(columns.row(one), "outcome", _tint(one.worst.verdict.outcome))
        _write_totals(rows, ops)


def _write_totals(rows: BulkRows[Row], ops: Sequence[SharedOp]) -> None:
    """How many ops stopped at each status, at the worst of their uses; and what has no link."""
    rows.line([])
    rows.line(["lowest status", "ops", "nodes"], [HEAD_STYLE] * 3)
    counts, nodes = dict.fromkeys(Status, 0), dict.fromkeys(Status, 0)
    for one in ops:
        status = one.worst.verdict.status
        counts[status] += 1
        nodes[status] += one.nodes
    for status in Status:
        rows.line([legend.status_text(status), counts[status], nodes[status]])
    bold = CellStyle(bold=True)
    rows.line(["all", len(ops), sum(nodes.values())], [bold] * 3)
    if left_out := rows.links.left_out:
        said = (
            f"{left_out:,} cells have no link: a sheet has room for 65,530; the model's sheet has"
        )
        rows.line([said], [CellStyle(quiet=True)])


def _write_models(
    book: Book, own: Sequence[Any], models: Sequence[ModelOps], columns: OpColumns
) -> None:
    table = columns.model_table()
    for sheet, model in zip(own, models, strict=True):
        where = f"{model.identity.key} · {model.made_text}"
        frame = Frame(model.name, [where], _TABLE_ROW, len(model.ops), frozen=2)
        with book.bulk(sheet, frame, table) as rows:
            for result in model.ops:
                verdict = result.verdict
                like: Hashable = (verdict.op.key, verdict.device, model.source.run_dir)
                tint = _tint(verdict.outcome)
                rows.add(columns.use(model, result), "outcome", tint, like, verdict)
