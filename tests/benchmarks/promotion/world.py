# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A year of nights whose truth is known: tests that break and are mended, machines that fail.

Nothing here knows the policy. A test is really broken, wrong in its numbers, or correct on each
night, and fails beside that by chance at a rate of its own, which may drift. Devices are sick, lose
their drivers, or only compile; nights are lost or cut short; tests are renamed, and reports say
nothing in every way there is.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bringup.pipeline.promotion.ladder import Level

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rates:
    """What happens, and how often."""

    tests: int = 500
    nights: int = 365
    devices: int = 5
    compile_only: int = 1
    """Of the devices, the last ones."""
    flakes: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    shares: tuple[float, ...] = (0.5, 0.2, 0.1, 0.1, 0.05, 0.05)
    """Of tests at each flake rate."""
    coins: int = 3
    """Tests that fail half of the time, from the start."""
    drifting: int = 5
    """Tests whose flake rate grows from none to a half within 100 nights."""
    broken_at_first: float = 0.2
    wrong_at_first: float = 0.05
    breaks: float = 0.003
    """A good test breaks on a night."""
    goes_wrong: float = 0.0005
    """A correct test becomes INCORRECT on a night."""
    fixes: float = 0.03
    """A broken or wrong one is mended on a night."""
    sick: float = 0.01
    """A device becomes sick on a night."""
    sick_share: float = 0.6
    """Of its tests fail, at every attempt."""
    sick_nights: int = 2
    """At most, one after another."""
    lost: float = 0.01
    """A device's driver is lost on a night: its tests end in INFRA, or only compile."""
    outage: float = 0.005
    """Nothing runs on a night."""
    partial: float = 0.03
    """A night runs half of the tests."""
    noise: float = 0.01
    """A test's night says nothing: killed, no memory, no space, a cached verdict, a refusal."""
    renamed: float = 0.0003
    """A test gets another name on a night; half of them with an alias."""
    reruns: int = -1
    """Of a failure in the night; 0: no confirmation, -1: as many as are wanted."""
    steady: float = 0.05
    """Flake rate up to which a careful person lets a test gate a night."""
    unsteady: float = 0.2
    """Flake rate from which on nobody should."""


@dataclass
class Year:
    """The truth, made from a seed; arrays are [nights, tests] or [nights, devices]."""

    rates: Rates
    seed: int
    level: npt.NDArray[np.int64] = field(init=False)
    """`Level` that a test truly has."""
    flake: npt.NDArray[np.float64] = field(init=False)
    sick: Bools = field(init=False)
    lost: Bools = field(init=False)

    def __post_init__(self) -> None:
        r, self.rng = self.rates, np.random.default_rng(self.seed)
        self.device = np.arange(r.tests) % r.devices
        self.only = self.device >= r.devices - r.compile_only
        self.flake = np.tile(self.rng.choice(r.flakes, size=r.tests, p=r.shares), (r.nights, 1))
        odd = self.rng.permutation(r.tests)[: r.coins + r.drifting]
        self.flake[:, odd[: r.coins]] = 0.5
        for test in odd[r.coins :]:
            start = int(self.rng.integers(r.nights // 4, r.nights))
            self.flake[:, test] = np.clip((np.arange(r.nights) - start) / 200, 0, 0.5)
        self.level = self._levels()
        self.sick = self._spells(r.sick, r.sick_nights)
        self.lost = self._spells(r.lost, 3)
        self.out = self.rng.random(r.nights) < r.outage
        self.half = self.rng.random(r.nights) < r.partial
        self.renamed = self.rng.random((r.nights, r.tests)) < r.renamed
        self.aliased = self.rng.random((r.nights, r.tests)) < 0.5

    def _levels(self) -> npt.NDArray[np.int64]:
        r = self.rates
        best = np.where(self.only, Level.COMPILED, Level.CORRECT)
        chance = self.rng.random(r.tests)
        now = np.where(chance < r.broken_at_first, Level.BROKEN, best)
        wrong = (chance > 1 - r.wrong_at_first) & ~self.only
        now = np.where(wrong, Level.INCORRECT, now)
        found = np.empty((r.nights, r.tests), np.int64)
        for night in range(r.nights):
            chance = self.rng.random(r.tests)
            good = now == best
            worse = np.where(chance < r.breaks, Level.BROKEN, now)
            wrong = (chance > 1 - r.goes_wrong) & ~self.only
            worse = np.where(wrong, Level.INCORRECT, worse)
            now = np.where(good, worse, np.where(chance < r.fixes, best, now))
            found[night] = now
        return found

    def _spells(self, rate: float, longest: int) -> Bools:
        r = self.rates
        found = np.zeros((r.nights, r.devices), np.bool_)
        for night, device in np.argwhere(self.rng.random(found.shape) < rate):
            found[night : night + int(self.rng.integers(1, longest + 1)), device] = True
        return found

    def fit(self, night: int) -> Bools:
        """bool[tests]: a careful person would have it at the top of its device."""
        best = np.where(self.only, Level.COMPILED, Level.CORRECT)
        found: Bools = self.level[night] == best
        return found
