# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Static plans for runners that share nothing: pure functions of units and runners.

`affinity` is ours: longest processing time first, and what is dealt out is not units but groups
of them, the flows and devices of one model loaded one way, because they share loading and
front-end work. A group heavier than the average share is cut; and when keeping groups whole
still costs more than a twentieth over dealing out single units, they are cut smaller and smaller
until it does not. Units that few runners can run are dealt out first, the others fill up.

Times in a plan are guesses, and nothing here repairs a wrong one: where workers can pull, see
`work_queue`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.work import Group, Needs, Runner, WorkUnit, units_of

SLACK = 1.05
"""How much longer than without groups the longest runner may be, as a factor."""

_TIE_S = 1e-9
"""Seconds that a unit weighs beside its time: where all take none, they are counted."""

Shards = list[list[WorkUnit]]
"""One for each runner, in their order; every unit is in exactly one."""
Deal = Callable[[Sequence[WorkUnit], Sequence[Runner]], Shards]
"""A planner: the same shards for the same units, in whatever order they come."""


def partition(
    tests: Sequence[PlannedTest],
    n: int,
    deal: Deal | None = None,
    fleet: Sequence[Runner] = (),
) -> list[list[PlannedTest]]:
    """Divide `tests` into `n` shards, none empty where there are `n` tests; or for a `fleet`.

    The result depends on the set of tests and not on their order, so every job of a matrix
    computes the same one. A shard lists its longest group first.

    Raises:
        PipelineError: `n` is less than one.
    """
    if n < 1 and not fleet:
        raise PipelineError(f"cannot divide the tests into {n} shards; it takes at least 1")
    ordered = sorted(tests, key=lambda t: (t.identity, t.nodeid, t.list_name))
    by_key = {t.identity.key: t for t in ordered}
    runners = fleet or [Runner(str(i)) for i in range(1, n + 1)]
    shards = (deal or affinity)(units_of(ordered), runners)
    return [[by_key[u.key] for u in shard] for shard in shards]


def affinity(units: Sequence[WorkUnit], runners: Sequence[Runner]) -> Shards:
    """Even shards that keep groups together where that costs next to nothing.

    Raises:
        PipelineError: a unit needs what no runner has.
    """
    dealer = _Dealer(units, runners)
    share = sum(u.seconds for u in units) / max(sum(r.slots for r in runners), 1)
    dealt = [dealer.deal(share)]
    if dealt[0][1] > SLACK * dealer.bound:  # smaller pieces may come nearer to it
        dealt += [dealer.deal(share / 4), dealer.deal(0.0)]
    best = min(length for _, length in dealt)
    return dealer.filled(next(shards for shards, length in dealt if length <= SLACK * best))


def longest_first(units: Sequence[WorkUnit], runners: Sequence[Runner]) -> Shards:
    """Longest processing time first, unit by unit.

    Raises:
        PipelineError: a unit needs what no runner has.
    """
    dealer = _Dealer(units, runners)
    return dealer.filled(dealer.deal(0.0)[0])


def round_robin(units: Sequence[WorkUnit], runners: Sequence[Runner]) -> Shards:
    """In turn, whatever a unit lasts: for a fleet of which nothing is known.

    Raises:
        PipelineError: a unit needs what no runner has.
    """
    dealer = _Dealer(units, runners)
    shards: Shards = [[] for _ in runners]
    turns: Counter[tuple[int, ...]] = Counter()
    for unit in dealer.ordered:
        able = dealer.able(unit.needs)
        shards[able[turns[able] % len(able)]].append(unit)
        turns[able] += 1
    return dealer.filled(shards)


