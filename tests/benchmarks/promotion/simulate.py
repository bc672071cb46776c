# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Lists that move by a made year's nights, held against its truth."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.promotion.decide import Step, applied, attempts_wanted, propose
from bringup.pipeline.promotion.ladder import NEEDS, RANK, Level, Standing
from bringup.pipeline.promotion.policy import Policy
from bringup.pipeline.promotion.weighing import Place
from tests.benchmarks.promotion.nights import Nights
from tests.benchmarks.promotion.world import Year

PATIENCE = 7
"""Nights after which a careful person has made a move that is due."""
BACK = 10
"""Nights within which a good test that was taken off is back."""
_TOPS = (Standing.FULL, Standing.COMPILE)


@dataclass
class Tally:
    """What came of a year."""

    promotions: int = 0
    wrong_promotions: int = 0
    demotions: int = 0
    wrong_demotions: int = 0
    infrastructure: int = 0
    """Demotions of good tests on a device that was sick or lost then or the night before."""
    hard: int = 0
    """Demotions of tests that had broken for good."""
    same_night: int = 0
    up_nights: list[int] = field(default_factory=list)
    down_nights: list[int] = field(default_factory=list)
    due: int = 0
    made: int = 0
    back: list[bool] = field(default_factory=list)
    """Of good tests that were taken off by hand or by mistake: back within `BACK` nights?"""
    digest: str = ""
    """Of every move in its order, with its reason."""
    wrong: list[str] = field(default_factory=list)
    """Each wrong move, with its night and the truth."""


def replay(year: Year, policy: Policy, *, taken_off: int = 100) -> Tally:
    """The year, night by night, every move made at once.

    `taken_off` good, steady tests are taken off nightly full by hand, spread over the year.
    """
    tally, nights = Tally(), Nights(year)
    places, digest = _at_first(year, nights), hashlib.sha256()
    only = [f"d{d}" for d in range(year.rates.devices) if year.only[d]]
    standing: npt.NDArray[np.object_] = np.empty(year.level.shape, object)
    off: dict[int, int] = {}
    rng = np.random.default_rng(year.seed + 77)
    columns = columns_of([])
    for night in range(year.rates.nights):
        wanted = attempts_wanted(columns, places, policy, only)
        nights.run(night, places, wanted)
        columns = nights.columns(night, policy.evidence.window)
        steps = propose(columns, places, policy, only)
        number = {name: i for i, name in enumerate(nights.names)}
        for step in steps:
            digest.update(f"{night} {step}\n".encode())
            if step.test in number:
                _held_to_truth(tally, year, night, number[step.test], step, off)
        places = applied(places, steps, float(night))
        if (
            night > 30
            and len(tally.back) + len(off) < taken_off
            and night + BACK + 2 < len(standing)
        ):
            places = _take_off(year, nights, night, places, off, rng)
        _renamed_entries(nights, places)
        standing[night] = [_standing(places, name) for name in nights.names]
        for test, since in list(off.items()):
            if night - since >= BACK:
                tally.back.append(False)
                del off[test]
    _due(tally, year, standing, nights)
    tally.digest = digest.hexdigest()
    return tally


def _at_first(year: Year, nights: Nights) -> dict[str, Place]:
    """Most tests are listed where they belong, some where they do not, some nowhere."""
    found = {}
    for test, name in enumerate(nights.names):
        if test % 10 == 0:
            continue
        top = Standing.COMPILE if year.only[test] else Standing.FULL
        lists = {Level.BROKEN: Standing.OP_BY_OP, Level.INCORRECT: Standing.INCORRECT}
        found[name] = Place(lists.get(Level(int(year.level[0, test])), top))
    return found


def _standing(places: dict[str, Place], name: str) -> Standing:
    return places[name].standing if name in places else Standing.NEW


def _renamed_entries(nights: Nights, places: dict[str, Place]) -> None:
    """Entries of names that are gone are taken off, as `nox -s lists` asks for."""
    for name in set(places) - set(nights.names):
        del places[name]


def _take_off(
    year: Year,
    nights: Nights,
    night: int,
    places: dict[str, Place],
    off: dict[int, int],
    rng: np.random.Generator,
) -> dict[str, Place]:
    """One good, steady test that stays good is demoted for nothing."""
    stays = year.level[night : night + BACK + 2] == Level.CORRECT
    fit = stays.all(axis=0) & (year.flake[night] <= year.rates.steady)
    on = [i for i in np.flatnonzero(fit) if _standing(places, nights.names[i]) is Standing.FULL]
    quiet = [i for i in on if not year.renamed[night : night + BACK + 2, i].any()]
    if rng.random() < 0.3 and quiet:
        test = int(rng.choice(quiet))
        off[test] = night
        places = places | {nights.names[test]: Place(Standing.OP_BY_OP, night, night)}
    return places


def _held_to_truth(
    tally: Tally, year: Year, night: int, test: int, step: Step, off: dict[int, int]
) -> None:
    level, flake = int(year.level[night, test]), float(year.flake[night, test])
    if step.up and step.to is not Standing.OP_BY_OP:
        tally.promotions += 1
        wrong = level < NEEDS[step.to] or flake >= year.rates.unsteady
        tally.wrong_promotions += wrong
        if step.to in _TOPS and flake == 0 and test not in off:
            tally.up_nights.append(_nights_as_now(year, night, test))
        if test in off and step.to is Standing.FULL:
            tally.back.append(night - off.pop(test) <= BACK)
    elif RANK[step.to] < RANK[step.was]:
        tally.demotions += 1
        quarantined = step.to is Standing.QUARANTINE
        asked = NEEDS[step.was]
        wrong = flake < 0.35 if quarantined else level >= asked and flake < 0.5
        tally.wrong_demotions += wrong
        device = year.device[test]
        ill = (year.sick | year.lost)[max(night - 1, 0) : night + 1, device].any()
        tally.infrastructure += bool(wrong and ill)
        if not wrong and not quarantined:
            tally.hard += 1
            since = _nights_as_now(year, night, test) - 1
            tally.down_nights.append(since)
            tally.same_night += since == 0
    else:
        return
    if wrong:
        tally.wrong.append(f"{night} flake {flake:.2f} level {level} {step}")


def _nights_as_now(year: Year, night: int, test: int) -> int:
    """Nights that a test has been what it is now, tonight included; lost ones do not count."""
    levels = year.level[: night + 1, test]
    other = np.flatnonzero(levels != levels[-1])
    first = int(other[-1]) + 1 if len(other) else 0
    lost = year.out | year.lost[:, year.device[test]] | year.half
    return int((~lost[first:night]).sum()) + 1


def _due(
    tally: Tally,
    year: Year,
    standing: npt.NDArray[np.object_],
    nights: Nights,
) -> None:
    """Moves of a careful person: what lasts for `PATIENCE` nights is where it belongs by then."""
    steady = year.flake.max(axis=0) <= year.rates.steady
    names = nights.since
    for test in np.flatnonzero(steady & (names == 0)):
        levels = year.level[:, test]
        starts = [0, *(np.flatnonzero(np.diff(levels)) + 1)]
        for start, end in zip(starts, [*starts[1:], len(levels)], strict=True):
            if end - start <= PATIENCE:
                continue
            level = Level(int(levels[start]))
            wanted = {
                Level.BROKEN: (Standing.OP_BY_OP, Standing.NEW),
                Level.COMPILED: (Standing.COMPILE,),
                Level.INCORRECT: (Standing.INCORRECT,),
                Level.CORRECT: (Standing.FULL,),
            }[level]
            tally.due += 1
            tally.made += bool(standing[start + PATIENCE, test] in wanted)
