# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of a history speaks for or against a move: a mask, and sums over each test's nights.

Rows are those of `Columns`: ordered by test, then time. Arrays have one entry a row or, where it
is said, one a test.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import Outcome, Stage, Status
from bringup.pipeline.history.judge.columns import (
    EXCLUSIONS,
    OUTCOMES,
    STAGES,
    Bools,
    Columns,
    Counts,
    Floats,
    Words,
)
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, PROBE
from bringup.pipeline.promotion.ladder import LEVEL_OF, Level
from bringup.pipeline.promotion.policy import Counting

Levels = npt.NDArray[np.int64]

_OWN = [STAGES.index(stage) for stage in (Stage.LOAD, Stage.GOLDEN, Stage.VERIFY)]
"""Stages of the test's own code: a failure there says nothing of compiler and device."""
_MACHINE = re.compile(
    r"MemoryError|no space left on device|bad_alloc|out of memory|device (is |has )?hung"
    r"|device (was |is )?lost",
    re.IGNORECASE,
)
_REFUSALS = re.compile(r"(Export|Onnx|Reference)Refusal$|LostAtExport$")
"""Kinds of failures in which the harness itself declines."""
_LEVELS = np.array([LEVEL_OF.get(outcome, -1) for outcome in OUTCOMES], np.int64)
_REACHED = OUTCOMES.index(Outcome.REACHED)
_CRASHED = OUTCOMES.index(Outcome.CRASHED)
_PARTIAL = EXCLUSIONS.index(Excluded.PARTIAL)
BREAK = 3
"""Failures one after another that are no chance."""
STEADY = 10
"""Good attempts one after another that make a test a witness of its device."""
CONTROL = 3
"""Good attempts in a night of a test that gates: it was run between the failures of others."""
NOBODY = -1
"""Of a test that is alone on its device there is no witness, for or against."""
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
    witnesses: Counts
    """Good results of other tests on the device, in the nights of the failures at its end; of a
    device of which nothing else is known `NOBODY`."""


def telling(columns: Columns, compile_only: Collection[str], policy: Counting) -> Bools:
    """bool[rows]: which rows say something of a test, as far as each can be told by itself.

    Args:
        columns: The history of full flows; rows that it excludes itself never count.
        compile_only: Devices that cannot execute. On all others a stop before executing is
            somebody's wish, or a lost driver.
        policy: What is too old.
    """
    levels = _LEVELS[columns.outcome]
    probes = _is(columns.list_name, PROBE) & (columns.excluded == _PARTIAL)
    counts = (columns.counts | probes) & (levels >= 0) & ~columns.missing
    counts &= _recent(columns, policy.window)
    counts &= ~_says_nothing(columns, levels)
    only = np.array([word in compile_only for word in columns.device.words], np.bool_)
    executes = ~only[columns.device.codes]
    counts &= ~(executes & (columns.outcome == _REACHED))
    counts &= ~(executes & _is(columns.list_name, NIGHTLY_E2E_COMPILE.name))
    counts &= ~_before_a_change(columns, counts)
    return np.asarray(counts, np.bool_)


def counted(columns: Columns, says: Bools, listed: Bools, policy: Counting) -> Bools:
    """bool[rows]: which rows are evidence.

    Args:
        columns: The history of full flows.
        says: bool[rows], as `telling`.
        listed: bool[tests], by `columns.test.codes`: those of which a list promises something,
            whose failing together speaks against the device.
        policy: When a device is suspect.
    """
    return np.asarray(says & ~_suspect(columns, says, listed, policy), np.bool_)


def nights_bad(columns: Columns, says: Bools, asked: Levels) -> Counts:
    """int64[tests]: nights at the end that say something and are not good, on a suspect device or
    not, by the least `Level` that is asked of each test."""
    of, at = columns.test.codes, np.arange(len(columns))
    passed, _ = _attempts(columns, asked[of])
    tail = says & (at > _last(of, at, says & (passed > 0), len(asked))[of])
    return np.asarray(np.bincount(of[tail], minlength=len(asked)), np.int64)


def _is(words: Words, word: str) -> Bools:
    found: Bools = words.codes == words.code(word)
    return found


def _recent(columns: Columns, window: int) -> Bools:
    nights = np.unique(columns.at)
    oldest = nights[-window] if len(nights) > window else -np.inf
    found: Bools = columns.at >= oldest
    return found


