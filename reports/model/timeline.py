# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A record's stages as spans of its wall time."""

from dataclasses import dataclass

from bringup.harness.records.schema import StageResult, TestRecord
from bringup.reports.text.numbers import is_number, total


@dataclass(frozen=True)
class Span:
    """One stage's place on the line, in percent of the whole."""

    result: StageResult
    x: float
    width: float


def timeline(record: TestRecord) -> list[Span]:
    """Lay the stages end to end. A stage that did not come back takes what time is left."""
    known = total(s.wall_s for s in record.stages) or 0.0
    whole = max(known, total([record.wall_s]) or 0.0)
    if not is_number(whole) or whole <= 0:
        return [Span(stage, 0.0, 0.0) for stage in record.stages]
    spans, x = [], 0.0
    for stage in record.stages:
        length = stage.wall_s if stage.wall_s is not None else whole - known
        width = min(max(100.0 * length / whole, 0.0), 100.0 - x)
        spans.append(Span(stage, round(x, 2), round(width, 2)))
        x += width
    return spans
