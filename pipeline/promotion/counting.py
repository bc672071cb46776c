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
