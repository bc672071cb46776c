# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One test's past up to a night: its segments, its streak, how often it flipped, what counted."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bringup.harness.records.night import Moment, Range
from bringup.pipeline.history.judge.change_points import Segment, segments, without
from bringup.pipeline.history.judge.columns import EXCLUSIONS, Bools, Columns, Counts

WINDOW = 30
"""Nights that flips are counted in, and that pages show."""


@dataclass(frozen=True)
class Attempts:
    """Attempts of all rows, counted once for all series."""

    bad: Counts
    total: Counts
    mixed: Bools
    """Runs that came out both ways."""

    @classmethod
    def of(cls, columns: Columns) -> "Attempts":
        """Count them."""
        bad, total = columns.attempts()
        return cls(bad, total, (columns.passed > 0) & (columns.failed > 0))


@dataclass(frozen=True)
class Series:
    """The rows [begin, end) of one test, the last of them the night that is judged."""

    columns: Columns
    attempts: Attempts
    begin: int
    end: int

    @cached_property
    def evidence(self) -> Counts:
        """int64[nights]: the rows that count."""
        found: Counts = np.flatnonzero(self.columns.excluded[self.begin : self.end] == 0)
        return found + self.begin

    @cached_property
    def bad(self) -> Bools:
        """bool[nights]: whether a night of evidence counts against the test."""
        found: Bools = self.attempts.bad[self.evidence] > 0
        return found

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Its stretches, without breaks at which nothing was compiled anew."""
        rows = self.evidence
        bad, total = self.attempts.bad[rows], self.attempts.total[rows]
        found = segments(bad, total)
        return without(bad, total, found, {s.start for s in found[1:] if self._same(s.start)})

    @property
    def since(self) -> Range | None:
        """Where the last segment began; None without a break."""
        return self.range_of(self.segments[-1]) if len(self.segments) > 1 else None

    def range_of(self, segment: Segment) -> Range:
        """A segment's start, by the nights of evidence around it."""
        rows = self.evidence
        after = self.moment(rows[segment.earliest - 1]) if segment.earliest > 0 else None
        return Range(self.moment(rows[segment.latest]), after)

    @property
    def broke_badly(self) -> bool:
        """Is the last segment worse than the one before, and bad by and large?"""
        if len(self.segments) < 2:
            return False
        before, last = self.segments[-2:]
        return last.rate > before.rate and last.rate > 0.5

    @property
    def broke_well(self) -> bool:
        """Is the last segment better than the one before, and good by and large?"""
        return len(self.segments) > 1 and not self.broke_badly and self.segments[-1].rate < 0.5

    @cached_property
    def streak(self) -> int:
        """Nights in a row that ended as the last one did."""
        changes = np.flatnonzero(self.bad[1:] != self.bad[:-1])
        return len(self.bad) - (int(changes[-1]) + 1 if len(changes) else 0)

    @property
    def first_bad(self) -> Moment | None:
        """Of the bad nights in a row that the series ends with."""
        if not len(self.bad) or not self.bad[-1]:
            return None
        return self.moment(self.evidence[-self.streak])

    @property
    def last_good_row(self) -> int | None:
        """The last night of evidence that was good."""
        good = np.flatnonzero(~self.bad)
        return int(self.evidence[good[-1]]) if len(good) else None

    @property
    def flips(self) -> int:
        """Changes between good and bad in the last 30 nights of evidence."""
        window = self.bad[-WINDOW:]
        return int(np.count_nonzero(window[1:] != window[:-1]))

    @property
    def flips_since_break(self) -> int:
        """The same since the last break, a run that came out both ways being two more."""
        start = max(self.segments[-1].start if self.segments else 0, len(self.bad) - WINDOW)
        window = self.bad[start:]
        mixed = np.count_nonzero(self.attempts.mixed[self.evidence[start:]])
        return int(np.count_nonzero(window[1:] != window[:-1]) + 2 * mixed)

    @property
    def uncounted(self) -> dict[str, int]:
        """Nights that are no evidence, by why."""
        codes = Counter(self.columns.excluded[self.begin : self.end].tolist())
        return {EXCLUSIONS[code].value: codes[code] for code in sorted(codes) if code}

    def recent(self, runs: Counts) -> str:
        """A letter for each of `runs`, positions in the column's words; see `TestVerdict`."""
        rows = slice(max(self.begin, self.end - 3 * WINDOW), self.end)
        codes = self.columns.run.codes[rows]
        letters = np.where(self.attempts.bad[rows] > 0, "F", ".")
        letters = np.where(self.columns.excluded[rows] > 0, "x", letters)
        by_run = dict(zip(codes.tolist(), letters.tolist(), strict=True))
        return "".join(by_run.get(run, " ") for run in runs.tolist())

    def moment(self, row: int | np.integer) -> Moment:
        """The run of a row."""
        return Moment(self.columns.run[int(row)], float(self.columns.at[row]))

    def _same(self, start: int) -> bool:
        """Was the same artifact run on both sides of a break, and held to the same? A threshold
        that was raised changes no artifact."""
        columns, before, after = self.columns, self.evidence[start - 1], self.evidence[start]
        made, asked = columns.artifact_hash, columns.ir_hash
        same = made.codes[before] == made.codes[after] and asked.codes[before] == asked.codes[after]
        return bool(same and made[int(after)])
