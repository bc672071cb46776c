# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs that went op by op, and how tests read their documents back."""

import io
from itertools import takewhile
from pathlib import Path
from typing import Any

import openpyxl
from rich.console import Console

from bringup.harness.records.schema import (
    Identity,
    OpResult,
    Outcome,
    Status,
)
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.model.run import RunSummary
from bringup.reports.terminal import pieces
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.run_builder import STARTED, identity, op_result, record, write_run

HEADER_ROW = 4
T5 = identity("t5", flow="op_by_op_torch")
VIT = identity("vit", flow="op_by_op_torch")
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> | \x1b[31m\x00 \u202e"
Ops = dict[Identity, list[OpResult]]
N150 = identity("t5", flow="op_by_op_torch")
CPU = identity("t5", "cpu", flow="op_by_op_torch")
WRONG = op_result(1, outcome=Outcome.INCORRECT, name="aten.max_pool2d", pcc=0.43, device="cpu")
REACHED = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.REACHED)


def low(index: int = 0, **fields: Any) -> OpResult:
    return op_result(index, Status.CONVERTED_TO_STABLE_HLO, Outcome.FAILED, **fields)


def run_of(run_dir: Path, ops: Ops, created: float = STARTED, name: str = "") -> Path:
    records = [record(test, model_name=name or test.model) for test in ops]
    return write_run(run_dir, records, ops=ops, created=created)


def summary_of(run_dir: Path, ops: Ops, **fields: Any) -> RunSummary:
    return load(run_of(run_dir, ops, **fields))


def book_of(run: RunSummary) -> Any:
    return openpyxl.load_workbook(io.BytesIO(ops_xlsx.render(run.ops, Addresses(Path("nowhere")))))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    """The rows of a sheet's table: those under its header, down to the first empty one."""
    titles = [cell.value for cell in sheet[HEADER_ROW] if cell.value is not None]
    below = sheet.iter_rows(min_row=HEADER_ROW + 1, max_col=len(titles), values_only=True)
    rows = takewhile(lambda row: row[0] is not None, below)
    return [dict(zip(titles, row, strict=True)) for row in rows]


def ops_run(run_dir: Path, ops: Ops, outcome: Outcome = Outcome.REACHED, **fields: Any) -> Path:
    """A run whose tests went through their ops and ended as `outcome`."""
    records = [record(test, outcome, model_name=test.model, **fields) for test in ops]
    return write_run(run_dir, records, ops=ops)


def summary_text(run: RunSummary) -> str:
    console = Console(file=io.StringIO(), width=200)
    for piece in pieces(run):
        console.print(piece)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def tint_of(sheet: Any, name: str, column: int) -> str:
    row = next(row for row in sheet.iter_rows(min_row=5) if row[0].value == name)
    return str(row[column].fill.fgColor.rgb)[2:]
