# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A history against a policy: how much there is, and how much is needed, for each test at once.

Down: as many failures one after another as chance shows too seldom, n with P(n failures) <=
`demote.error_rate`, where the rate is Beta(p w + f, (1 - p) w + g) after f failures and g good
attempts; p is `least_flake_rate` and w = 15 attempts is what the fleet says before the test does.
P(n) is the product of (p w + f + i) / (w + f + g + i), i < n. Up: Wald's sequential test
of a steady test's failure rate against a flaky one's, on the prior odds of the policy; what was
seen before a break, three failures one after another, is at most half of it. Into quarantine: the
same test of a rate at which nobody can work against a flaky one's.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from bringup.pipeline.history.judge.columns import Bools, Columns, Counts, Floats
from bringup.pipeline.promotion.counting import LEVELS, Levels, telling
from bringup.pipeline.promotion.evidence import (
    BREAK,
    PRIOR,
    Seen,
    Streaks,
    attempts,
    nights_bad,
    only_crashes,
    seen,
    streaks,
)
from bringup.pipeline.promotion.health import Health, health
from bringup.pipeline.promotion.ladder import GATES, NEEDS, Level, Standing
from bringup.pipeline.promotion.policy import Group, Policy, log_odds

_DEBT = -2.0
"""What was seen before the good attempts at the end speaks at most so much against a test, in units
of what is needed: a flaky test that was mended has not to wait until all of it is too old."""
_CREDIT = 0.5
"""What was seen before it was broken last speaks at most so much for it: it may have come back a
flaky one."""
_SICK = 0.5
"""A night says nothing of what failed if its device was sick with this chance."""
_MOST_FAILURES = 60
"""More are never asked for."""


class Place(msgspec.Struct, frozen=True):
    """Where a test stands, and since when."""

    standing: Standing
    since: float = -math.inf
    """As `Sample.at`."""
    fell: float = -math.inf
    """When it last went down, as `Sample.at`."""


@dataclass(frozen=True)
class Weighed:
    """What is known of every test; arrays have one entry a test."""

    tests: tuple[str, ...]
    places: tuple[Place, ...]
    found: Seen
    needs: Levels
    """The `Level` that is asked of it where it stands."""
    held: Streaks
    """Against that."""
    runs: Streaks
    """Against running at all, be it correct or not."""
    reached: Streaks
    """Against the level that its newest night came to; of one that is broken, the best there is."""
    failures_needed: Counts
    passes_needed: Counts
    """Good attempts without a failure, those that it has at the end included."""
    nights_needed: Counts
    rested: Bools
    """Have nights enough gone by since it went down?"""
    failed_last: Bools
    """Its newest run that says something was bad, on a suspect device or not."""
    most_doubt: float
    doubt: Floats
    """The chance that a test which fails at the end is good, and its device is what fails."""
    seen_last: Bools
    """Of its device's newest night something of it counts."""
    unsteady: Bools
    """It fails so often by chance that it belongs in quarantine."""

    @property
    def unvouched(self) -> Bools:
        """bool[tests]: it failed often enough to go down, and its device may be what fails."""
        enough = (self.needs > Level.BROKEN) & (self.held.failed >= self.failures_needed)
        return np.asarray(enough & ~self.vouched, np.bool_)

    @property
    def vouched(self) -> Bools:
        """bool[tests]: its device is known to have been well enough to blame the test."""
        return np.asarray(self.doubt <= self.most_doubt, np.bool_)

    @property
    def unseen(self) -> Bools:
        """bool[tests]: it failed often enough to go down, and may have been mended since: of the
        newest night nothing is known."""
        enough = (self.needs > Level.BROKEN) & (self.held.failed >= self.failures_needed)
        return np.asarray(enough & self.vouched & ~self.seen_last, np.bool_)


def weigh(
    columns: Columns,
    places: Mapping[str, Place],
    policy: Policy,
    compile_only: Collection[str] = (),
) -> Weighed:
    """Weigh a history of full flows; `columns` are ordered, the newest night's rows included."""
    columns = _in_window(columns, policy.evidence.window)
    tests = columns.test.words
    at = tuple(places.get(test, Place(Standing.NEW)) for test in tests)
    standings = [place.standing for place in at]
    needs = np.array([NEEDS[s] for s in standings], np.int64)
    listed = np.array([s in GATES for s in standings], np.bool_)
    says = telling(columns, compile_only, policy.evidence)
    alone, sound = _alone(columns), _health(columns, says, needs, listed, policy)
    of = columns.test.codes
    ill = (sound.sick[columns.device.codes, columns.run.codes] >= _SICK) & ~alone[of]
    # Who had a good attempt on such a night was not hit by it, and its failures are its own.
    failing = (LEVELS[columns.outcome] < Level.COMPILED) & (columns.passed == 0)
    found = seen(columns, says & ~(ill & failing))

    def against(level: Levels) -> Streaks:
        return streaks(found, level, policy.demote)

    held = against(needs)
    only = np.array([test.rpartition("@")[2] in compile_only for test in tests], np.bool_)
    best = np.where(only, Level.COMPILED, Level.CORRECT)
    asked = np.where(found.level > Level.BROKEN, found.level, best)
    reached = against(asked)
    groups = [policy.group_of(test) if policy.groups else None for test in tests]
    return Weighed(
        tests=tests,
        places=at,
        found=found,
        needs=needs,
        held=held,
        runs=against(np.minimum(needs, Level.INCORRECT)),
        reached=reached,
        failures_needed=_failures_needed(found, held, policy, groups),
        passes_needed=_passes_needed(reached, policy, groups),
        nights_needed=_each(groups, lambda g: g.promote_nights, policy.promote.nights).astype(int),
        rested=_rested(columns, at, _each(groups, lambda g: g.cool_down, policy.promote.cool_down)),
        failed_last=nights_bad(columns, says, asked) > 0,
        most_doubt=policy.demote.doubt,
        doubt=np.where(alone, 0.0, sound.good),
        seen_last=_seen_last(columns, found),
        unsteady=_unsteady(streaks(seen(columns, says & ~ill), needs, policy.demote), policy),
    )


