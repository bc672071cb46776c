# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which tests tell most, where there is no time for all: a pure function of what is known.

A test belongs to the first of the reasons below that it has. In each of them tests are taken by
how much they add to what those before them cover, for every second that they take: ops of their
models as far as history knows these, else the model, its flow, device, framework and mode. It is
the greedy rule for a budgeted cover (Khuller, Moss and Naor, "The budgeted maximum coverage
problem", 1999) without its exhaustive first step: a list is wanted, and not one set.

The last are the steady ones, those first that were not run for longest, so that everybody's turn
comes.
"""

import enum
import heapq
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import NamedTuple

from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.lists.specs import PROBE
from bringup.pipeline.planning.work import Group, fill_estimates, group_of

SAYS_SO = frozenset({Excluded.NONE, Excluded.CACHED, Excluded.UNCOMPARED, Excluded.SKIPPED})
"""A sample that is no evidence for a list may still say that a test is none that nobody ran: one
whose verdicts all come from the cache is as well known as any."""
_LEAST_S = 0.1
"""A test that takes no time at all tells not infinitely much a second."""


class Reason(enum.Enum):
    """Why a test is run before others; the earlier ones go before the later."""

    NEW = "new"
    """No run of the history says anything of it."""
    CHANGED = "changed"
    """A file that it needs differs from what it was when the test ran last."""
    BOUNDARY = "near a move"
    """A few more attempts move it to another list."""
    REGRESSED = "broke before"
    """It was good and then bad, in the runs that are looked at."""
    OPS = "ops of its own"
    """Its model has ops that no test before it has."""
    STEADY = "steady"


class Past(NamedTuple):
    """What a test came to in the runs that are looked at."""

    last: float
    """When it last ran, as `Sample.at`."""
    good: bool
    """In its last run."""
    in_a_row: int
    """Runs at the end that were as good, or as bad, as its last."""
    breaks: int
    """How often it was good and bad in the run after."""
    skipped: bool = False
    """In its last run."""


@dataclass(frozen=True)
class Known:
    """What is known of tests before they are run; nothing, where there is no history."""

    past: Mapping[str, Past] = field(default_factory=dict)
    """By key; of tests of which some run says something."""
    changed: Collection[str] = frozenset()
    """Keys of tests whose files changed since they ran last."""
    near: Mapping[str, str] = field(default_factory=dict)
    """By key, of a test that a few attempts move: a sentence on how many."""
    ops: Mapping[Group, Collection[str]] = field(default_factory=dict)
    """Keys of the ops of models that went op by op."""


class Ranked(NamedTuple):
    """A test with what it would tell."""

    test: PlannedTest
    reason: Reason
    says: str
    """The reason in one sentence, with its numbers."""


def pasts(samples: Iterable[Sample]) -> dict[str, Past]:
    """What tests came to, by key, by those of some samples that say it."""
    rows: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.excluded in SAYS_SO and not sample.missing:
            rows[sample.test].append(sample)
    return {test: _past(sorted(own, key=lambda s: (s.at, s.run))) for test, own in rows.items()}


def _past(rows: Sequence[Sample]) -> Past:
    skipped = rows[-1].excluded is Excluded.SKIPPED
    ran = [row for row in rows if row.excluded is not Excluded.SKIPPED]
    if skipped or not ran:
        return Past(rows[-1].at, False, 1, 0, skipped=True)
    good = [row.good for row in ran]
    same = next((n for n, one in enumerate(reversed(good)) if one is not good[-1]), len(good))
    breaks = sum(a and not b for a, b in pairwise(good))
    return Past(rows[-1].at, good[-1], same, breaks)


def ranked(
    tests: Iterable[PlannedTest], known: Known | None = None, longest_s: float = inf
) -> list[Ranked]:
    """All tests, those first that tell most; the same for whatever order they come in.

    Args:
        tests: With their estimates; one without lasts what most others do.
        known: What history says of them.
        longest_s: A test that is expected to take longer cannot run and covers nothing.
    """
    known = known or Known()
    listed = sorted(tests, key=lambda t: t.identity.key)
    seconds = fill_estimates(listed)
    tiers: dict[Reason, list[Ranked]] = defaultdict(list)
    for test in listed:
        reason, says = _reason(test, known)
        tiers[reason].append(Ranked(test, reason, says))
    covered: set[Hashable] = set()
    cover = _Cover(known, seconds, covered, longest_s)
    found: list[Ranked] = []
    for reason in (Reason.NEW, Reason.CHANGED, Reason.BOUNDARY, Reason.REGRESSED):
        found += (one for one, _ in cover.taken(tiers[reason]))
    rest = list(cover.taken(tiers[Reason.STEADY], only_ops=True))
    found += (one._replace(reason=Reason.OPS, says=_ops(n)) for one, n in rest if n)
    return found + [one for one, n in rest if not n]


def _reason(test: PlannedTest, known: Known) -> tuple[Reason, str]:
    key = test.identity.key
    past = known.past.get(key)
    if past is None:
        return Reason.NEW, "no run that is remembered says anything of it"
    if past.skipped:
        return Reason.STEADY, "skipped in its last run"
    if key in known.changed:
        return Reason.CHANGED, "a file that it needs has changed since it ran last"
    if key in known.near:
        return Reason.BOUNDARY, known.near[key]
    if test.list_name == PROBE:
        return Reason.BOUNDARY, "looked at so that it can come back to its list"
    if past.breaks:
        times = "once" if past.breaks == 1 else f"{past.breaks} times"
        return Reason.REGRESSED, f"it broke {times} in the runs that are remembered"
    runs = "its last run" if past.in_a_row == 1 else f"its last {past.in_a_row} runs"
    return Reason.STEADY, f"{'good' if past.good else 'as bad as before'} in {runs}"


def _ops(count: int) -> str:
    return f"its model has {count} {'op' if count == 1 else 'ops'} that no test before it has"


class _Cover:
    """Takes tests one after another, by what each adds to what is covered for its seconds."""

    def __init__(
        self,
        known: Known,
        seconds: Mapping[str, float],
        covered: set[Hashable],
        longest_s: float,
    ) -> None:
        self.known, self.seconds = known, seconds
        self.covered, self.longest_s = covered, longest_s

    def taken(
        self, tests: Sequence[Ranked], *, only_ops: bool = False
    ) -> Iterator[tuple[Ranked, int]]:
        """Each with how much it adds, the best first; those that add nothing by how long they were
        not run, and how soon they are done.

        What a test adds only becomes less while others are taken, so one whose old value is best is
        looked at again, and taken if it still is.
        """
        heap = [(*self._order(one, only_ops), i) for i, one in enumerate(tests)]
        heapq.heapify(heap)
        while heap:
            *_, i = heapq.heappop(heap)
            now = (*self._order(tests[i], only_ops), i)
            if heap and now > heap[0]:
                heapq.heappush(heap, now)
                continue
            adds = self._adds(tests[i], only_ops)
            if self._fits(tests[i]):
                self.covered |= adds
            yield tests[i], len(adds)

    def _order(self, one: Ranked, only_ops: bool) -> tuple[float, float, float]:
        """The least is taken first; ties go by the tests' keys, in whose order they come."""
        key = one.test.identity.key
        past = self.known.past.get(key)
        seconds = max(self.seconds[key], _LEAST_S)
        last = past.last if past else 0.0
        return -len(self._adds(one, only_ops)) / seconds, last, seconds

    def _adds(self, one: Ranked, only_ops: bool) -> set[Hashable]:
        identity, group = one.test.identity, group_of(one.test.identity)
        if not self._fits(one):
            return set()
        found: set[Hashable] = set(self.known.ops.get(group, ()))
        if not only_ops:
            found |= {
                ("model", identity.model),
                ("on", identity.flow, identity.device),
                ("as", identity.framework, identity.mode),
                ("test", identity.key),
            }
        return found - self.covered

    def _fits(self, one: Ranked) -> bool:
        return self.seconds[one.test.identity.key] <= self.longest_s
