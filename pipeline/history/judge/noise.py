# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Numbers of tonight that are worse than what the same test does by chance.

A test's noise is robust: five scaled median absolute deviations of its last good nights around
their median (1.4826 MAD is a standard deviation where the noise is normal), and never less than a
floor, since many a test computes the same digits every night.
"""

from dataclasses import dataclass

import numpy as np

from bringup.harness.records.night import Drift, DriftKind
from bringup.pipeline.history.judge.columns import Columns, Counts, Floats

BACK = 30
"""Good nights before tonight that the noise is taken from."""
FEWEST = 5
"""With fewer of them nothing is said."""
_SCALE = 5 * 1.4826


@dataclass(frozen=True)
class Measure:
    """One number that is watched."""

    kind: DriftKind
    column: str
    worse: int
    """1: larger is worse; -1: smaller is."""
    floor: float
    """Never noticed, in its unit."""
    share: float
    """Nor this share of the median."""


MEASURES = (
    Measure(DriftKind.PCC, "pcc", -1, 5e-4, 0.0),
    Measure(DriftKind.SECONDS, "seconds", 1, 1.0, 0.25),
    Measure(DriftKind.MEMORY, "memory", 1, float(32 << 20), 0.1),
)


def drifts(columns: Columns, rows: Counts) -> dict[int, tuple[Drift, ...]]:
    """By row, what is worse than noise; rows without anything are left out.

    Args:
        rows: int64[n], rows of tonight, at most one of a test. What did not end well has no
            costs that could be compared: a test that fails at once is no faster.
    """
    found: dict[int, tuple[Drift, ...]] = {}
    rows = rows[columns.good[rows]]
    earlier = _good_rows_before(columns, rows)
    for measure in MEASURES:
        values: Floats = getattr(columns, measure.column)
        past = np.where(earlier >= 0, values[earlier], np.nan)
        middle, enough = _median(past)
        spread, _ = _median(np.abs(past - middle[:, None]))
        noise = np.maximum(_SCALE * spread, measure.floor)
        noise = np.maximum(noise, measure.share * np.abs(middle))
        now = values[rows]
        with np.errstate(invalid="ignore"):
            beyond = enough & (measure.worse * (now - middle) > noise)
        for i in np.flatnonzero(beyond):
            one = Drift(measure.kind, float(middle[i]), float(now[i]), float(noise[i]))
            found[int(rows[i])] = (*found.get(int(rows[i]), ()), one)
    return found


def _good_rows_before(columns: Columns, rows: Counts) -> Counts:
    """int64[rows, BACK]: the test's last good rows before each row, newest first; else -1."""
    good = np.flatnonzero(columns.good & columns.counts)
    if not len(good):
        return np.full((len(rows), BACK), -1, np.int64)
    edges = columns.edges()
    begins = edges[np.searchsorted(edges, rows, side="right") - 1]
    low, high = np.searchsorted(good, begins), np.searchsorted(good, rows)
    at = high[:, None] - 1 - np.arange(BACK)[None, :]
    return np.where(at >= low[:, None], good[np.maximum(at, 0)], -1)


def _median(values: Floats) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The median of each line, NaN left out, and whether it is of enough values."""
    ranked = np.sort(values, axis=1)  # NaN comes last
    count = (~np.isnan(values)).sum(axis=1)
    line = np.arange(len(values))
    low = ranked[line, np.maximum(count - 1, 0) // 2]
    high = ranked[line, np.maximum(count // 2, 0) % max(values.shape[1], 1)]
    return (low + np.where(count > 0, high, low)) / 2, count >= FEWEST
