# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The moves of a night: a pure function of the history, where tests stand, and the policy.

A night's loop, in a workflow as in a simulator::

    wanted = attempts_wanted(samples, places, policy)
    ...  # a night runs, and leaves its samples
    steps = propose(samples, places, policy)
    places = applied(places, steps, at)

`docs/promotion.md` has an example that runs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from bringup.harness.records.moves import Evidence
from bringup.pipeline.history.judge.columns import Columns, columns_of
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.promotion.evidence import Streaks
from bringup.pipeline.promotion.ladder import GATES, RANK, RISING, Level, Standing, belongs
from bringup.pipeline.promotion.policy import Policy, default_policy
from bringup.pipeline.promotion.weighing import Place, Weighed, failures_asked, weigh


class Step(msgspec.Struct, frozen=True):
    """A move of one test on one device."""

    test: str
    """`Identity.key` of its full flow."""
    device: str
    was: Standing
    to: Standing
    reason: str
    evidence: Evidence
    owner: str = ""

    @property
    def up(self) -> bool:
        """Does it do more than it did?"""
        return RANK[self.to] > RANK[self.was]

    @property
    def strength(self) -> float:
        """Of the evidence, in units of what is needed."""
        return self.evidence.in_a_row / max(self.evidence.needed, 1)


def propose(
    samples: Iterable[Sample] | Columns,
    places: Mapping[str, Place],
    policy: Policy | None = None,
    compile_only: Collection[str] = (),
    ops_compile: Collection[str] = (),
) -> list[Step]:
    """The moves that a history of full flows supports after its newest night, in a stable order.

    Args:
        samples: Of full flows, in any order, or `Columns` in theirs; the policy's window of nights
            is enough. `Sample.passed` and `failed` count a night's uncached attempts.
        places: Where each `Identity.key` stands; what is not named is `NEW`.
        policy: When to move; None: the defaults.
        compile_only: Devices that cannot execute.
        ops_compile: Tests of which every op compiles, op by op.
    """
    policy = policy or default_policy()
    columns = samples if isinstance(samples, Columns) else columns_of(samples)
    if not len(columns):
        return []
    weighed = weigh(columns, places, policy, compile_only)
    ways = Ways(weighed, policy, compile_only, ops_compile)
    found = [step for test in ways.moving() if (step := ways.step(test)) is not None]
    return _capped(found, policy)


def applied(places: Mapping[str, Place], steps: Iterable[Step], at: float) -> dict[str, Place]:
    """The places after some moves of the night `at`."""
    moved = dict(places)
    for step in steps:
        before = places.get(step.test, Place(Standing.NEW))
        fell = at if RANK[step.to] < RANK[step.was] else before.fell
        moved[step.test] = Place(step.to, at, fell)
    return moved


def attempts_wanted(
    samples: Iterable[Sample] | Columns,
    places: Mapping[str, Place],
    policy: Policy | None = None,
    compile_only: Collection[str] = (),
) -> dict[str, int]:
    """How many uncached attempts in all a night wants of each test, by key, before it is run.

    Of a test that may go up (`RISING`) they end at the first that is not as good as can be. Of one
    on a list that gates (`GATES`) they are wanted if the first is bad, and end at the first that is
    good. Of whatever is not named one is enough.
    """
    policy = policy or default_policy()
    columns = samples if isinstance(samples, Columns) else columns_of(samples)
    weighed = weigh(columns, places, _tonight(columns, policy), compile_only)
    position = {name: i for i, name in enumerate(weighed.tests)}
    none, error = np.zeros(1, np.int64), np.array([policy.demote.error_rate])
    unknown = int(failures_asked(none, none, error, policy)[0])
    found = {}
    for test, place in sorted(places.items()):
        at = position.get(test, -1)
        only = test.rpartition("@")[2] in compile_only
        if place.standing in RISING and not (only and place.standing in GATES):
            found[test] = _to_rise(weighed, at, policy)
        if place.standing in GATES:
            to_fall = int(weighed.failures_needed[at]) if at >= 0 else unknown
            found[test] = max(found.get(test, 0), to_fall)
    return found


