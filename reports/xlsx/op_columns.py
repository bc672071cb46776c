# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The columns of sheets of ops: of a model's own, and of those that stand for many models.

What is said of a verdict is made once: it stands on its models' sheets, on "All Ops", and, if it is
bad, on two more.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import OpResult, Stage
from bringup.reports.addresses import Addresses, page_of
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
from bringup.reports.model.ops import ModelOps, SharedOp
from bringup.reports.text import legend
from bringup.reports.text.numbers import mebibytes, metric_cell, moment
from bringup.reports.xlsx import link_columns, sheets
from bringup.reports.xlsx.bulk_rows import Cell, Column, Table
from bringup.reports.xlsx.cell_styles import CellStyle
from bringup.reports.xlsx.hyperlinks import Link, to_sheet
from bringup.reports.xlsx.sheets import Value

T = TypeVar("T")


class Use(NamedTuple):
    """An op of a model: one row of a model's sheet."""

    model: ModelOps
    result: OpResult
    said: tuple[Cell, ...]
    """Of its verdict, by `_OF_VERDICT`, then `link_columns.TITLES`, then `_COMMAND`."""


class Row(NamedTuple):
    """An op of many models: one row of a sheet of all ops."""

    shared: SharedOp
    worst: Use


class OpColumns:
    """The columns of one workbook, and what its rows have said of verdicts so far."""

    def __init__(self, addresses: Addresses, tabs: Mapping[int, str]) -> None:
        """`tabs` are the titles of the models' sheets, by the model's `id`."""
        self._addresses = addresses
        self._sheets = {model: to_sheet(title, title) for model, title in tabs.items()}
        self._said: dict[tuple[int, int], tuple[Cell, ...]] = {}
        """By the verdict and the header of its run; both live as long as the models do."""
        self._pages: dict[int, Cell] = {}
        """Of models."""

    def use(self, model: ModelOps, result: OpResult) -> Use:
        """The row of a model's op."""
        place = id(result.verdict), id(model.source.header)
        said = self._said.get(place)
        if said is None:
            said = self._said[place] = self._says(model, result)
        return Use(model, result, said)

    def row(self, shared: SharedOp) -> Row:
        """The row of an op of many models."""
        return Row(shared, self.use(shared.worst_model, shared.worst))

    def model_table(self) -> Table[Use]:
        """A model's sheet."""
        said = {title: _said(title) for title in _PLACES}
        own: dict[str, Callable[[Use], Cell]] = {t: _of_result(v) for t, v in _OWN.items()}
        columns = own | said | {"Ops": self._page, _FED_OWN: _fed_own}
        mine = {*_OWN, "Ops", _FED_OWN}
        return Table([_column(t, columns[t], own=t in mine) for t in _ON_MODEL])

    def shared_table(self) -> Table[Row]:
        """A sheet of ops of many models."""
        columns = {title: _of_worst(_said(title)) for title in _PLACES}
        columns |= {title: _of_shared(value) for title, value in _OF_SHARED.items()}
        columns |= {"Ops": _of_worst(self._page), "sheet": _of_worst(self._sheet)}
        return Table([_column(title, columns[title]) for title in _ON_SHARED])

    def _sheet(self, use: Use) -> Cell:
        return self._sheets.get(id(use.model))

    def _says(self, model: ModelOps, result: OpResult) -> tuple[Cell, ...]:
        texts, run_dir = link_columns.by_level(result.verdict), model.source.run_dir
        good = is_good(result)
        links = (
            link_columns.text_link(title, texts, run_dir, self._addresses, good=good)
            for title in link_columns.TITLES
        )
        command = command_of(result, model.place, model.advice)
        return *(value(result) for value in _OF_VERDICT.values()), *links, command

    def _page(self, use: Use) -> Cell:
        """Where the run's page has the ops of the model."""
        model = id(use.model)
        if model not in self._pages:
            address = self._addresses.of(use.model.source.run_dir, page_of(use.model.identity))
            self._pages[model] = Link("all ops of it", address) if address else None
        return self._pages[model]


# --- what a verdict says ---------------------------------------------------------------------

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


def _whole_failure(result: OpResult) -> str:
    """The failure's whole message: the sheet cuts what a cell cannot hold."""
    failure = result.verdict.failure
    return failure.message.strip() if failure else ""


