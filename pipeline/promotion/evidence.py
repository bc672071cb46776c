# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of a history speaks for or against a move: a mask, and sums over each test's nights.

Rows are those of `Columns`: ordered by test, then time. All arrays named here have one entry a
row or, where it says so, one a test.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import Stage
from bringup.pipeline.history.judge.columns import OUTCOMES, STAGES, Bools, Columns, Counts, Floats
from bringup.pipeline.promotion.ladder import LEVEL_OF, Level
from bringup.pipeline.promotion.policy import Evidence

_OWN = [STAGES.index(stage) for stage in (Stage.LOAD, Stage.GOLDEN)]
"""Stages before the compiler's: a failure there says nothing of the device."""
_MACHINE = re.compile(r"MemoryError|No space left on device|bad_alloc|device (is )?hung", re.I)
_LEVELS = np.array([LEVEL_OF.get(outcome, -1) for outcome in OUTCOMES])


@dataclass(frozen=True)
class Seen:
    """What counts of a history, summed. Arrays have one entry a test."""

    rows: Columns
    """Only rows that are evidence."""
    last: Counts
    """Its last row; -1 without evidence."""
    level: npt.NDArray[np.int64]
    """What its last row came to (`Level`); -1 without evidence."""


@dataclass(frozen=True)
class Streaks:
    """A test's nights against the level that is asked of it. Arrays have one entry a test."""

    failed: Counts
    """Attempts at the end of which none was good."""
    nights_failed: Counts
    """Nights of them."""
    nights_good: Counts
    """Nights at the end in which every attempt was good."""
    passes: Counts
    """Good attempts in the window."""
    flakes: Counts
    """Failures among good attempts; nights of nothing but failures one after another are one."""
    flake_rate: Floats
    """Of failures before those at the end: (failures + 0.5) / (attempts + 10), a Beta prior's mean."""


def counted(columns: Columns, full: Bools, policy: Evidence) -> Bools:
    """bool[rows]: which rows are evidence.

    Args:
        columns: The history; rows that it excludes itself never count.
        full: bool[tests], by `columns.test.codes`: those whose failing together speaks against
            the device, because they stand on nightly full.
        policy: When a device is suspect.
    """
    levels = _LEVELS[columns.outcome]
    counts = columns.counts & (levels >= 0) & ~columns.missing
    bad = levels < Level.CORRECT
    counts &= ~(bad & np.isin(columns.stage, _OWN))
    machine = np.array([bool(_MACHINE.search(text)) for text in columns.message.words], np.bool_)
    counts &= ~(bad & machine[columns.message.codes])
    counts &= ~_suspect(columns, counts, full, policy)
    newest = columns.at.max(initial=0.0)
    nights = np.unique(columns.at)
    oldest = nights[-policy.window] if len(nights) > policy.window else newest - np.inf
    return counts & (columns.at >= oldest) & ~_before_a_change(columns)


def _suspect(columns: Columns, counts: Bools, full: Bools, policy: Evidence) -> Bools:
    """bool[rows]: of a night and device on which too many good tests failed together."""
    runs = len(columns.run.words)
    place = columns.device.codes.astype(np.int64) * runs + columns.run.codes
    asked = counts & full[columns.test.codes]
    size = runs * len(columns.device.words)
    ran = np.bincount(place[asked], minlength=size)
    hard = asked & (_LEVELS[columns.outcome] < Level.INCORRECT) & (columns.passed == 0)
    failed = np.bincount(place[hard], minlength=size)
    found: Bools = ((ran >= policy.suspect_tests) & (failed >= policy.suspect_share * ran))[place]
    return found


def _before_a_change(columns: Columns) -> Bools:
    """bool[rows]: the model, its input, threshold or golden was another one then."""
    hashed = np.array([bool(word) for word in columns.ir_hash.words], np.bool_)
    known = np.flatnonzero(hashed[columns.ir_hash.codes])
    tests, codes = columns.test.codes[known], columns.ir_hash.codes[known]
    changed = np.flatnonzero((np.diff(codes) != 0) & (np.diff(tests) == 0)) + 1
    since = np.zeros(len(columns.test.words), np.int64)
    np.maximum.at(since, tests[changed], known[changed])
    found: Bools = np.arange(len(columns)) < since[columns.test.codes]
    return found


def seen(columns: Columns, counts: Bools) -> Seen:
    """The rows that count, and each test's last."""
    rows = columns.take(np.flatnonzero(counts))
    last = np.full(len(columns.test.words), -1, np.int64)
    edges = rows.edges()
    last[rows.test.codes[edges[:-1]]] = edges[1:] - 1
    level = np.where(last >= 0, _LEVELS[rows.outcome[last]] if len(rows) else -1, -1)
    return Seen(rows, last, level)


def streaks(found: Seen, asked: npt.NDArray[np.int64]) -> Streaks:
    """Every test's nights against the level that is asked of it.

    Args:
        found: What counts.
        asked: int64[tests], the least `Level` that is good.
    """
    rows, tests = found.rows, len(found.last)
    of = rows.test.codes
    good = _LEVELS[rows.outcome] >= asked[of]
    passed, failed = _attempts(rows, good)
    at = np.arange(len(rows))
    last_pass = _last(of, at, passed > 0, tests)
    tail = at > last_pass[of]
    steady = at > _last(of, at, failed > 0, tests)[of]
    first_pass = np.full(tests, len(rows), np.int64)
    np.minimum.at(first_pass, of[passed > 0], at[passed > 0])
    later = at > first_pass[of]
    alone = (passed == 0) & later
    repeated = np.concatenate(([False], alone[1:] & alone[:-1] & (of[1:] == of[:-1])))
    flakes = np.where(alone, ~repeated, np.where(passed > 0, failed, 0))

    def total(values: npt.NDArray[np.generic]) -> Counts:
        return np.bincount(of, weights=values, minlength=tests).astype(np.int64)

    before = total(np.where(tail, 0, flakes))
    passes = total(passed)
    return Streaks(
        failed=total(failed * tail),
        nights_failed=total(tail),
        nights_good=total(steady),
        passes=passes,
        flakes=total(flakes),
        flake_rate=(before + 0.5) / (passes + before + 10.0),
    )


def _attempts(rows: Columns, good: Bools) -> tuple[Counts, Counts]:
    """int64[rows] each: good attempts, and those that were not, at the level asked.

    An outcome below what the history calls bad but good enough here (INCORRECT where the check is
    off) turns its failed attempts into good ones.
    """
    passed, failed = rows.passed.astype(np.int64), rows.failed.astype(np.int64)
    uncounted = passed + failed == 0
    passed = np.where(uncounted, good, passed)
    failed = np.where(uncounted, ~good, failed)
    usual = rows.good
    both = passed + failed
    passed = np.where(good & ~usual, both, np.where(~good & usual, 0, passed))
    return passed, both - passed


def _last(of: npt.NDArray[np.int32], at: Counts, where: Bools, tests: int) -> Counts:
    """int64[tests]: the last row of each test for which something holds; -1 of none."""
    found = np.full(tests, -1, np.int64)
    np.maximum.at(found, of[where], at[where])
    return found