def _tonight(columns: Columns, policy: Policy) -> Policy:
    """With tonight in the window its oldest night is not, and what that said is missing then; so it
    is where a caller keeps a window that lost nights make shorter."""
    nights = len(np.unique(columns.at))
    window = policy.evidence.window if 2 * nights <= policy.evidence.window else nights
    window = max(min(window, policy.evidence.window) - 1, 1)
    return msgspec.structs.replace(
        policy, evidence=msgspec.structs.replace(policy.evidence, window=window)
    )


def _to_rise(weighed: Weighed, at: int, policy: Policy) -> int:
    """Tonight's share of what is missing."""
    most = policy.promote.attempts
    if at < 0:
        return most
    streak = weighed.reached
    missing = int(weighed.passes_needed[at] - streak.passed[at])
    nights = int(weighed.nights_needed[at] - streak.nights_good[at])
    return min(max(-(-missing // max(nights, 1)), 1), most)


def held_back(
    columns: Columns,
    places: Mapping[str, Place],
    policy: Policy,
    compile_only: Collection[str] = (),
) -> list[str]:
    """Keys of tests that failed often enough to go down, on devices that have to show first that
    they are well."""
    weighed = weigh(columns, places, policy, compile_only)
    return [weighed.tests[at] for at in np.flatnonzero(weighed.unvouched).tolist()]


class Ways:
    """The ways on from where tests stand; tests are positions in `Weighed.tests`."""

    def __init__(
        self,
        weighed: Weighed,
        policy: Policy,
        compile_only: Collection[str],
        ops_compile: Collection[str],
    ) -> None:
        self.weighed, self.policy = weighed, policy
        self.compile_only, self.ops_compile = compile_only, ops_compile

    def moving(self) -> list[int]:
        """Tests whose evidence is enough for one way or another."""
        w = self.weighed
        known = w.found.level >= 0
        skipped = np.array([p.standing is Standing.SKIPPED for p in w.places], np.bool_)
        arrived = np.array([p.standing is Standing.NEW for p in w.places], np.bool_)
        walked = np.array([p.standing in _OP_BY_OP for p in w.places], np.bool_)
        falls = (w.held.failed >= w.failures_needed) & w.vouched & w.seen_last
        rises = (w.reached.passed >= w.passes_needed) & (w.reached.nights_good >= w.nights_needed)
        any_way = falls | rises | w.unsteady | arrived | (walked & (w.found.level == Level.BROKEN))
        return np.flatnonzero(known & any_way & ~skipped).tolist()

    def step(self, test: int) -> Step | None:
        """The move of a test, or None."""
        w, name = self.weighed, self.weighed.tests[test]
        was = w.places[test].standing
        to, evidence = self._way(test, was)
        if to is was or self.policy.pin_of(name):
            return None
        device = w.found.rows.device[int(w.found.last[test])]
        owner = self.policy.owner_of(name) if self.policy.groups else ""
        return Step(name, device, was, to, _why(was, to, evidence), evidence, owner)

    def _way(self, test: int, was: Standing) -> tuple[Standing, Evidence]:
        w = self.weighed
        down, up, to = self.down(test), self.up(test), self.target(test)
        rises = not up.more and not up.more_nights and bool(w.rested[test])
        rises = rises and not w.failed_last[test]
        if w.needs[test] > Level.BROKEN and not down.more:
            if not w.vouched[test] or not w.seen_last[test]:
                return was, down
            to = self._no_further_than_it_fell(test, was, to)
            return (to, down) if RANK[to] < RANK[was] else (was, down)
        if was in (Standing.FULL, Standing.INCORRECT) and w.unsteady[test]:
            return Standing.QUARANTINE, down
        if rises and RANK[to] > RANK[was]:
            return to, up
        if was is Standing.NEW:
            return self._entry(test), up
        if was is Standing.OP_BY_OP and to is Standing.OP_BY_OP_COMPILE:
            return to, up
        return was, up

    def _no_further_than_it_fell(self, test: int, was: Standing, to: Standing) -> Standing:
        """One crash among nights of INCORRECT results is no evidence that it does not run."""
        w = self.weighed
        still_runs = w.runs.failed[test] < w.failures_needed[test]
        return Standing.INCORRECT if was is Standing.FULL and still_runs else to

    def target(self, test: int) -> Standing:
        """Where a test belongs if what its newest night came to lasts."""
        return belongs(
            Level(max(int(self.weighed.found.level[test]), 0)),
            compile_only=self.is_compile_only(test),
            ops_compile=self.weighed.tests[test] in self.ops_compile,
        )

    def is_compile_only(self, test: int) -> bool:
        """Does its device only compile?"""
        found = self.weighed.found
        last = int(found.last[test])
        return last >= 0 and found.rows.device[last] in self.compile_only

    def _entry(self, test: int) -> Standing:
        broken = self.weighed.found.level[test] == Level.BROKEN
        compiles = broken and self.weighed.tests[test] in self.ops_compile
        return Standing.OP_BY_OP_COMPILE if compiles else Standing.OP_BY_OP

    def up(self, test: int) -> Evidence:
        """What speaks for a way up, to what its newest night came to."""
        w, streak = self.weighed, self.weighed.reached
        return self._evidence(
            test,
            streak,
            bad=int(streak.flakes[test]),
            in_a_row=int(streak.passed[test]),
            nights=int(streak.nights_good[test]),
            needed=int(w.passes_needed[test]),
            nights_needed=int(w.nights_needed[test]),
        )

    def down(self, test: int) -> Evidence:
        """What speaks for a way down, from where it stands."""
        w, streak = self.weighed, self.weighed.held
        return self._evidence(
            test,
            streak,
            bad=int(streak.flakes_before[test] + streak.failed[test]),
            in_a_row=int(streak.failed[test]),
            nights=int(streak.nights_failed[test]),
            needed=int(w.failures_needed[test]),
            nights_needed=1,
        )

    def _evidence(self, test: int, streak: Streaks, **numbers: Any) -> Evidence:
        rows, last = self.weighed.found.rows, int(self.weighed.found.last[test])
        if last < 0:
            return Evidence(**numbers)
        first = min(int(streak.first[test]), last)
        return Evidence(
            good=int(streak.passes[test]),
            since=float(rows.at[first]) if numbers["in_a_row"] else 0.0,
            flake_rate=float(streak.flake_rate[test]),
            run=rows.run[last],
            versions=rows.versions[last],
            **numbers,
        )


_OP_BY_OP = (Standing.OP_BY_OP, Standing.OP_BY_OP_COMPILE)


def _why(was: Standing, to: Standing, evidence: Evidence) -> str:
    """The reason of a move, with its numbers."""
    e = evidence
    nights = "1 night" if e.nights == 1 else f"{e.nights} nights"
    good = "1 good attempt" if e.in_a_row == 1 else f"{e.in_a_row} good attempts one after another"
    if to is Standing.QUARANTINE:
        return f"good and bad by turns: {e.good} good attempts and {e.bad} failures"
    if RANK[to] < RANK[was]:
        return (
            f"{e.in_a_row} failures one after another in {nights}, where {e.needed} are needed; "
            f"before, about {e.flake_rate:.1%} of its attempts failed"
        )
    if to in _OP_BY_OP:
        missing = f"{e.more} more good attempts on {max(e.more_nights, bool(e.more))} more nights"
        so_far = f"{e.in_a_row} good one after another" if e.in_a_row else "none was good"
        if was is not Standing.NEW:
            return "every op compiles, and the whole model does not run"
        if not e.more:
            missing = f"{e.more_nights} more nights"
        return f"new here: {so_far}; {missing} are needed to go further"
    return (
        f"{good} on {nights}, where {e.needed} on "
        f"{e.nights_needed} are needed; {e.bad} failures before"
    )


def _capped(steps: list[Step], policy: Policy) -> list[Step]:
    """The strongest of each device and direction, by test; what is new has no cap."""
    kept: list[Step] = []
    groups: dict[tuple[str, bool], list[Step]] = defaultdict(list)
    for step in steps:
        if step.was is Standing.NEW:
            kept.append(step)
        else:
            groups[step.device, step.up].append(step)
    for (_, up), found in groups.items():
        cap = policy.promote.cap_a_night if up else policy.demote.cap_a_night
        kept += sorted(found, key=lambda s: (-s.strength, s.test))[:cap]
    return sorted(kept, key=lambda s: s.test)
