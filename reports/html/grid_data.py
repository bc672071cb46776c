# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The grid of models and devices, and its past, as columns for the page's script.

A cell is a test on a device; columns have one entry a cell, a row's devices together. What a cell
has more to say than its glyph is in `detail_data`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bringup.harness.records.night import Judgement
from bringup.harness.records.schema import GOOD, MetricState, Outcome, Status
from bringup.harness.records.trends import NO_EVIDENCE, Trends
from bringup.reports.html.pack import Pack, Words, from_one, steps
from bringup.reports.model.run import GridRow, Missing, Result, RunSummary, anchor_of
from bringup.reports.text import legend
from bringup.reports.text.untrusted import clean, first_line, shown_name

OUTCOMES = tuple(legend.OUTCOMES)
LOST = len(OUTCOMES) + 1
"""The code of a cell that was planned and has no record."""
JUDGEMENTS = tuple(Judgement)
_DIGITS = re.compile(r"(\d+)")
_LINE = 160  # characters of a failure's first line that a search sees


@dataclass(frozen=True)
class Grid:
    """Rows in the order in which people look for them, and every cell that has something."""

    rows: tuple[GridRow, ...]
    cells: tuple[Result | Missing | None, ...]
    """Of all rows, a row's devices together."""


def grid_of(run: RunSummary) -> Grid:
    """The run's grid, in natural order: `vit_9` before `vit_10`."""
    rows = tuple(sorted(run.grid, key=lambda row: natural(row.identity.shown)))
    return Grid(rows, tuple(cell for row in rows for cell in row.cells))


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A key to sort texts by, whose numbers are compared as numbers."""
    parts = _DIGITS.split(text.casefold())
    return tuple((not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts)


def grid_block(run: RunSummary, grid: Grid) -> str:
    """All that the first sight of the grid takes."""
    pack, lists, lines = Pack(), Words(), Words()
    night, trends = run.night, run.trends
    told = {test.test: test for test in night.tests} if night else {}
    causes = {cause.id: at + 1 for at, cause in enumerate(run.causes)}
    past = {test: at + 1 for at, test in enumerate(trends.tests)} if trends else {}
    usual = JUDGEMENTS.index(Judgement.GOOD) + 1 if night else 0
    columns: dict[str, list[int]] = {name: [] for name in _COLUMNS}
    for cell in grid.cells:
        key = cell.identity.planned.key if cell else ""
        verdict = told.get(key)
        judged = JUDGEMENTS.index(verdict.judgement) + 1 if verdict else usual if cell else 0
        left_out = isinstance(cell, Result) and cell.left_out
        if left_out:
            judged = 0  # nobody judged what the budget left out
        line = cell.failure_line if isinstance(cell, Result) else cell.reason if cell else ""
        values = (
            _outcome(cell),
            int(cell.record.status) if isinstance(cell, Result) else 0,
            judged,
            lists.code(clean(cell.list_name) if cell else ""),
            causes.get(verdict.cluster, 0) if verdict else 0,
            lines.code(first_line(line)[:_LINE]),
            past.get(key, 0),
            int(left_out),
        )
        for name, value in zip(_COLUMNS, values, strict=True):
            columns[name].append(value)
    for name, found in columns.items():
        pack.add(name, found)
    results = [c if isinstance(c, Result) else None for c in grid.cells]
    pack.add("seconds", steps([r.seconds if r else None for r in results]))
    pack.add("pcc", from_one(np.array([_pcc(r) for r in results], np.float64)))
    pack.add("anchor", _anchors(grid))
    if trends:
        pack.add("past", np.frombuffer(_by_legend(trends), np.uint8))
    return pack.text(_meta(run, grid, lists.texts, lines.texts))


_COLUMNS = ("outcome", "status", "judged", "list", "cause", "line", "row", "left_out")


def past_block(run: RunSummary, grid: Grid) -> str:
    """What the charts draw: of each test and night its numbers; of tonight when each began."""
    pack, trends = Pack(), run.trends
    if trends:
        pack.add("status", np.frombuffer(trends.status, np.uint8))
        pack.add("pcc", from_one(np.frombuffer(trends.pcc, "<f4")))
        pack.add("seconds", steps(np.frombuffer(trends.seconds, "<f4").astype(np.float64)))
        pack.add("memory", steps(np.frombuffer(trends.memory, "<f4").astype(np.float64)))
    started = np.array([_started(cell) for cell in grid.cells], np.float64)
    begin = float(np.nanmin(started)) if np.isfinite(started).any() else 0.0
    tenths = np.minimum(np.rint(10 * (started - begin)) + 1, 2**32 - 1)
    pack.add("started", np.where(np.isnan(tenths), 0, tenths))
    return pack.text({"begin": begin})


def _started(cell: Result | Missing | None) -> float:
    """Seconds since the epoch; NaN where it is unknown, or no calendar has it."""
    at = cell.record.started if isinstance(cell, Result) else None
    return at if at is not None and 0 <= at < 1e11 else np.nan


def _outcome(cell: Result | Missing | None) -> int:
    if cell is None:
        return 0
    if isinstance(cell, Missing) and cell.result is None:
        return LOST
    record = cell.record if isinstance(cell, Result) else None
    return OUTCOMES.index(record.outcome if record else Outcome.NOT_RUN) + 1


def _pcc(result: Result | None) -> float:
    metric = result.record.pcc if result else None
    if metric is None or metric.state is not MetricState.VALUE or metric.value is None:
        return np.nan
    return metric.value


def _anchors(grid: Grid) -> list[int]:
    """Each in two numbers of 8 hex digits; what is no cell has zeros."""
    found: list[int] = []
    for cell in grid.cells:
        digits = anchor_of(cell.identity.planned).removeprefix("t-") if cell else "0" * 16
        found += [int(digits[:8], 16), int(digits[8:], 16)]
    return found


def _by_legend(trends: Trends) -> bytes:
    """Outcomes in the page's own codes, with the mark of what is no evidence."""
    table = bytearray(range(256))
    for at, outcome in enumerate(trends.outcomes):
        code = OUTCOMES.index(outcome) + 1
        table[at + 1], table[at + 1 + NO_EVIDENCE] = code, code + NO_EVIDENCE
    return trends.outcome.translate(bytes(table))


