# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A static plan for runners that share nothing: tests into n shards of even length.

Longest processing time first. What is dealt out is not tests but groups of them, the flows and
devices of one model loaded one way, because they share loading and front-end work. A group
heavier than the average shard is cut; and when keeping groups whole still costs more than a
tenth over dealing out single tests, they are cut smaller and smaller until it does not.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.groups import Group, group_of, longest_first

SLACK = 1.1
"""How much longer than without groups the longest shard may be, as a factor."""


def partition(tests: Sequence[PlannedTest], n: int) -> list[list[PlannedTest]]:
    """Divide `tests` into `n` shards, every test in exactly one; shards may be empty.

    The result depends on the set of tests and not on their order, so every job of a matrix
    computes the same one. A shard lists its longest group first.

    Raises:
        PipelineError: `n` is less than one.
    """
    if n < 1:
        raise PipelineError(f"cannot divide the tests into {n} shards; it takes at least 1")
    seconds = {w.test.identity.key: w.seconds for w in longest_first(tests)}
    ordered = sorted(tests, key=lambda t: (t.identity, t.nodeid, t.list_name))
    average = _weight(ordered, seconds) / n
    limits = (average, average / 2, average / 4, average / 8, 0.0)
    packed = [_pack(_units(ordered, seconds, limit), seconds, n) for limit in limits]
    longest = [max(_weight(shard, seconds) for shard in shards) for shards in packed]
    bound = SLACK * min(longest)
    return next(p for p, length in zip(packed, longest, strict=True) if length <= bound)


def _weight(tests: Iterable[PlannedTest], seconds: Mapping[str, float]) -> float:
    return sum(seconds[t.identity.key] for t in tests)


def _units(
    ordered: Iterable[PlannedTest], seconds: Mapping[str, float], limit: float
) -> list[list[PlannedTest]]:
    """Groups, each cut into pieces no heavier than `limit` where its tests allow."""
    groups: dict[Group, list[PlannedTest]] = defaultdict(list)
    for test in ordered:
        groups[group_of(test.identity)].append(test)
    return [piece for group in groups.values() for piece in _cut(group, seconds, limit)]


def _cut(
    group: Iterable[PlannedTest], seconds: Mapping[str, float], limit: float
) -> Iterator[list[PlannedTest]]:
    piece: list[PlannedTest] = []
    for test in group:
        if piece and _weight([*piece, test], seconds) > limit:
            yield piece
            piece = []
        piece.append(test)
    yield piece


def _pack(
    units: Sequence[list[PlannedTest]], seconds: Mapping[str, float], n: int
) -> list[list[PlannedTest]]:
    """Deal the units out, the longest first, each to the shard with the least so far."""
    shards: list[list[PlannedTest]] = [[] for _ in range(n)]
    loads = [(0.0, 0, i) for i in range(n)]
    for unit in sorted(units, key=lambda u: -_weight(u, seconds)):
        load, count, i = heapq.heappop(loads)
        shards[i] += unit
        heapq.heappush(loads, (load + _weight(unit, seconds), count + len(unit), i))
    return shards
