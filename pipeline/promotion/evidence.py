# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of a history speaks for or against a move: sums over each test's nights.

Rows are those of `Columns`: ordered by test, then time. Arrays have one entry a row or, where it
is said, one a test.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.columns import OUTCOMES, Bools, Columns, Counts, Floats
from bringup.pipeline.promotion.counting import LEVELS, Levels
from bringup.pipeline.promotion.ladder import Level
from bringup.pipeline.promotion.policy import Demote

_CRASHED = OUTCOMES.index(Outcome.CRASHED)
BREAK = 3
"""Failures one after another that are no chance."""
PRIOR = 15.0
"""Attempts that what is known of all tests is worth, beside a test's own."""


@dataclass(frozen=True)
class Seen:
    """What counts of a history. Arrays have one entry a test where nothing else is said."""

    rows: Columns
    """Only rows that are evidence."""
    last: Counts
    """Its last row; -1 without evidence."""
    level: Levels
    """What its last row came to (`Level`); -1 without evidence."""


@dataclass(frozen=True)
class Streaks:
    """A test's nights against the level that is asked of it. Arrays have one entry a test."""

    failed: Counts
    """Attempts at the end of which none was good."""
    nights_failed: Counts
    """Nights of them."""
    passed: Counts
    """Attempts at the end of which all were good."""
    nights_good: Counts
    """Nights of them."""
    passes: Counts
    """Good attempts in the window."""
    flakes: Counts
    """Failures among good attempts; three and more one after another are a break, and none."""
    passes_since: Counts
    """Good attempts since the last break."""
    flakes_since: Counts
    flakes_before: Counts
    """Failures before those at the end."""
    flake_rate: Floats
    """Of attempts before the failures at the end, with a prior's share."""
    first: Counts
    """The row with which what is at the end begins; -1 without evidence."""


def nights_bad(columns: Columns, says: Bools, asked: Levels) -> Counts:
    """int64[tests]: nights at the end that say something and are not good, on a suspect device or
    not, by the least `Level` that is asked of each test."""
    of, at = columns.test.codes, np.arange(len(columns))
    passed, _ = attempts(columns, asked[of])
    tail = says & (at > _last(of, at, says & (passed > 0), len(asked))[of])
    return np.asarray(np.bincount(of[tail], minlength=len(asked)), np.int64)


def seen(columns: Columns, counts: Bools) -> Seen:
    """The rows that count, and each test's last."""
    rows = columns.take(np.flatnonzero(counts))
    last = np.full(len(columns.test.words), -1, np.int64)
    edges = rows.edges()
    if len(rows):
        last[rows.test.codes[edges[:-1]]] = edges[1:] - 1
    level = np.full(len(last), -1, np.int64)
    level[last >= 0] = LEVELS[rows.outcome[last[last >= 0]]]
    return Seen(rows, last, level)


def streaks(found: Seen, asked: Levels, given: Demote) -> Streaks:
    """Every test's nights against the level that is asked of it.

    Args:
        found: What counts.
        asked: int64[tests], the least `Level` that is good.
        given: What is known of all tests.
    """
    rows, tests = found.rows, len(found.last)
    of, at = rows.test.codes, np.arange(len(rows))
    passed, failed = attempts(rows, asked[of])
    night = np.ones(len(rows), np.bool_)
    night[1:] = (np.diff(rows.at) != 0) | (np.diff(of) != 0)
    last_good = _last(of, at, passed > 0, tests)
    last_bad = _last(of, at, failed > 0, tests)
    tail, steady = at > last_good[of], at > last_bad[of]
    first_good = np.full(tests, len(rows), np.int64)
    np.minimum.at(first_good, of[passed > 0], at[passed > 0])
    alone = (passed == 0) & (at > first_good[of])
    repeated = np.zeros(len(rows), np.bool_)
    repeated[1:] = alone[1:] & alone[:-1] & (of[1:] == of[:-1])
    mixed = np.where(passed > 0, failed, 0)
    chance, broken = _by_chance(alone & ~repeated, alone, failed)
    flakes = np.where(alone, chance, mixed)
    mended = at > _last(of, at, broken, tests)[of]

    def total(values: npt.NDArray[np.generic]) -> Counts:
        sums = np.bincount(of, weights=values.astype(np.float64), minlength=tests)
        return sums.astype(np.int64)

    before, passes = total(np.where(tail, 0, flakes)), total(passed)
    starts = np.full(tests, -1, np.int64)
    edges = rows.edges()
    if len(rows):
        starts[of[edges[:-1]]] = edges[:-1]
    end = np.where(last_good > last_bad, last_bad, last_good)
    return Streaks(
        failed=total(failed * tail),
        nights_failed=total(tail & night),
        passed=total(passed * steady),
        nights_good=total(steady & night),
        passes=passes,
        flakes=total(flakes),
        passes_since=total(passed * mended),
        flakes_since=total(flakes * mended),
        flakes_before=before,
        flake_rate=(before + PRIOR * given.least_flake_rate) / (passes + before + PRIOR),
        first=np.where(found.last < 0, -1, np.maximum(end + 1, starts)),
    )


def _by_chance(starts: Bools, alone: Bools, failed: Counts) -> tuple[Counts, Bools]:
    """int64[rows]: where failures one after another start, how many they are, unless so many that
    something was broken then; and bool[rows]: it was."""
    found, broken = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.bool_)
    if not starts.any():
        return found, broken
    group = np.cumsum(starts) - 1
    sums = np.bincount(group[alone], weights=failed[alone].astype(np.float64)).astype(np.int64)
    found[starts] = np.where(sums < BREAK, sums, 0)
    broken[alone] = (sums >= BREAK)[group[alone]]
    return found, broken


def only_crashes(found: Seen, since: Counts) -> Bools:
    """bool[tests]: did every attempt from row `since` on end the process?"""
    rows = found.rows
    other = (rows.outcome != _CRASHED) & (np.arange(len(rows)) >= since[rows.test.codes])
    none: Bools = np.bincount(rows.test.codes[other], minlength=len(since)) == 0
    return none & (found.last >= 0)


def attempts(rows: Columns, asked: Levels) -> tuple[Counts, Counts]:
    """int64[rows] each: good attempts, and those that were not, at the level that is asked of each
    row's test.

    Where INCORRECT is good enough (the check is off) so are the attempts that were; of an older
    row, which does not count them, all failures are what the night's outcome says.
    """
    good = LEVELS[rows.outcome] >= asked
    passed, failed = rows.passed.astype(np.int64), rows.failed.astype(np.int64)
    uncounted = passed + failed == 0
    passed = np.where(uncounted, good, passed)
    failed = np.where(uncounted, ~good, failed)
    both, usual, counted = passed + failed, rows.good, rows.incorrect > 0
    enough = np.where(counted & (asked <= Level.INCORRECT), passed + rows.incorrect, passed)
    passed = np.where(good & ~usual & ~counted, both, np.where(~good & usual, 0, enough))
    passed = np.minimum(passed, both)
    return passed, both - passed


def _last(of: npt.NDArray[np.int32], at: Counts, where: Bools, tests: int) -> Counts:
    """int64[tests]: the last row of each test where something is so; -1 without one."""
    found = np.full(tests, -1, np.int64)
    np.maximum.at(found, of[where], at[where])
    return found
