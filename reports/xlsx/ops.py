# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops of many models as a spreadsheet: `models_op_per_op.xlsx`."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import OpResult, Outcome, Stage, Status
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.addresses import Addresses, page_of
from bringup.reports.model.coverage import coverage
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
from bringup.reports.xlsx import link_columns, ops_coverage, ops_matrix, ops_summary, sheets
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import BulkRows, Cell, Column, Table
from bringup.reports.xlsx.cell_styles import HEAD_STYLE, CellStyle
from bringup.reports.xlsx.hyperlinks import Link
from bringup.reports.xlsx.sheets import Value, put

NAME = "models_op_per_op.xlsx"
_TABLE_ROW = 4  # two header lines and an empty one stay above every table
_NO_DATE = datetime(1980, 1, 1)
_UNDER = len(Status) + 4
"""Rows that the totals under a table take."""
T = TypeVar("T")


class Use:
    """An op of a model: one row of a model's sheet."""

    def __init__(self, model: ModelOps, result: OpResult) -> None:
        self.model = model
        self.result = result
        self._texts: link_columns.Texts | None = None

    @property
    def texts(self) -> link_columns.Texts:
        """What it left, by level."""
        if self._texts is None:
            self._texts = link_columns.by_level(self.result.verdict)
        return self._texts


class Row:
    """An op of many models: one row of a sheet of all ops."""

    def __init__(self, shared: SharedOp) -> None:
        self.shared = shared
        self.worst = Use(shared.worst_model, shared.worst)


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
    table = _shared_table(addresses)
    tables = [
        *_tables(book, "All Ops", "All ops of all models", shared),
        *_tables(book, "All Ops (Not Executing)", below, bad),
        *_tables(book, "Ops by models blocked", "Ops by models they block", blockers(models)),
    ]
    matrix = book.sheet("Ops x models")
    seen = book.sheet(ops_coverage.NAME)
    own = [book.sheet(_tab(model)) for model in models]
    ops_summary.write_summary(summary, _TABLE_ROW, models, own, addresses)
    for sheet, title, rows in tables:
        _write_shared(
            book, sheet, Frame(title, [lead], _TABLE_ROW, len(rows), _UNDER, frozen=2), table, rows
        )
    ops_matrix.write_matrix(book, matrix, lead, _TABLE_ROW, models)
    ops_coverage.write_coverage(book, seen, lead, _TABLE_ROW, coverage(models, devices))
    _write_models(book, own, models, addresses)
    newest = max((m.source.header.created for m in models), default=None)
    return book.to_bytes(moment(newest) or _NO_DATE)


def _bad_uses(shared: SharedOp) -> tuple[tuple[ModelOps, OpResult], ...]:
    return tuple(use for use in shared.uses if not is_good(use[1]))


def _tab(model: ModelOps) -> str:
    """The name of a model's sheet: as much of the model's as leaves room for its device's."""
    device = clean(model.identity.device) or "no device"
    room = max(sheets.LONGEST_NAME - len(device) - 1, 0)
    return f"{clean(model.name)[:room].rstrip()} {device}"


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


# --- columns ---------------------------------------------------------------------------------

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
_WIDTHS = {
    **dict.fromkeys(("op", "Ops", "inputs", "outputs", "first node"), 30),
    **dict.fromkeys(("failure", "fingerprint", "run its reproducer", "model names"), 48),
    **dict.fromkeys(("status", "lowest status"), 28),
    **dict.fromkeys(link_columns.TITLES, 18),
    **dict.fromkeys(("computed at (UTC)", "attributes", "key"), 21),
}


def _column(title: str, value: Callable[[T], Cell], *, own: bool = False) -> Column[T]:
    style = CellStyle(_OP_FORMATS.get(title, ""), top=title == "failure")
    return Column(title, value, style, _WIDTHS.get(title, 0), own)


