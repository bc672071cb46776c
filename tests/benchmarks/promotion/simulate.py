# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A year of nights whose truth is known, and lists that move by it.

A test is really good or broken on each night, and beside that fails by chance at a rate of its own.
Machines fail by themselves. What moves is held against the truth of the night.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.promotion.decide import Place, Step, propose
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import Policy

Nights = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rates:
    """What happens, and how often."""

    tests: int = 500
    nights: int = 365
    devices: int = 5
    flakes: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    shares: tuple[float, ...] = (0.5, 0.2, 0.1, 0.1, 0.05, 0.05)
    """Of tests at each flake rate."""
    broken_at_first: float = 0.2
    breaks: float = 0.003
    """A good test breaks on a night."""
    fixes: float = 0.03
    """A broken one is mended on a night."""
    sick: float = 0.01
    """A device fails 60 % of its tests on a night."""
    lost: float = 0.01
    """A device's driver is lost on a night: the rest of it is INFRA."""
    outage: float = 0.005
    """Nothing runs on a night."""
    partial: float = 0.03
    """A night runs half of the tests."""
    confirm: int = 10
    """Attempts at most to confirm a failure; they end at the first that is good."""
    steady: float = 0.05
    """Flake rate up to which a careful person lets a test gate a night."""


@dataclass
class Tally:
    """What came of a year."""

    promotions: int = 0
    wrong_promotions: int = 0
    demotions: int = 0
    wrong_demotions: int = 0
    infrastructure: int = 0
    """Edits on a night whose failure was the device's."""
    up_nights: list[int] = field(default_factory=list)
    down_nights: list[int] = field(default_factory=list)
    due: int = 0
    """Moves that a careful person would make."""
    back: list[bool] = field(default_factory=list)
    """Were wrongly demoted tests that stayed good back within 10 nights?"""
    lists: list[str] = field(default_factory=list)
    """Every move, in order, for holding two replays against each other."""


@dataclass
class Year:
    """The truth, made from a seed."""

    rates: Rates
    seed: int

    def __post_init__(self) -> None:
        r, self.rng = self.rates, np.random.default_rng(self.seed)
        self.flake = self.rng.choice(r.flakes, size=r.tests, p=r.shares)
        self.good = np.empty((r.nights, r.tests), np.bool_)
        now = self.rng.random(r.tests) >= r.broken_at_first
        for night in range(r.nights):
            chance = self.rng.random(r.tests)
            now = np.where(now, chance >= r.breaks, chance < r.fixes)
            self.good[night] = now
        self.sick = self.rng.random((r.nights, r.devices)) < r.sick
        self.lost = self.rng.random((r.nights, r.devices)) < r.lost
        self.out = self.rng.random(r.nights) < r.outage
        self.half = self.rng.random(r.nights) < r.partial
        self.names = [f"m{i:04}[full-eval]@d{i % r.devices}" for i in range(r.tests)]

    def samples(self, night: int, places: dict[str, Place], attempts: int) -> list[Sample]:
        """What a night's records say; demoted tests are probed `attempts` times."""
        found: list[Sample] = []
        for test, name in enumerate(self.names):
            if self.half[night] and self.rng.random() < 0.5:
                continue
            device = test % self.rates.devices
            if self.out[night] or (self.lost[night, device] and self.rng.random() < 0.5):
                found.append(_sample(name, device, night, 0, 0, Excluded.MACHINE))
                continue
            sick = self.sick[night, device] and self.rng.random() < 0.6
            rate = 1.0 if sick or not self.good[night, test] else float(self.flake[test])
            standing = places[name].standing if name in places else Standing.NEW
            found.append(_sample(name, device, night, *self._run(rate, standing, attempts)))
        return found

    def _run(self, rate: float, standing: Standing, attempts: int) -> tuple[int, int]:
        """Good attempts and bad ones; a probe ends where its first three were bad."""
        if standing is Standing.FULL:
            bad = 0
            while bad < self.rates.confirm and self.rng.random() < rate:
                bad += 1
            return int(bad < self.rates.confirm), bad
        fails = self.rng.random(attempts) < rate
        return (0, 3) if fails[:3].all() else (int((~fails).sum()), int(fails.sum()))


def _sample(
    name: str, device: int, night: int, good: int, bad: int, excluded: Excluded = Excluded.NONE
) -> Sample:
    outcome = Outcome.INFRA if excluded else Outcome.PASSED if good else Outcome.FAILED
    return Sample(
        run=f"n{night:03}",
        at=float(night),
        test=name,
        device=f"d{device}",
        outcome=outcome,
        excluded=excluded,
        passed=good,
        failed=bad,
    )


def replay(year: Year, policy: Policy) -> Tally:
    """The year, night by night, every move made at once."""
    tally, places, window = Tally(), dict[str, Place](), list[list[Sample]]()
    number = {name: i for i, name in enumerate(year.names)}
    wrong_at: dict[int, int] = {}
    for night in range(year.rates.nights):
        window = [
            *window[-policy.evidence.window :],
            year.samples(night, places, policy.promote.attempts),
        ]
        moves = propose(columns_of(s for n in window for s in n), places, policy)
        for step in moves:
            places[step.test] = Place(step.to, float(night))
            tally.lists.append(f"{night} {step.test} {step.was} {step.to} {step.reason}")
            _held_to_truth(tally, year, night, number[step.test], step, wrong_at)
    _due(tally, year)
    return tally


def _held_to_truth(
    tally: Tally, year: Year, night: int, test: int, step: Step, wrong_at: dict[int, int]
) -> None:
    good, since = year.good[: night + 1, test], _since(year.good[: night + 1, test])
    if step.to is Standing.FULL:
        tally.promotions += 1
        tally.wrong_promotions += bool(not good[-1] or year.flake[test] >= 0.2)
        tally.up_nights += [since] if good[-1] and year.flake[test] == 0 else []
        if test in wrong_at:
            tally.back.append(night - wrong_at.pop(test) <= 10)
    elif step.was is Standing.FULL:
        tally.demotions += 1
        tally.wrong_demotions += bool(good[-1])
        tally.infrastructure += bool(good[-1] and year.sick[night, test % year.rates.devices])
        if good[-1]:
            wrong_at[test] = night
        else:
            tally.down_nights.append(since)
            wrong_at.pop(test, None)


def _since(good: Nights) -> int:
    """Nights that a test has been what it is now, tonight included."""
    other = np.flatnonzero(good != good[-1])
    return len(good) - (int(other[-1]) + 1 if len(other) else 0)


def _due(tally: Tally, year: Year) -> None:
    """Moves of a careful person: a steady test good for 7 nights goes up; broken for 3, down."""
    for test in np.flatnonzero(year.flake <= year.rates.steady):
        up = False
        for night in range(7, year.rates.nights - 7):
            good = year.good[: night + 1, test]
            if not up and good[-7:].all():
                up, tally.due = True, tally.due + 1
            elif up and not good[-3:].any():
                up, tally.due = False, tally.due + 1


def made(tally: Tally) -> Counter[str]:
    """Moves by test."""
    return Counter(line.split(" ")[1] for line in tally.lists)