class _Dealer:
    """Deals pieces, which are units of one group that the same runners can run."""

    def __init__(self, units: Sequence[WorkUnit], runners: Sequence[Runner]) -> None:
        self.runners = runners
        self.ordered = sorted(units, key=lambda u: u.key)
        self._able: dict[Needs, tuple[int, ...]] = {}
        self._slots = np.array([r.slots for r in runners], float)
        self._setup = np.array([r.setup_s for r in runners], float)
        self._kinds = sorted({u.needs.kind for u in units})
        self._capacity = np.array([[_most(r, k) for k in self._kinds] for r in runners], float)
        self._groups: dict[tuple[tuple[int, ...], Group], list[WorkUnit]] = defaultdict(list)
        for unit in self.ordered:
            self._groups[self.able(unit.needs), unit.group].append(unit)
        self._places = {able: np.array(able) for able, _ in self._groups}
        work: dict[tuple[int, ...], float] = defaultdict(float)
        for unit in self.ordered:
            work[self.able(unit.needs)] += unit.seconds
        self.bound = max((self._share(able, work) for able in work), default=0.0)
        """No plan is shorter: even shares, also of what only some runners can run."""
        self._scarce = bool(np.isfinite(self._capacity).any())

    def able(self, needs: Needs) -> tuple[int, ...]:
        """The runners, by their place, that can run what needs so much."""
        if needs not in self._able:
            found = tuple(i for i, runner in enumerate(self.runners) if runner.takes(needs))
            if not found:
                raise PipelineError(nobody_takes(needs, self.runners))
            self._able[needs] = found
        return self._able[needs]

    def _share(self, able: tuple[int, ...], work: Mapping[tuple[int, ...], float]) -> float:
        inside = set(able)
        seconds = sum(s for runners, s in work.items() if inside.issuperset(runners))
        return float(seconds / self._slots[list(able)].sum())

    def deal(self, limit: float) -> tuple[Shards, float]:
        """Shards of pieces no heavier than `limit` where their units allow, and the longest."""
        pieces = [
            (len(able), -sum(u.seconds for u in piece), piece[0].key, able, piece)
            for (able, _), members in self._groups.items()
            for piece in _cut(members, limit)
        ]
        shards: Shards = [[] for _ in self.runners]
        homes: dict[Group, int] = {}
        load, counts = np.zeros(len(self.runners)), np.zeros(len(self.runners))
        boards = np.zeros_like(self._capacity)
        place_of = {kind: i for i, kind in enumerate(self._kinds)}
        length = 0.0
        for _, minus, _, able, piece in sorted(pieces, key=lambda p: p[:3]):
            at, own = self._places[able], np.zeros(len(self._kinds))
            for unit in piece:
                own[place_of[unit.needs.kind]] += unit.seconds
            ends = self._setup[at] + (load[at] - minus) / self._slots[at]
            if self._scarce:
                busy = ((boards[at] + own) / self._capacity[at]).max(axis=1)
                ends = np.maximum(ends, self._setup[at] + busy)
            chosen = int((ends + _TIE_S * counts[at]).argmin())
            home = homes.get(piece[0].group)
            if home in able and ends[able.index(home)] <= max(length, ends[chosen]):
                chosen = able.index(home)  # beside the rest of its group, and no later for it
            i = able[chosen]
            homes[piece[0].group] = i
            shards[i] += piece
            load[i] -= minus
            counts[i] += len(piece)
            boards[i] += own
            length = max(length, float(ends[chosen]))
        return shards, length

    def filled(self, shards: Shards) -> Shards:
        """The same, but no runner idle while another has two units that it could run.

        A job without a test fails, and a runner that is set up for nothing is paid for.
        """
        for i, shard in enumerate(shards):
            donors = sorted((s for s in shards if len(s) > 1), key=len, reverse=True)
            spare = ((u, s) for s in donors if not shard for u in reversed(s))
            able = ((u, s) for u, s in spare if i in self.able(u.needs))
            if (found := next(able, None)) is not None:
                unit, donor = found
                donor.remove(unit)
                shard.append(unit)
        return shards


def nobody_takes(needs: Needs, runners: Iterable[Runner]) -> str:
    """The sentence that no runner has what a unit needs."""
    listed = list(runners)
    kinds = sorted({kind for r in listed for kind in r.kinds or ()})
    if not any(r.takes(Needs(needs.kind)) for r in listed):
        return f"no runner has {needs.kind}; there are {', '.join(kinds) or 'none at all'}"
    if not any(r.takes(Needs(needs.kind, chips=needs.chips)) for r in listed):
        most = max((r.kinds or {}).get(needs.kind, 0) for r in listed)
        return f"no runner has {needs.chips} of {needs.kind}; the most is {most}"
    gib = needs.least_memory / 1024**3
    return f"no runner with {needs.chips} of {needs.kind} has {gib:.1f} GiB of memory"


def _most(runner: Runner, kind: str) -> float:
    """Units of a kind at a time."""
    if not kind or runner.kinds is None:
        return float("inf")
    return runner.kinds.get(kind, float("inf"))


def _cut(group: Iterable[WorkUnit], limit: float) -> Iterator[list[WorkUnit]]:
    piece: list[WorkUnit] = []
    weight = 0.0
    for unit in group:
        if piece and weight + unit.seconds > limit:
            yield piece
            piece, weight = [], 0.0
        piece.append(unit)
        weight += unit.seconds
    yield piece
