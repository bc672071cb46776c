# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "Estimates": a row per test, a column per device that is compiled for."""

from dataclasses import replace
from typing import Any

from bringup.harness.records.estimates import ASSUMPTION, Estimate, Source, span
from bringup.harness.records.schema import Outcome
from bringup.reports.model.run import Missing, Result, RunSummary
from bringup.reports.text import legend, numbers
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import Column, Table
from bringup.reports.xlsx.cell_styles import PLAIN, CellStyle

NAME = "Estimates"
TITLE = "Does it fit, how long would it take, and what takes the time"


def write_matrix(book: Book, sheet: Any, run: RunSummary, frame: Frame) -> None:
    """Of every test and device with figures: time and what takes it, or that it does not fit."""
    places = [at for at, _ in enumerate(run.devices) if any(_of(r.cells[at]) for r in run.grid)]
    rows = [row for row in run.grid if any(_of(row.cells[at]) for at in places)]
    titles = ["test", *(run.devices[at] for at in places)]
    table: Table[None] = Table([Column(t, lambda _: None, width=32) for t in titles])
    frame = replace(frame, lead=[*frame.lead[:1], f"{ASSUMPTION}."], rows=len(rows))
    with book.bulk(sheet, frame, table) as written:
        for row in rows:
            found = [_of(row.cells[at]) for at in places]
            texts = [cell_text(one) if one else None for one in found]
            styles = [PLAIN if one is None or one.fits else _TOO_LARGE for one in found]
            written.line([row.identity.shown, *texts], [CellStyle(bold=True), *styles])


_TOO_LARGE = CellStyle(tint=legend.OUTCOMES[Outcome.DOES_NOT_FIT].tint)


def _of(cell: Result | Missing | None) -> Estimate | None:
    return cell.record.estimate if isinstance(cell, Result) else None


def cell_text(one: Estimate) -> str:
    """`fits, ≥ 286 µs, memory-bound`, or `does not fit: 195 GiB of 15.8 GiB`."""
    memory = one.memory
    if not one.fits:
        has = numbers.size_text(memory.available)
        return f"does not fit: {numbers.size_text(memory.needed)} of {has}"
    fits = "fits" if fits_text(one) == "yes" else "perhaps fits"
    if one.seconds is None or one.bound is None:
        return fits
    return f"{fits}, ≥ {span(one.seconds)}, {one.bound}-bound"


def fits_text(one: Estimate | None) -> str | None:
    """`yes`, `no`, or `perhaps` where temporaries are unknown."""
    if one is None:
        return None
    if not one.fits:
        return "no"
    return "perhaps" if one.memory.source is Source.PROGRAM else "yes"
