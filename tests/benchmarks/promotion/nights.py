# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the nights of a made year say, as a history's columns, and where tests are asked to run."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import Outcome, Stage
from bringup.pipeline.history.judge.columns import (
    EXCLUSIONS,
    OUTCOMES,
    STAGES,
    Columns,
    Words,
)
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.promotion.ladder import GATES, RISING, Level, Standing
from bringup.pipeline.promotion.weighing import Place
from tests.benchmarks.made_columns import made_columns
from tests.benchmarks.promotion.world import Year

Ints = npt.NDArray[np.int32]
KINDS = ("", "MemoryError", "ExportRefusal")
MESSAGES = ("", "No space left on device", "device hung")
_CODE = {outcome: OUTCOMES.index(outcome) for outcome in Outcome}
_END = {
    Level.BROKEN: _CODE[Outcome.FAILED],
    Level.COMPILED: _CODE[Outcome.REACHED],
    Level.INCORRECT: _CODE[Outcome.INCORRECT],
    Level.CORRECT: _CODE[Outcome.PASSED],
}


class Nights:
    """The year as it is run: [nights, tests] of what records say; -1 where nothing ran."""

    def __init__(self, year: Year) -> None:
        self.year = year
        shape = year.level.shape
        self.rng = np.random.default_rng(year.seed + 1_000_003)
        self.outcome = np.full(shape, -1, np.int32)
        self.passed, self.failed = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        self.incorrect, self.excluded = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        self.kind, self.message = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        self.names = [f"m{i:04}[full-eval]@d{d}" for i, d in enumerate(year.device)]
        self.since = np.zeros(shape[1], np.int64)
        """The first night under its name."""

    def run(self, night: int, places: Mapping[str, Place], wanted: Mapping[str, int]) -> None:
        """One night; `wanted` attempts of tests that may go up, as `attempts_wanted` says."""
        y, r = self.year, self.year.rates
        self._rename(night)
        if y.out[night]:
            return
        runs = ~(y.half[night] & (self.rng.random(r.tests) < 0.5))
        gates = np.array([_among(GATES, places.get(n)) for n in self.names], np.bool_)
        rises = np.array([_among(RISING, places.get(n)) for n in self.names], np.bool_)
        rises &= ~y.only | ~gates
        most = np.array([wanted.get(name, 1) for name in self.names])
        sick = y.sick[night][y.device] & (self.rng.random(r.tests) < r.sick_share)
        bad = sick | (y.level[night] == Level.BROKEN)
        rate = np.where(bad, 1.0, y.flake[night])
        good, failures = self._attempts(rate, gates, rises, most)
        full = [_among((Standing.FULL,), places.get(n)) for n in self.names]
        wrong_again = np.array(full) & ~bad & (y.level[night] == Level.INCORRECT) & (good > 0)
        level = np.where((good > 0) & ~bad, y.level[night], Level.BROKEN)
        wrong = level == Level.INCORRECT
        best = np.isin(level, (Level.CORRECT, Level.COMPILED))
        self.outcome[night] = np.where(runs, np.vectorize(_END.__getitem__)(level), -1)
        self.passed[night] = np.where(best, good, 0)
        self.failed[night] = failures + np.where(wrong, good, 0)
        again = self._confirmations(most)
        self.failed[night] = np.where(wrong_again, again, self.failed[night])
        self.incorrect[night] = np.where(wrong_again, again, np.where(wrong, good, 0))
        self._lose(night, runs)

    def _attempts(
        self,
        rate: npt.NDArray[np.float64],
        gates: npt.NDArray[np.bool_],
        rises: npt.NDArray[np.bool_],
        most: Ints,
    ) -> tuple[Ints, Ints]:
        """A failure of a list that gates is run again until it is good; what may go up, until it
        fails."""
        wide = max(int(most.max()), 16)
        fails = np.ones((len(rate), wide + 1), np.bool_)
        fails[:, :wide] = self.rng.random((len(rate), wide)) < rate[:, None]
        passes = np.minimum(fails.argmax(axis=1), np.where(rises, most, 1))
        broken = (passes < most) & rises & (passes > 0)
        failures = np.where(passes == 0, 1, broken).astype(np.int64)
        confirmed = gates & fails[:, 0]
        again = self._confirmations(most)
        in_a_row = np.where(fails.all(axis=1), wide, (~fails).argmax(axis=1))
        passes = np.where(confirmed, in_a_row < again, passes)
        failures = np.where(confirmed, np.minimum(in_a_row, again), failures)
        return passes.astype(np.int32), failures.astype(np.int32)

    def _confirmations(self, most: Ints) -> Ints:
        """Attempts in all at a test that gates, if its first fails."""
        reruns = self.year.rates.reruns
        if reruns < 0:
            return most
        return np.full(len(most), 1 + reruns, np.int32)

    def _lose(self, night: int, runs: npt.NDArray[np.bool_]) -> None:
        """What the machines take away of a night."""
        y, r = self.year, self.year.rates
        lost = y.lost[night][y.device] & runs
        noisy = runs & ~lost & (self.rng.random(r.tests) < r.noise)
        infra = lost & ((self.rng.random(r.tests) < 0.5) | y.only)
        which = self.rng.integers(0, 6, r.tests)
        failed = np.zeros(r.tests, np.bool_)
        for case, (outcome, excluded) in enumerate(_NOTHING):
            mine = (noisy & (which == case)) | (infra if case == 0 else failed)
            self.outcome[night, mine] = _CODE[outcome]
            self.excluded[night, mine] = EXCLUSIONS.index(excluded)
            self.kind[night, mine] = {3: 1, 4: 2}.get(case, 0)
            self.message[night, mine] = {5: 1 + night % 2}.get(case, 0)
            self.passed[night, mine] = self.incorrect[night, mine] = 0
            self.failed[night, mine] = outcome is Outcome.FAILED
        compiles = lost & ~infra
        self.outcome[night, compiles] = _CODE[Outcome.REACHED]
        self.passed[night, compiles], self.failed[night, compiles] = 1, 0
        self.incorrect[night, compiles] = 0

    def _rename(self, night: int) -> None:
        """Without an alias a renamed test begins anew, and its old name is never seen again."""
        for test in np.flatnonzero(self.year.renamed[night]):
            if not self.year.aliased[night, test]:
                self.names[test] = f"r{night}{self.names[test]}"
                self.since[test] = night

    def columns(self, night: int, window: int) -> Columns:
        """What history has after a night, of its last nights."""
        start = max(night - window + 1, 0)
        span = np.arange(start, night + 1)
        ran = (self.outcome[start : night + 1] >= 0) & (span[:, None] >= self.since)
        tests, nights = np.nonzero(ran.T)
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        rank = np.argsort(order)
        rows = np.argsort(rank[tests], kind="stable")
        tests, nights = tests[rows], nights[rows] + start
        names = tuple(self.names[i] for i in order)
        bad = self.outcome[nights, tests] == _CODE[Outcome.FAILED]
        return made_columns(
            len(tests),
            test=Words(rank[tests].astype(np.int32), names),
            run=Words((nights - start).astype(np.int32), tuple(f"n{n:03}" for n in span)),
            at=nights.astype(np.float64),
            device=Words(
                self.year.device[tests].astype(np.int32),
                tuple(f"d{d}" for d in range(self.year.rates.devices)),
            ),
            outcome=self.outcome[nights, tests],
            excluded=self.excluded[nights, tests],
            stage=np.where(bad, STAGES.index(Stage.EXECUTE), -1).astype(np.int32),
            passed=self.passed[nights, tests],
            failed=self.failed[nights, tests],
            incorrect=self.incorrect[nights, tests],
            kind=Words(self.kind[nights, tests], KINDS),
            message=Words(self.message[nights, tests], MESSAGES),
        )


_NOTHING = (
    (Outcome.INFRA, Excluded.MACHINE),
    (Outcome.KILLED, Excluded.MACHINE),
    (Outcome.PASSED, Excluded.CACHED),
    (Outcome.FAILED, Excluded.NONE),  # of memory
    (Outcome.FAILED, Excluded.NONE),  # a refusal
    (Outcome.FAILED, Excluded.NONE),  # no space, a device that hung
)


def _among(standings: tuple[Standing, ...], place: Place | None) -> bool:
    return (place.standing if place else Standing.NEW) in standings
