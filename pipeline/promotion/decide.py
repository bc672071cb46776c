# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The moves of a night: a pure function of the history, where tests stand, and the policy.

Down: as many failures one after another as a test that fails by chance at its own rate would show
once in 1 / `demote.error_rate` nights: n >= ln(error_rate) / ln(rate), the likelihood of a chance
run. Up: a sequential test of a steady test's failure rate against a flaky one's, on the prior odds
of the policy, over at least `promote.nights` nights without a failure at the end.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

import msgspec
import numpy as np

from bringup.pipeline.history.judge.columns import Bools, Columns, Floats
from bringup.pipeline.promotion.evidence import Streaks, counted, seen, streaks
from bringup.pipeline.promotion.ladder import NEEDS, Level, Standing, belongs
from bringup.pipeline.promotion.policy import Demote, Policy, Promote


class Place(msgspec.Struct, frozen=True):
    """Where a test stands, and since when."""

    standing: Standing
    since: float = -math.inf
    """As `Sample.at`; a move of that night itself counts as a night of rest."""


class Step(msgspec.Struct, frozen=True):
    """A move of one test on one device."""

    test: str
    """`Identity.key` of its full flow."""
    device: str
    was: Standing
    to: Standing
    reason: str
    strength: float
    """Of the evidence, in units of what is needed; the strongest go first where a cap holds."""

    @property
    def up(self) -> bool:
        """Does it do more than it did?"""
        return NEEDS[self.to] > NEEDS[self.was]


def propose(
    columns: Columns,
    places: Mapping[str, Place],
    policy: Policy,
    compile_only: Collection[str] = (),
    ops_compile: Collection[str] = (),
) -> list[Step]:
    """The moves that a history of full flows supports after its newest night, in a stable order.

    Args:
        columns: Samples of full flows, ordered; the newest night's are the last.
        places: Where each `Identity.key` stands; what is not named is `NEW`.
        policy: When to move.
        compile_only: Devices that cannot execute.
        ops_compile: Tests of which every op compiles, op by op.
    """
    if not len(columns):
        return []
    tests = columns.test.words
    at = [places.get(test, Place(Standing.NEW)) for test in tests]
    standings = [place.standing for place in at]
    full = np.array([s is Standing.FULL for s in standings], np.bool_)
    found = seen(columns, counted(columns, full, policy.evidence))
    needs = np.array([NEEDS[s] for s in standings], np.int64)
    held, reached = streaks(found, needs), streaks(found, np.maximum(found.level, 0))
    down = (needs > 0) & (found.level >= 0) & (held.failed >= failures_needed(held, policy.demote))
    ready = (
        (reached.nights_good >= policy.promote.nights)
        & (up_odds(reached, policy.promote) >= policy.promote.needed)
        & _rested(columns, at, policy.promote)
    )
    settled = held.nights_good >= policy.promote.nights
    arrived = np.array([s is Standing.NEW for s in standings], np.bool_)
    arrived |= np.array([s is Standing.OP_BY_OP for s in standings], np.bool_)
    up = (ready & (found.level > needs)) | (arrived & settled & (found.level == Level.BROKEN))
    steps = []
    for test in (int(i) for i in np.flatnonzero(up | down)):
        name, device = tests[test], found.rows.device[int(found.last[test])]
        to = belongs(
            Level(int(found.level[test])),
            compile_only=device in compile_only,
            ops_compile=name in ops_compile,
        )
        if to is not standings[test] and not _pinned(name, policy):
            reason, strength = _why(held, reached, test, policy, down=bool(down[test]))
            steps.append(Step(name, device, standings[test], to, reason, strength))
    return _capped(steps, policy)


def failures_needed(held: Streaks, policy: Demote) -> Floats:
    """float[tests]: failures one after another that chance shows too seldom."""
    rate = np.maximum(held.flake_rate, policy.least_flake_rate)
    return np.asarray(np.ceil(math.log(policy.error_rate) / np.log(rate)), np.float64)


def up_odds(reached: Streaks, policy: Promote) -> Floats:
    """float[tests]: the log likelihood of a steady test's rate against a flaky one's."""
    good = math.log((1 - policy.steady_rate) / (1 - policy.flaky_rate))
    bad = math.log(policy.steady_rate / policy.flaky_rate)
    return np.asarray(reached.passes * good + reached.flakes * bad, np.float64)


def _rested(columns: Columns, at: list[Place], policy: Promote) -> Bools:
    """bool[tests]: have nights enough gone by since its last move?"""
    nights = np.unique(columns.at)
    since = np.array([place.since for place in at])
    gone = len(nights) - np.searchsorted(nights, since, side="right")
    return np.asarray(gone >= policy.cool_down, np.bool_)


def _pinned(test: str, policy: Policy) -> bool:
    """A pin is a name or a pattern; an id's own brackets are no pattern."""
    return any(
        test == pin or fnmatchcase(test, pin.replace("[", "[[]")) for pin in policy.pins.tests
    )


def _why(
    held: Streaks, reached: Streaks, test: int, policy: Policy, *, down: bool
) -> tuple[str, float]:
    """The reason of a move, with its numbers, and how strong the evidence is."""
    if down:
        failed, rate = int(held.failed[test]), float(held.flake_rate[test])
        needed = float(failures_needed(held, policy.demote)[test])
        return (
            f"{failed} failures one after another in {held.nights_failed[test]} nights, "
            f"{needed:.0f} are needed; before, {rate:.1%} of its attempts failed",
            failed / needed,
        )
    odds, needed = float(up_odds(reached, policy.promote)[test]), policy.promote.needed
    return (
        f"good on the last {reached.nights_good[test]} nights: {reached.passes[test]} good attempts "
        f"and {reached.flakes[test]} failures, log odds {odds:.1f} where {needed:.1f} are needed",
        odds / needed,
    )


def _capped(steps: list[Step], policy: Policy) -> list[Step]:
    """The strongest of each device and direction, by test."""
    kept: list[Step] = []
    groups: dict[tuple[str, bool], list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.device, step.up].append(step)
    for (_, up), found in groups.items():
        cap = policy.promote.cap_a_night if up else policy.demote.cap_a_night
        kept += sorted(found, key=lambda s: (-s.strength, s.test))[:cap]
    return sorted(kept, key=lambda s: s.test)