def _in_window(columns: Columns, window: int) -> Columns:
    """Only what a window holds, before anything is looked at: a year has six of them."""
    nights = np.unique(columns.at)
    return columns if len(nights) <= window else columns.take(columns.at >= nights[-window])


def _each(
    groups: list[Group | None], value: Callable[[Group], float | None], usual: float
) -> Floats:
    """float[tests]: what a test's group says, or everybody's value."""
    found = [value(group) if group else None for group in groups]
    return np.array([usual if v is None else v for v in found], np.float64)


def _failures_needed(
    found: Seen, held: Streaks, policy: Policy, groups: list[Group | None]
) -> Counts:
    """int64[tests]: failures one after another that chance shows too seldom.

    Of a test that was never seen good nothing says that it ever was: a few crashes are enough.
    """
    error = _each(groups, lambda g: g.demote_error_rate, policy.demote.error_rate)
    needed = failures_asked(held.flakes_before, held.passes, error, policy)
    unseen = (held.passes == 0) & only_crashes(found, np.maximum(held.first, 0))
    needed = np.where(unseen, np.minimum(needed, policy.demote.unseen_failures), needed)
    return np.asarray(needed, np.int64)


def failures_asked(failed: Counts, passed: Counts, error: Floats, policy: Policy) -> Counts:
    """int64[tests]: the n of this module's formula, after so many failures and good attempts; never
    less than a break."""
    i = np.arange(_MOST_FAILURES)
    failing = failed[:, None] + PRIOR * policy.demote.least_flake_rate + i
    every = (failed + passed)[:, None] + PRIOR + i
    likely = np.cumsum(np.log(failing) - np.log(every), axis=1) > np.log(error)[:, None]
    return np.asarray(np.maximum(likely.sum(axis=1) + 1, BREAK), np.int64)


def _passes_needed(reached: Streaks, policy: Policy, groups: list[Group | None]) -> Counts:
    """int64[tests]: good attempts one after another that the sequential test asks for."""
    given = policy.promote
    good = math.log((1 - given.steady_rate) / (1 - given.flaky_rate))
    bad = math.log(given.steady_rate / given.flaky_rate)
    error = _each(groups, lambda g: g.promote_error_rate, given.error_rate)
    needed = np.log((1 - error) / error) - log_odds(1 - given.flaky_share)
    broken = (reached.passes - reached.passes_since) * good
    broken += (reached.flakes - reached.flakes_since) * bad
    mended = (reached.passes_since - reached.passed) * good + reached.flakes_since * bad
    before = np.minimum(broken, _CREDIT * needed) + mended
    attempts = np.ceil((needed - np.maximum(before, _DEBT * needed)) / good - 1e-9)
    return np.asarray(np.maximum(attempts, 1), np.int64)


def _health(columns: Columns, says: Bools, needs: Levels, listed: Bools, policy: Policy) -> Health:
    """Of a test on no list that gates, running at all is good."""
    asked = np.where(listed, needs, Level.COMPILED)
    tops = listed & (needs != Level.INCORRECT)
    seen_of = attempts(columns, asked[columns.test.codes])
    return health(columns, seen_of, says, (listed, tops), policy)


def _alone(columns: Columns) -> Bools:
    """bool[tests]: with no other on its device, so that there is none to ask."""
    of = np.zeros(len(columns.test.words), np.int64)
    of[columns.test.codes] = columns.device.codes
    ran = np.unique(columns.test.codes)
    found: Bools = np.bincount(of[ran], minlength=len(columns.device.words))[of] == 1
    return found


def _seen_last(columns: Columns, found: Seen) -> Bools:
    """bool[tests]: `Weighed.seen_last`."""
    newest = np.full(len(columns.device.words), -np.inf)
    np.maximum.at(newest, columns.device.codes, columns.at)
    rows, last = found.rows, np.maximum(found.last, 0)
    if not len(rows):
        return np.zeros(len(last), np.bool_)
    return np.asarray((found.last >= 0) & (rows.at[last] >= newest[rows.device.codes[last]]))


def _unsteady(held: Streaks, policy: Policy) -> Bools:
    """bool[tests]: odds of a rate at which nobody can work against a flaky test's."""
    rate, flaky = policy.quarantine.rate, policy.promote.flaky_rate
    odds = held.flakes * math.log(rate / flaky) + held.passes * math.log((1 - rate) / (1 - flaky))
    found: Bools = odds >= -math.log(policy.quarantine.error_rate)
    return found


def _rested(columns: Columns, at: tuple[Place, ...], nights: Floats) -> Bools:
    """bool[tests]: the night of a way down itself counts as none."""
    all_nights = np.unique(columns.at)
    fell = np.array([place.fell for place in at])
    gone = len(all_nights) - np.searchsorted(all_nights, fell, side="right")
    found: Bools = (gone >= nights) | ~np.isfinite(fell)
    return found