def _says_nothing(columns: Columns, levels: Levels) -> Bools:
    """bool[rows]: the machine's doing, the test's own, the harness's, or a stop on the way."""
    bad = levels == Level.BROKEN
    machine = _matching(columns.message, _MACHINE) | _matching(columns.kind, _MACHINE)
    refused = _matching(columns.kind, _REFUSALS)
    own = np.isin(columns.stage, _OWN)
    nowhere = (columns.stage < 0) & _matching(columns.message, re.compile("."))
    nowhere &= columns.outcome == OUTCOMES.index(Outcome.FAILED)
    early = (columns.status > 0) & (columns.status < Status.CONVERTED_TO_TTNN)
    early &= columns.outcome == _REACHED
    found: Bools = bad & (machine | refused | own | nowhere) | early
    return found


def _matching(words: Words, pattern: re.Pattern[str]) -> Bools:
    found: Bools = np.array([bool(pattern.search(w)) for w in words.words], np.bool_)[words.codes]
    return found


def _before_a_change(columns: Columns, counts: Bools) -> Bools:
    """bool[rows]: the model, its input, threshold or golden was another one then.

    Only what came to its end is compared: what fails earlier has not been held to anything, so its
    hash is another one with the same model.
    """
    hashed = np.array([bool(word) for word in columns.ir_hash.words], np.bool_)
    ended = counts & (_LEVELS[columns.outcome] >= Level.COMPILED)
    known = np.flatnonzero(hashed[columns.ir_hash.codes] & ended)
    tests, codes = columns.test.codes[known], columns.ir_hash.codes[known]
    changed = np.flatnonzero((np.diff(codes) != 0) & (np.diff(tests) == 0)) + 1
    since = np.zeros(len(columns.test.words), np.int64)
    np.maximum.at(since, tests[changed], known[changed])
    found: Bools = np.arange(len(columns)) < since[columns.test.codes]
    return found


def _suspect(columns: Columns, counts: Bools, listed: Bools, policy: Counting) -> Bools:
    """bool[rows]: failures of a night and device on which too many good tests failed together:
    listed ones, and others that were good until then.

    A test that had only failed before does not speak against the device, nor does one that began to
    fail by itself, on an earlier night. What goes on for long is no night's accident, unless nearly
    everything fails: then the device is out.
    """
    runs, devices, of = len(columns.run.words), len(columns.device.words), columns.test.codes
    place = columns.device.codes.astype(np.int64) * runs + columns.run.codes
    size = runs * devices
    good = counts & (_LEVELS[columns.outcome] >= Level.COMPILED)
    first = np.full(len(columns.test.words), len(columns), np.int64)
    at = np.flatnonzero(counts)
    np.minimum.at(first, of[at], at)
    first_good = np.full(len(columns.test.words), len(columns), np.int64)
    at = np.flatnonzero(good)
    np.minimum.at(first_good, of[at], at)
    rows = np.arange(len(columns))
    hard = counts & ~good & (columns.passed + columns.incorrect == 0)
    begin = _begin(of, hard, counts)
    asked = listed[of] | (_good_before(of, good, columns) >= STEADY)[begin]
    asked &= counts & ((rows > first_good[of]) | (rows <= first[of]))
    ran = np.bincount(place[asked], minlength=size)
    hard &= asked
    began = columns.run.codes[begin][hard]
    together = np.bincount(place[hard] * runs + began, minlength=size * runs)
    shape = (devices, runs)
    ill = _ill(columns, together.reshape(*shape, runs), ran.reshape(shape), policy)
    found: Bools = ill[place]
    found &= ~good | (columns.failed > 0)
    return found


def _begin(of: npt.NDArray[np.int32], hard: Bools, counts: Bools) -> Counts:
    """int64[rows]: the row with which the failures begin that a failure is one of; of all else the
    row itself."""
    at = np.flatnonzero(counts)
    starts = np.ones(len(at), np.bool_)
    starts[1:] = ~hard[at[1:]] | ~hard[at[:-1]] | (np.diff(of[at]) != 0)
    begins = np.arange(len(of))
    begins[at] = at[np.maximum.accumulate(np.where(starts, np.arange(len(at)), 0))]
    return begins


def _good_before(of: npt.NDArray[np.int32], good: Bools, columns: Columns) -> Counts:
    """int64[rows]: good attempts one after another of the row's test, just before it."""
    rows = np.arange(len(of))
    passed = np.where(good, np.maximum(columns.passed, 1), 0).astype(np.int64)
    sums = np.concatenate(([0], np.cumsum(passed)))
    ends = (columns.counts & ~good) | (columns.failed > 0)
    begins = np.ones(len(of), np.bool_)
    begins[1:] = ends[:-1] | (np.diff(of) != 0)
    since = np.maximum.accumulate(np.where(begins, rows, 0))
    return np.asarray(sums[:-1] - sums[since], np.int64)