def _meta(
    run: RunSummary, grid: Grid, lists: Sequence[str], lines: Sequence[str]
) -> dict[str, object]:
    nights = run.trends.nights if run.trends else ()
    names = Words()
    styles = legend.OUTCOMES.items()
    return {
        "devices": [shown_name(device) for device in run.devices],
        "compileOnly": [int(device in run.compile_only) for device in run.devices],
        "names": [shown_name(row.identity.shown) for row in grid.rows],
        "families": [names.code(clean(row.identity.model)) for row in grid.rows],
        "familyNames": names.texts,
        "models": [clean(_other_name(row)) for row in grid.rows],
        "lists": lists,
        "lines": lines,
        "nights": [[clean(night.run), round(night.at)] for night in nights],
        "tonight": next((i for i, n in enumerate(nights) if n.run == run.header.run_id), -1),
        "baseline": next(
            (i for i, n in enumerate(nights) if run.night and n == run.night.baseline), -1
        ),
        "outcomes": [
            *([o.value, s.symbol, s.meaning, int(o in GOOD)] for o, s in styles),
            [legend.NO_RECORD, "?", legend.NO_RECORD_MEANING, 0],
        ],
        "statuses": [status.name for status in Status],
        "judgements": [judgement.value for judgement in JUDGEMENTS],
        "causes": [
            {
                "id": clean(cause.id),
                "name": clean(cause.name),
                "owner": clean(cause.owner),
                "issue": clean(cause.issue),
                "new": bool(run.night and run.night.is_new(cause)),
            }
            for cause in run.causes
        ],
    }


def _other_name(row: GridRow) -> str:
    """The name people read, where the test's own does not say it."""
    name = row.model_name
    return "" if name == row.identity.model else name
