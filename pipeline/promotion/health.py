# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How well each device was on each night, and which of its tests are broken, told apart by all of
its tests together.

A hidden Markov model, one for a device, filtered and smoothed night by night (Rabiner, "A tutorial
on hidden Markov models", 1989, section III). A device is well, or sick so that a share s of its
good tests fails, and who is sick mostly is so on the next night too. A test is good or broken,
seldom changes, and fails beside that at its own rate, as far as its nights until then say. Its n
failures of a night, none of its attempts being good, have the probabilities

    broken      1
    good, well  c = product of (p w + f + i) / (w + f + g + i) for i < n, as in `weighing`
    good, sick  (s + s^n) / 2 + (1 - s) c

since what is sick fails a test all night, or each attempt anew; where a test was run between the
failures and was good, each attempt anew. Given a device's state its tests are independent. What is
believed of a test follows from its own night and from what the *others* say of the device: none is
its own witness.

So a test that begins to fail alone among many good ones is broken; many at once are a sick device,
for as long as every night fails others; the same ones night after night, with the rest good, are
broken after all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bringup.pipeline.history.judge.columns import Bools, Codes, Columns, Counts, Floats
from bringup.pipeline.promotion.evidence import PRIOR
from bringup.pipeline.promotion.policy import Counting, Policy

Table = npt.NDArray[np.float64]
SHARES = np.array([0.0, 0.2, 0.35, 0.5, 0.7, 0.9, 0.995])
"""Of a device's good tests that fail: none of one that is well, then the ways to be sick."""
OTHERWISE = 0.1
"""A device that stays sick is so in any way, not in last night's, with this chance."""
MENDED = 0.01
"""The chance that a broken test is good again on a night,"""
LUCKY = 0.002
"""and that it has a good attempt."""
LISTED, OTHERS = 0.15, 0.6
"""Of tests of which nothing is known so many are broken: of those that gate, and of the rest."""
USUALLY = 0.3
"""What is taken for the chance that a good test fails on a night of a device that stays sick."""
STUCK, CROWD = 0.3, 3
"""The chance that a device which was sick the night before fails the same tests again, if they are
as many as that. It is looked at for `sick_nights`: what lasts longer is no spell."""
CONTROL = 3
"""Good attempts in a night of a test that gates: it was run between the failures of others."""
_MOST = 60
"""Failures of a night that are counted."""
_LEAST = 1e-300


@dataclass(frozen=True)
class Health:
    """What is known of devices and of tests."""

    sick: Table
    """float[devices, runs]: the chance that a device was not well, by all nights; 0 without any."""
    good: Floats
    """float[tests]: the chance that a test is good after its newest night."""


@dataclass(frozen=True)
class _Night:
    """What one run says; arrays have one entry a test that ran."""

    run: int
    tests: Codes
    passed: Floats
    failed: Floats
    hindsight: Floats
    """How likely what came later is of a test that is broken now, against one that is good."""


def health(
    columns: Columns,
    attempts: tuple[Counts, Counts],
    says: Bools,
    gates: tuple[Bools, Bools],
    policy: Policy,
) -> Health:
    """What all nights say together.

    Args:
        columns: The history of full flows.
        attempts: int64[rows] each, good attempts at the level that is asked of the row's test, and
            those that were not.
        says: bool[rows]: which rows say something of a test.
        gates: bool[tests] each: those that gate, and those of them that may go up no further, and
            are run several times for the sake of others only.
        policy: How often tests break, devices fall sick, and steady tests fail.
    """
    tests, devices = len(columns.test.words), len(columns.device.words)
    given, least = policy.evidence, policy.demote.least_flake_rate
    device = np.zeros(tests, np.int64)
    device[columns.test.codes] = columns.device.codes
    turn, state = _turn(given), np.tile(_first(given), (devices, 1))
    broken = np.where(gates[0], LISTED, OTHERS)
    flakes, passes = np.full(tests, PRIOR * least), np.full(tests, PRIOR * (1 - least))
    before, after = np.zeros((2, len(columns.run.words), devices, len(SHARES)))
    failed_last, spell, order = np.zeros(tests, np.bool_), np.zeros(devices, np.int64), []
    for night in _nights(columns, attempts, says):
        order.append(night.run)
        of = night.tests
        here, at = np.unique(device[of], return_inverse=True)
        before[night.run, here] = state[here] @ turn
        was = broken[of] * (1 - MENDED) + (1 - broken[of]) * given.break_rate
        control = gates[1][of] & (night.failed == 0) & (night.passed >= CONTROL)
        watched = np.bincount(at, weights=control, minlength=len(here))[at] > 0
        good = _likely(night, flakes[of], passes[of], control, watched)
        fails = night.passed == 0
        crowd = np.bincount(at, weights=fails & failed_last[of], minlength=len(here))[at] >= CROWD
        early = (spell[here] > 0) & (spell[here] < given.sick_nights)
        same = np.where(crowd & early[at], STUCK, 0.0)
        good[1:] = _stuck(good, fails, failed_last[of], same)
        bad = np.where(night.passed > 0, LUCKY, 1.0)
        each = was * bad + (1 - was) * good
        said = np.log(np.maximum(was * bad * night.hindsight + (1 - was) * good, _LEAST))
        total = np.log(np.maximum(before[night.run, here].T, _LEAST))
        total += np.array([np.bincount(at, weights=way, minlength=len(here)) for way in said])
        state[here] = after[night.run, here] = _shares_of(total).T
        others = _shares_of(total[:, at] - said)
        broken[of] = was * bad / np.maximum((others * each).sum(axis=0), _LEAST)
        spell[here], failed_last[of] = np.where(state[here, 0] < 0.5, spell[here] + 1, 0), fails
        flakes[of] += night.failed * others[0] * (1 - broken[of])
        passes[of] += night.passed
    return Health(_smoothed(order, before, after, turn), 1 - broken)


def _first(given: Counting) -> Floats:
    """float[states]: what a device is before anything is known of it."""
    ways, odds = len(SHARES) - 1, given.sick_rate * given.sick_nights
    return np.array([1.0, *[odds / ways] * ways]) / (1 + odds)


def _turn(given: Counting) -> Table:
    """float[states, states]: from one night to the next."""
    ways, stays = len(SHARES) - 1, 1 - 1 / given.sick_nights
    found = np.full((ways + 1, ways + 1), stays * OTHERWISE / ways)
    found[np.diag_indices(ways + 1)] += stays * (1 - OTHERWISE)
    found[:, 0] = 1 - stays
    found[0, 0], found[0, 1:] = 1 - given.sick_rate, given.sick_rate / ways
    return found


def _nights(columns: Columns, attempts: tuple[Counts, Counts], says: Bools) -> Iterator[_Night]:
    """Runs in the order of their time, each with its tests."""
    passed, failed = attempts
    when = np.zeros(len(columns.run.words))
    when[columns.run.codes] = columns.at
    turn = np.empty(len(when), np.int64)
    turn[np.argsort(when, kind="stable")] = np.arange(len(when))
    rows, later = np.flatnonzero(says), np.ones(len(columns))
    later[rows] = _hindsight(columns.test.codes[rows], passed[rows] == 0)
    rows = rows[np.argsort(turn[columns.run.codes[rows]], kind="stable")]
    edges = np.flatnonzero(np.diff(columns.run.codes[rows], prepend=-1, append=-1))
    for start, end in pairwise(edges.tolist()):
        mine = rows[start:end]
        tests, at = np.unique(columns.test.codes[mine], return_inverse=True)
        each = (passed[mine], failed[mine], later[mine])
        sums = [np.bincount(at, weights=one).astype(np.float64) for one in each]
        yield _Night(
            int(columns.run.codes[mine[0]]), tests, sums[0], sums[1], sums[2] / np.bincount(at)
        )


def _hindsight(of: Codes, bad: Bools) -> Floats:
    """float[rows]: `_Night.hindsight` of rows in the order of tests, then time.

    Failures that ended soon were of a device more likely than of a test that was mended by then.
    """
    at, found = np.arange(len(of)), np.ones(len(of))
    good = np.minimum.accumulate(np.where(bad, len(of), at)[::-1])[::-1]
    ended = bad & (good < len(of))
    ended[ended] = of[good[ended]] == of[ended]
    left = (good - at - 1)[ended]
    found[ended] = np.minimum(MENDED / USUALLY ** np.minimum(left, 100), 1.0)
    return found


def _likely(night: _Night, flakes: Floats, passes: Floats, control: Bools, watched: Bools) -> Table:
    """float[states, tests]: how likely a night's attempts are of a test that is good.

    Args:
        night: What they came to.
        flakes: float[tests], failures until then, a prior's share included.
        passes: float[tests], the same of good attempts.
        control: bool[tests], each of whose attempts says something of the device.
        watched: bool[tests], with a control on their device.
    """
    n, share = night.failed, SHARES[:, None]
    chance = np.ones(len(n))
    for i in range(int(min(n.max(initial=0), _MOST))):
        chance *= np.where(i < n, (flakes + i) / (flakes + passes + i), 1.0)
    anew = share**n
    fails = np.where(watched, anew, (share + anew) / 2) + (1 - share) * chance
    among = (1 - share) * (chance + np.maximum(anew, chance)) / 2
    clean = (1 - share) ** np.where(control, night.passed, 1)
    return np.where(night.passed == 0, fails, np.where(n > 0, among, clean))


def _stuck(good: Table, fails: Bools, failed_last: Bools, chance: Floats) -> Table:
    """float[states but the first, tests]: `_likely` with the chance, float[tests], that what is
    sick fails the tests that it failed the night before, and no others."""
    same = np.where(failed_last, np.where(fails, 1.0, LUCKY), good[0])
    return np.asarray((1 - chance) * good[1:] + chance * same, np.float64)


def _shares_of(logs: Table) -> Table:
    """Of log-likelihoods by state what each state's share is; float[states, ...]."""
    found = np.exp(logs - logs.max(axis=0))
    return np.asarray(found / found.sum(axis=0), np.float64)


def _smoothed(order: list[int], before: Table, after: Table, turn: Table) -> Table:
    """float[devices, runs]: `Health.sick`, from what was believed before and after each run; both
    are float[runs, devices, states]."""
    found, later = np.zeros(after.shape[:2]), np.ones(after.shape[1:])
    for run in reversed(order):
        here = np.flatnonzero(after[run].any(axis=1))
        now = after[run, here] * later[here]
        now /= now.sum(axis=1, keepdims=True)
        found[run, here] = 1 - now[:, 0]
        later[here] = (now / np.maximum(before[run, here], _LEAST)) @ turn.T
    return found.T