def _ill(columns: Columns, together: Counts, ran: Counts, policy: Counting) -> Bools:
    """bool[devices * runs]: nights whose failures say nothing, and the night after each, for a
    device is not well at once. Nights after `suspect_nights` in a row say something again; those in
    which a device is out are none of them, and never do.

    Args:
        together: int64[devices, runs, runs], good tests that fail in a run, by the run in which
            each began to.
        ran: int64[devices, runs], good tests that ran.
    """
    when = columns.at[columns.first_rows] if len(columns) else np.zeros(0)
    order = np.argsort(when, kind="stable").tolist()
    found = np.zeros(ran.shape, np.bool_)
    for device, failing in enumerate(together):
        length, ill = 0, False
        accused = np.zeros(ran.shape[1], np.bool_)
        for run in order:
            accused[run] = True
            failed = failing[run][accused].sum()
            of = ran[device, run] - failing[run][~accused].sum()
            bad = failed >= policy.suspect_tests and failed >= policy.suspect_share * of
            out = bad and failed >= policy.outage_share * of
            length = length + (not out) if bad else 0
            found[device, run] = out or ((bad or ill) and length <= policy.suspect_nights)
            accused[run] = bad or found[device, run]
            ill = bool(found[device, run] and bad)
    return found.ravel()


def seen(columns: Columns, counts: Bools) -> Seen:
    """The rows that count, and each test's last."""
    rows = columns.take(np.flatnonzero(counts))
    last = np.full(len(columns.test.words), -1, np.int64)
    edges = rows.edges()
    if len(rows):
        last[rows.test.codes[edges[:-1]]] = edges[1:] - 1
    level = np.full(len(last), -1, np.int64)
    level[last >= 0] = _LEVELS[rows.outcome[last[last >= 0]]]
    return Seen(rows, last, level)


def streaks(
    found: Seen, asked: Levels, least_flake_rate: float, gates: Bools, enough: int
) -> Streaks:
    """Every test's nights against the level that is asked of it.

    Args:
        found: What counts.
        asked: int64[tests], the least `Level` that is good.
        least_flake_rate: What is known of all tests.
        gates: bool[tests], those that a night runs several times for no sake of their own.
        enough: Witnesses that a control is worth.
    """
    rows, tests = found.rows, len(found.last)
    of, at = rows.test.codes, np.arange(len(rows))
    passed, failed = _attempts(rows, asked[of])
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
        flake_rate=(before + PRIOR * least_flake_rate) / (passes + before + PRIOR),
        first=np.where(found.last < 0, -1, np.maximum(end + 1, starts)),
        witnesses=_witnesses(rows, tail, gates, enough),
    )


def _witnesses(rows: Columns, tail: Bools, gates: Bools, enough: int) -> Counts:
    """int64[tests]: `Streaks.witnesses`.

    A test that gates and was good several times in one night was the control of a confirmation: it
    was good before, between and after the failures, and that is worth `enough`.
    """
    of, runs = rows.test.codes, len(rows.run.words)
    place = rows.device.codes.astype(np.int64) * runs + rows.run.codes
    size = runs * len(rows.device.words)
    good = _LEVELS[rows.outcome] >= Level.COMPILED
    worth = np.where(good, 1, 0)
    control = good & gates[of] & (rows.passed >= CONTROL) & (rows.failed == 0)
    worth = np.where(control, np.maximum(worth, enough), worth)
    there = np.bincount(place, weights=worth, minlength=size).astype(np.int64)
    beside = np.where(tail, there[place] - worth, 0)
    found = np.bincount(of, weights=beside, minlength=len(gates)).astype(np.int64)
    edges = rows.edges()
    device = rows.device.codes[edges[:-1]]
    alone = np.bincount(device, minlength=len(rows.device.words)) == 1
    found[of[edges[:-1]][alone[device]]] = NOBODY
    return np.asarray(found, np.int64)


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


def _attempts(rows: Columns, asked: Levels) -> tuple[Counts, Counts]:
    """int64[rows] each: good attempts, and those that were not, at the level that is asked of each
    row's test.

    Where INCORRECT is good enough (the check is off) so are the attempts that were; of an older
    row, which does not count them, all failures are what the night's outcome says.
    """
    good = _LEVELS[rows.outcome] >= asked
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
