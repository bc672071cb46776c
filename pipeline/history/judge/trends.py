# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The nights that a verdict shows, as the record that pages draw from."""

import numpy as np
import numpy.typing as npt

from bringup.harness.records.night import Moment, NightVerdict
from bringup.harness.records.trends import NO_EVIDENCE, TRENDS_SCHEMA, Trends
from bringup.pipeline.history.judge.columns import EXCLUSIONS, OUTCOMES, Columns
from bringup.pipeline.history.samples import Excluded

_MIB = 1 << 20


def trends_of(columns: Columns, verdict: NightVerdict) -> Trends:
    """The nights of `verdict`, and its baseline, of each test of its run and each that it tells of.

    A night has of a test the attempt that counts, as the verdict itself has.
    """
    nights = _nights(verdict)
    place = {moment.run: at for at, moment in enumerate(nights)}
    night = np.array([place.get(run, -1) for run in columns.run.words], np.int64)[columns.run.codes]
    kept = (night >= 0) & (columns.excluded != EXCLUSIONS.index(Excluded.SUPERSEDED))
    here = set(columns.test.codes[kept & (night == place.get(verdict.run, -2))].tolist())
    tests = sorted({columns.test.words[c] for c in here} | {one.test for one in verdict.tests})
    rank = {test: at for at, test in enumerate(tests)}
    row = np.array([rank.get(test, -1) for test in columns.test.words], np.int64)[
        columns.test.codes
    ]
    rows = np.flatnonzero(kept & (row >= 0))
    cells = row[rows] * len(nights) + night[rows]
    size = len(tests) * len(nights)

    def column(values: npt.NDArray[np.generic], kind: str, absent: float) -> bytes:
        found = np.full(size, absent, kind)
        found[cells] = values[rows].astype(kind)
        return found.tobytes()

    said = columns.outcome + 1 + np.where(columns.counts, 0, NO_EVIDENCE)
    return Trends(
        schema=TRENDS_SCHEMA,
        run=verdict.run,
        nights=nights,
        tests=tuple(tests),
        outcomes=OUTCOMES,
        outcome=column(said, "u1", 0),
        status=column(columns.status, "u1", 0),
        pcc=column(columns.pcc, "<f4", np.nan),
        seconds=column(columns.seconds, "<f4", np.nan),
        memory=column(columns.memory / _MIB, "<f4", np.nan),
    )


def _nights(verdict: NightVerdict) -> tuple[Moment, ...]:
    """Those that the verdict shows; a baseline that was named may be none of them."""
    shown = {moment.run: moment for moment in verdict.nights}
    if verdict.baseline:
        shown.setdefault(verdict.baseline.run, verdict.baseline)
    shown.setdefault(verdict.run, Moment(verdict.run, verdict.at))
    return tuple(sorted(shown.values(), key=lambda m: (m.at, m.run)))