_COSTS: dict[str, Callable[[OpResult], Value]] = {
    "time s": lambda r: _rounded(seconds_of(r)),
    **{f"{stage.value} s": _stage_seconds(stage) for stage in _OP_STAGES},
    "CPU s": lambda r: _rounded(cpu_seconds_of(r)),
    "peak memory MiB": lambda r: mebibytes(peak_of(r)),
}
_OF_VERDICT: dict[str, Callable[[OpResult], Value]] = {
    "op": lambda r: r.verdict.op.name,
    "inputs": lambda r: shapes_text(r.verdict.op.inputs),
    "outputs": lambda r: shapes_text(r.verdict.op.outputs),
    "attributes": lambda r: attributes_text(r.verdict.op),
    "status": lambda r: legend.status_text(r.verdict.status),
    "outcome": lambda r: r.verdict.outcome.value,
    "PCC": lambda r: metric_cell(r.verdict.pcc),
    "atol": lambda r: metric_cell(r.verdict.atol),
    "compared with": compared_with,
    "failing stage": failing_stage,
    "failure": _whole_failure,
    "fingerprint": lambda r: r.verdict.fingerprint,
    **_COSTS,
    "computed in run": lambda r: r.verdict.origin,
    "computed at (UTC)": lambda r: moment(r.verdict.computed) if r.verdict.computed else None,
    "source": lambda r: r.verdict.op.source,
    "key": lambda r: r.verdict.op.key,
}
_COMMAND = "run its reproducer"
_PLACES = {t: i for i, t in enumerate((*_OF_VERDICT, *link_columns.TITLES, _COMMAND))}

# --- what is a row's own ---------------------------------------------------------------------

_OWN: dict[str, Callable[[OpResult], Value]] = {
    "global_op_idx": lambda r: r.index,
    "first node": lambda r: r.node,
    "num_ops": lambda r: r.count,
    "cached": cached_text,
}
"""What a model's op does not share with the same op, of the same verdict, in another model."""
_FED_OWN = "fed the device's own values"
_OF_SHARED: dict[str, Callable[[SharedOp], Cell]] = {
    "device": lambda s: ", ".join(s.devices),
    "variants": lambda s: s.variants,
    "models": lambda s: len(s.models),
    "nodes": lambda s: s.nodes,
    "lowest status": lambda s: legend.status_text(s.worst.verdict.status),
    "PCC": lambda s: metric_cell(s.pcc),
    "atol": lambda s: metric_cell(s.atol),
    "cached": lambda s: f"{s.hits}/{len(s.uses)}",
    "model names": lambda s: ", ".join(s.models),
}
"""The worst, or the sum, of all."""
_ON_MODEL = (
    *("global_op_idx", "op", "first node", "inputs", "outputs", "attributes", "num_ops", "status"),
    *("outcome", "PCC", "atol", "compared with", _FED_OWN, "failing stage", "failure"),
    *("fingerprint", *_COSTS, "cached", "computed in run", "computed at (UTC)", "key"),
    *("Ops", *link_columns.TITLES, _COMMAND),
)
_ON_SHARED = (
    *("op", "device", "inputs", "outputs", "attributes", "variants", "models", "nodes"),
    *("lowest status", "outcome", "PCC", "atol", "compared with", "failing stage", "failure"),
    *("fingerprint", *_COSTS, "sheet", "Ops", *link_columns.TITLES),
    *("cached", _COMMAND, "model names", "source", "key"),
)


def _said(title: str) -> Callable[[Use], Cell]:
    place = _PLACES[title]
    return lambda use: use.said[place]


def _fed_own(use: Use) -> Cell:
    """The op's second verdict; empty where its test gave none."""
    followed = use.model.source.record.followed
    if followed is None:
        return None
    past = use.model.past.get(use.result.verdict.op.key)
    if past is None:
        return "within tolerance" if followed.past_in_all <= len(followed.past) else None
    how = "wrong by itself" if past.wrong_alone else "wrong by inheritance"
    return f"{how}: {past.why}"


def _of_result(value: Callable[[OpResult], Value]) -> Callable[[Use], Cell]:
    return lambda use: value(use.result)


def _of_shared(value: Callable[[SharedOp], Cell]) -> Callable[[Row], Cell]:
    return lambda row: value(row.shared)


def _of_worst(value: Callable[[Use], Cell]) -> Callable[[Row], Cell]:
    return lambda row: value(row.worst)


# --- how they look ---------------------------------------------------------------------------

_FORMATS = {
    "PCC": sheets.EVERY_DIGIT,
    "nodes": "#,##0",
    **{title: "0.0000" for title in _COSTS if title.endswith(" s")},
}
_WIDTHS = {
    **dict.fromkeys(("op", "Ops", "sheet", "inputs", "outputs", "first node"), 30),
    **dict.fromkeys(("failure", "fingerprint", _COMMAND, "model names", _FED_OWN), 48),
    **dict.fromkeys(("status", "lowest status"), 28),
    **dict.fromkeys(link_columns.TITLES, 18),
    **dict.fromkeys(("computed at (UTC)", "attributes", "key"), 21),
}


def _column(title: str, value: Callable[[T], Cell], *, own: bool = False) -> Column[T]:
    style = CellStyle(_FORMATS.get(title, ""), top=title == "failure")
    return Column(title, value, style, _WIDTHS.get(title, 0), own)
