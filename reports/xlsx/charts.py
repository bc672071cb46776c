# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Charts of a summary, each beside the few cells it is drawn of.

Colours are those of the legend; bars are named in the key, so that nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.utils import get_column_letter

from bringup.reports.text.numbers import Share
from bringup.reports.xlsx import sheets
from bringup.reports.xlsx.sheets import put, put_header

_MOST_BARS = 40
"""Bars that can be told apart; of more, those that are furthest from done."""
_WIDTH_CM, _HEIGHT_CM = 20.0, 9.5
ROWS = 21
"""Rows of a sheet that a chart covers."""
COMPILED, EXECUTED = "0072B2", "009E73"
STATUS_COLOURS = (
    *("7A0403", "D23105", "F66B19", "FABA39"),
    *("A4FC3C", "36D8AB", "3E9BFE", "30123B"),
)
"""From red to blue, as their brightness differs (the palette turbo, 8 steps)."""


class Progress(NamedTuple):
    """How far one model, or one device, got."""

    name: str
    compiled: Share
    executed: Share


def put_progress(sheet: Any, row: int, column: int, what: str, rows: Sequence[Progress]) -> None:
    """Write a table of shares, and draw it left of itself, from column A of `row` on."""
    shown = sorted(rows, key=_least_first)[:_MOST_BARS]
    shown = sorted(shown, key=rows.index)
    put_header(sheet, row, [what, "compiled", "executed"], column)
    for offset, one in enumerate(shown, start=1):
        put(sheet, row + offset, column, one.name)
        for at, share in ((1, one.compiled), (2, one.executed)):
            if share.percent is not None:
                cell = put(sheet, row + offset, column + at, share.percent / 100)
                cell.number_format = "0%"
    few = f", the {len(shown)} furthest from done of {len(rows)}" if len(shown) < len(rows) else ""
    chart = _bars(f"Compiled and executed, by {what}{few}", "share of what was to be done")
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
    chart.y_axis.number_format = "0%"
    chart.overlap = 0
    _draw(sheet, chart, row, column, len(shown), [COMPILED, EXECUTED])


def _least_first(one: Progress) -> tuple[float, float]:
    def part(share: Share) -> float:
        return 101.0 if share.percent is None else share.percent

    return part(one.executed), part(one.compiled)


def put_counts(
    sheet: Any,
    row: int,
    column: int,
    what: str,
    title: str,
    counts: Mapping[str, Sequence[int]],
    series: Mapping[str, str],
    unit: str = "tests",
) -> None:
    """Write a table of counts by name, and draw it stacked, from column A of `row` on.

    `series` are the titles of a row's counts, with their colours as RRGGBB.
    """
    put_header(sheet, row, [what, *series], column)
    for offset, (name, numbers) in enumerate(counts.items(), start=1):
        put(sheet, row + offset, column, name)
        for at, number in enumerate(numbers, start=1):
            put(sheet, row + offset, column + at, number).number_format = sheets.COUNT
    chart = _bars(title, unit)
    chart.grouping, chart.overlap = "stacked", 100
    _draw(sheet, chart, row, column, len(counts), list(series.values()))


def _bars(title: str, axis: str) -> BarChart:
    chart = BarChart()
    chart.type, chart.title, chart.y_axis.title = "col", title, axis
    chart.width, chart.height = _WIDTH_CM, _HEIGHT_CM
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.legend.position = "b"
    return chart


def _draw(
    sheet: Any, chart: BarChart, row: int, column: int, rows: int, colours: Sequence[str]
) -> None:
    if not rows:
        return
    last = column + len(colours)
    data = Reference(sheet, column + 1, row, last, row + rows)
    chart.add_data(data, titles_from_data=True)
    chart.set_categories(Reference(sheet, column, row + 1, column, row + rows))
    for series, colour in zip(chart.series, colours, strict=True):
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
    if rows * len(colours) <= 12 and chart.grouping != "stacked":
        chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False)
        chart.dataLabels.showLegendKey = False
    sheet.add_chart(chart, f"{get_column_letter(1)}{row}")
