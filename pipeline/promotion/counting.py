# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which rows of a history are evidence: not the machine's doing, nor the test's own, nor what was
seen on a device that many tests accuse.

Rows are those of `Columns`: ordered by test, then time. Arrays have one entry a row or, where it
is said, one a test.
"""

import re
from collections.abc import Collection

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
LEVELS = np.array([LEVEL_OF.get(outcome, -1) for outcome in OUTCOMES], np.int64)
"""By the code of an outcome its `Level`; -1 of one that is no evidence."""
_REACHED = OUTCOMES.index(Outcome.REACHED)
_PARTIAL = EXCLUSIONS.index(Excluded.PARTIAL)
STEADY = 10
"""Good attempts one after another that make a test a witness of its device."""


def telling(columns: Columns, compile_only: Collection[str], policy: Counting) -> Bools:
    """bool[rows]: which rows say something of a test, as far as each can be told by itself.

    Args:
        columns: The history of full flows; rows that it excludes itself never count.
        compile_only: Devices that cannot execute. On all others a stop before executing is
            somebody's wish, or a lost driver.
        policy: What is too old.
    """
    levels = LEVELS[columns.outcome]
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
    ended = counts & (LEVELS[columns.outcome] >= Level.COMPILED)
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
    good = counts & (LEVELS[columns.outcome] >= Level.COMPILED)
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
    devices, runs = ran.shape
    found, accused = np.zeros((2, devices, runs), np.bool_)
    length, ill = np.zeros(devices, np.int64), np.zeros(devices, np.bool_)
    for run in np.argsort(when, kind="stable").tolist():
        accused[:, run] = True
        failing, there = together[:, run], ran[:, run] > 0  # a run of other devices changes nothing
        failed = (failing * accused).sum(axis=1)
        of = ran[:, run] - (failing * ~accused).sum(axis=1)
        bad = (failed >= policy.suspect_tests) & (failed >= policy.suspect_share * of)
        out = bad & (failed >= policy.outage_share * of)
        length = np.where(there, np.where(bad, length + ~out, 0), length)
        found[:, run] = there & (out | ((bad | ill) & (length <= policy.suspect_nights)))
        accused[:, run] = bad | found[:, run]
        ill = np.where(there, found[:, run] & bad, ill)
    return found.ravel()