_SHARED: dict[str, Callable[[SharedOp], Cell]] = {
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
}
_SHARED_LAST: dict[str, Callable[[SharedOp], Cell]] = {
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
_OWN = frozenset({"global_op_idx", "first node", "num_ops", "cached", "Ops"})
"""What a model's op does not share with the same op, of the same verdict, in another model."""


def _whole_failure(result: OpResult) -> str:
    """The failure's whole message: the sheet cuts what a cell cannot hold."""
    failure = result.verdict.failure
    return failure.message.strip() if failure else ""


def _of_result(value: Callable[[OpResult], Value]) -> Callable[[Use], Cell]:
    return lambda use: value(use.result)


def _of_shared(value: Callable[[SharedOp], Cell]) -> Callable[[Row], Cell]:
    return lambda row: value(row.shared)


def _of_worst(value: Callable[[Use], Cell]) -> Callable[[Row], Cell]:
    return lambda row: value(row.worst)


def _links(addresses: Addresses) -> dict[str, Callable[[Use], Cell]]:
    def of(title: str) -> Callable[[Use], Cell]:
        return lambda use: _text(use, title, addresses)

    pages: dict[int, Cell] = {}  # of models, which live as long as their uses

    def page(use: Use) -> Cell:
        model = id(use.model)
        if model not in pages:
            pages[model] = _ops(use, addresses)
        return pages[model]

    return {"Ops": page, **{t: of(t) for t in link_columns.TITLES}}


def _shared_table(addresses: Addresses) -> Table[Row]:
    worst = {title: _of_result(value) for title, value in _COSTS.items()} | _links(addresses)
    columns = {title: _of_shared(value) for title, value in _SHARED.items()}
    columns |= {title: _of_worst(value) for title, value in worst.items()}
    columns |= {title: _of_shared(value) for title, value in _SHARED_LAST.items()}
    return Table([_column(title, value) for title, value in columns.items()])


def _model_table(addresses: Addresses) -> Table[Use]:
    columns = {title: _of_result(value) for title, value in _OF_MODEL.items()} | _links(addresses)
    columns["run its reproducer"] = lambda u: command_of(u.result, u.model.place, u.model.advice)
    return Table([_column(t, value, own=t in _OWN) for t, value in columns.items()])


def _ops(use: Use, addresses: Addresses) -> Cell:
    """Where the run's page has the ops of the model."""
    address = addresses.of(use.model.source.run_dir, page_of(use.model.identity))
    return Link("all ops of it", address) if address else None


def _text(use: Use, title: str, addresses: Addresses) -> Cell:
    run_dir, good = use.model.source.run_dir, is_good(use.result)
    return link_columns.text_link(title, use.texts, run_dir, addresses, good=good)


# --- sheets ----------------------------------------------------------------------------------


def _tint(outcome: Outcome) -> str:
    return legend.OUTCOMES[outcome].tint


def _write_shared(
    book: Book, sheet: Any, frame: Frame, table: Table[Row], ops: Sequence[SharedOp]
) -> None:
    """A filterable table of ops, each with its outcome's colour, and its totals by status."""
    with book.bulk(sheet, frame, table) as rows:
        for one in ops:
            rows.add(Row(one), "outcome", _tint(one.worst.verdict.outcome))
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
    book: Book, own: Sequence[Any], models: Sequence[ModelOps], addresses: Addresses
) -> None:
    table = _model_table(addresses)
    for sheet, model in zip(own, models, strict=True):
        where = f"{model.identity.key} · {model.made_text}"
        frame = Frame(model.name, [where], _TABLE_ROW, len(model.ops), frozen=2)
        with book.bulk(sheet, frame, table) as rows:
            for result in model.ops:
                verdict = result.verdict
                like: Hashable = (verdict.op.key, verdict.device, model.source.run_dir)
                tint = _tint(verdict.outcome)
                rows.add(Use(model, result), "outcome", tint, like, verdict)
