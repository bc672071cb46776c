# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Samples as columns: a year of them is judged in arrays, and only what is told becomes objects.

Rows are ordered by test, then time, so that a test's series is a slice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import GOOD, Outcome, Stage
from bringup.pipeline.history.samples import Excluded, Sample

Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

OUTCOMES = tuple(Outcome)
EXCLUSIONS = tuple(Excluded)
STAGES = tuple(Stage)
_IS_GOOD = np.array([outcome in GOOD for outcome in OUTCOMES])


@dataclass(frozen=True)
class Words:
    """A column of texts, each kept once."""

    codes: Codes
    """int32[rows], positions in `words`."""
    words: tuple[str, ...]

    def __getitem__(self, row: int) -> str:
        return self.words[int(self.codes[row])]

    def code(self, word: str) -> int:
        """The position of a value; -1 of one that no row has."""
        return self.words.index(word) if word in self.words else -1

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Words":
        """Encode texts, the words in the order in which they come."""
        known: dict[str, int] = {}
        codes = np.fromiter(
            (known.setdefault(t, len(known)) for t in texts), np.int32, count=len(texts)
        )
        return cls(codes, tuple(known))


@dataclass(frozen=True)
class Columns:
    """Samples of many tests in many runs. Arrays have one entry a row; NaN stands for None."""

    test: Words
    run: Words
    at: Floats
    device: Words
    outcome: Codes
    """Positions in `OUTCOMES`."""
    excluded: Codes
    """Positions in `EXCLUSIONS`."""
    stage: Codes
    """Positions in `STAGES`; -1 where it came to its end."""
    status: Codes
    passed: Codes
    failed: Codes
    pcc: Floats
    seconds: Floats
    memory: Floats
    fingerprint: Words
    ir_hash: Words
    artifact_hash: Words
    versions: Words
    list_name: Words
    nodeid: Words
    missing: Bools
    failed_op: Words
    kind: Words
    message: Words
    incorrect: Codes = field(default_factory=lambda: np.zeros(0, np.int32))
    """Without it no row has any."""

    def __post_init__(self) -> None:
        """Fill in what is left out."""
        if len(self.incorrect) != len(self.at):
            object.__setattr__(self, "incorrect", np.zeros(len(self.at), np.int32))

    def __len__(self) -> int:
        return len(self.at)

    @property
    def good(self) -> Bools:
        """bool[rows]: the outcome needs nobody's attention."""
        found: Bools = _IS_GOOD[self.outcome]
        return found

    @property
    def counts(self) -> Bools:
        """bool[rows]: the sample is evidence."""
        found: Bools = self.excluded == 0
        return found

    def attempts(self) -> tuple[Counts, Counts]:
        """Bad attempts and all of them, as int64[rows].

        A run that came out both ways is a flake, and no night on which the test was bad: it counts
        once, as good. Without counted attempts the outcome is the one there was.
        """
        good = self.good
        passed = self.passed.astype(np.int64)
        failed = self.failed.astype(np.int64)
        uncounted = passed + failed == 0
        passed[uncounted & good] = 1
        failed[uncounted & ~good] = 1
        mixed = (passed > 0) & (failed > 0)
        bad = np.where(mixed, 0, failed)
        return bad, np.where(mixed, 1, passed + failed)

    @cached_property
    def first_rows(self) -> Counts:
        """int64[runs]: some row of each run; -1 of one that has none here."""
        found = np.full(len(self.run.words), -1, np.int64)
        found[self.run.codes] = np.arange(len(self))
        return found

    def edges(self) -> Counts:
        """Where the tests' rows begin, and at last their number."""
        if not len(self):
            return np.zeros(1, np.int64)
        changes = np.flatnonzero(np.diff(self.test.codes)) + 1
        return np.concatenate(([0], changes, [len(self)])).astype(np.int64)

    def take(self, rows: Any) -> "Columns":
        """Some rows, in the order given; `rows` is whatever indexes an array."""
        taken: dict[str, Any] = {
            name: Words(value.codes[rows], value.words) if isinstance(value, Words) else value[rows]
            for name, value in ((f.name, getattr(self, f.name)) for f in fields(self))
        }
        return Columns(**taken)

    def sample(self, row: int) -> Sample:
        """A row as the value it was made of."""
        return Sample(
            run=self.run[row],
            at=float(self.at[row]),
            test=self.test[row],
            device=self.device[row],
            outcome=OUTCOMES[self.outcome[row]],
            stage=STAGES[self.stage[row]] if self.stage[row] >= 0 else None,
            status=int(self.status[row]),
            excluded=EXCLUSIONS[self.excluded[row]],
            passed=int(self.passed[row]),
            failed=int(self.failed[row]),
            incorrect=int(self.incorrect[row]),
            pcc=_number(self.pcc[row]),
            seconds=_number(self.seconds[row]),
            memory=None if np.isnan(self.memory[row]) else int(self.memory[row]),
            fingerprint=self.fingerprint[row],
            ir_hash=self.ir_hash[row],
            artifact_hash=self.artifact_hash[row],
            versions=self.versions[row],
            list_name=self.list_name[row],
            nodeid=self.nodeid[row],
            missing=bool(self.missing[row]),
            failed_op=self.failed_op[row],
            kind=self.kind[row],
            message=self.message[row],
        )


def columns_of(samples: Iterable[Sample]) -> Columns:
    """Columns of samples in any order."""
    rows = sorted(samples, key=lambda s: (s.test, s.at, s.run))

    def codes(values: Iterable[int]) -> Codes:
        return np.fromiter(values, np.int32, count=len(rows))

    def numbers(values: Iterable[float | None]) -> Floats:
        return np.array([np.nan if v is None else v for v in values], np.float64)

    outcomes = {word: i for i, word in enumerate(OUTCOMES)}
    exclusions = {word: i for i, word in enumerate(EXCLUSIONS)}
    stages: dict[Stage | None, int] = {None: -1, **{word: i for i, word in enumerate(STAGES)}}
    return Columns(
        test=Words.of([s.test for s in rows]),
        run=Words.of([s.run for s in rows]),
        at=numbers(s.at for s in rows),
        device=Words.of([s.device for s in rows]),
        outcome=codes(outcomes[s.outcome] for s in rows),
        excluded=codes(exclusions[s.excluded] for s in rows),
        stage=codes(stages[s.stage] for s in rows),
        status=codes(s.status for s in rows),
        passed=codes(s.passed for s in rows),
        failed=codes(s.failed for s in rows),
        incorrect=codes(s.incorrect for s in rows),
        pcc=numbers(s.pcc for s in rows),
        seconds=numbers(s.seconds for s in rows),
        memory=numbers(s.memory for s in rows),
        fingerprint=Words.of([s.fingerprint for s in rows]),
        ir_hash=Words.of([s.ir_hash for s in rows]),
        artifact_hash=Words.of([s.artifact_hash for s in rows]),
        versions=Words.of([s.versions for s in rows]),
        list_name=Words.of([s.list_name for s in rows]),
        nodeid=Words.of([s.nodeid for s in rows]),
        missing=np.array([s.missing for s in rows], np.bool_),
        failed_op=Words.of([s.failed_op for s in rows]),
        kind=Words.of([s.kind for s in rows]),
        message=Words.of([s.message for s in rows]),
    )


def ordered(columns: Columns) -> Columns:
    """Columns whose rows are in any order, by test and time, as everything here takes them."""
    rank = np.argsort(np.argsort(np.array(columns.test.words, dtype=object), kind="stable"))
    order = np.lexsort((columns.at, rank[columns.test.codes]))
    return columns.take(order)


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
