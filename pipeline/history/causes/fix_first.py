# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The smallest set of causes that gets the most tests to their next stage: a greedy set cover.

A test is held back by one or several causes at the stage it stopped at, and all of them must be
fixed before it goes on; op by op says what waits behind. Each step fixes what one of the tests
needs, by the most tests that get on for each cause; the best order takes exponential time, greedy
is within ln(n) of it (Chvatal 1979).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from bringup.harness.records.night import Fix, FixList
from bringup.harness.records.values import Stage
from bringup.pipeline.history.causes.clusters import Clustered, Failing

MOST_STEPS = 20


@dataclass(frozen=True)
class Blocked:
    """A test, and what holds it back: the causes at each stage, in the order of the stages."""

    test: str
    device: str
    stages: tuple[frozenset[str], ...]

    def left(self, fixed: Collection[str]) -> tuple[frozenset[str], ...]:
        """What still holds it back, stage by stage, once some causes are fixed."""
        left = [causes.difference(fixed) for causes in self.stages]
        while left and not left[0]:
            left.pop(0)
        return tuple(left)


def blocked_by(failures: Iterable[Failing], clustered: Clustered) -> list[Blocked]:
    """What holds each test back: its ops' causes by stage, or its own where no op failed.

    Args:
        failures: as they were clustered.
    """
    causes: dict[tuple[str, str], dict[bool, dict[str, set[str]]]] = {}
    for failing, cause in zip(failures, clustered.of, strict=True):
        of_test = causes.setdefault((failing.test, failing.device), {})
        of_ops = of_test.setdefault(bool(failing.op), defaultdict(set))
        of_ops[failing.stage].add(cause)
    order = {stage.value: i for i, stage in enumerate(Stage)}
    return [
        Blocked(test, device, tuple(frozenset(stages[s]) for s in sorted(stages, key=_at(order))))
        for (test, device), found in sorted(causes.items())
        for stages in [found.get(True) or found[False]]
    ]


def _at(order: dict[str, int]) -> Callable[[str], tuple[int, str]]:
    """Where a stage stands; one that nobody knows comes first, since nothing is known behind."""
    return lambda stage: (order.get(stage, -1), stage)


def fix_first(blocked: Iterable[Blocked], steps: int = MOST_STEPS) -> tuple[FixList, ...]:
    """What to fix first over all devices, then on each of them by its name."""
    tests = sorted(blocked, key=lambda b: (b.test, b.device))
    found = [_list("", tests, steps)]
    for device in sorted({b.device for b in tests}):
        found.append(_list(device, [b for b in tests if b.device == device], steps))
    return tuple(found)


def _list(device: str, tests: list[Blocked], steps: int) -> FixList:
    fixed: set[str] = set()
    waiting = [(test, left) for test in tests if (left := test.left(()))]
    held = len(waiting)
    fixes: list[Fix] = []
    while waiting and len(fixes) < steps:
        causes = _best([left[0] for _, left in waiting])
        fixed |= causes
        after = [(test, test.left(fixed)) for test, _ in waiting]
        moved = [
            (test, left)
            for (test, before), (_, left) in zip(waiting, after, strict=True)
            if before[0] <= causes
        ]
        advances = tuple(test.test for test, _ in moved)
        frees = sum(1 for _, left in moved if not left)
        fixes.append(Fix(causes=tuple(sorted(causes)), advances=advances, frees=frees))
        waiting = [(test, left) for test, left in after if left]
    return FixList(device=device, fixes=tuple(fixes), blocked=held)


def _best(needs: list[frozenset[str]]) -> frozenset[str]:
    """The set of causes that gets on most tests for each of them; of equals the one with fewer
    causes, then the first by name."""
    counts = Counter(needs)

    def rank(causes: frozenset[str]) -> tuple[float, int, list[str]]:
        advanced = sum(count for need, count in counts.items() if need <= causes)
        return -advanced / len(causes), len(causes), sorted(causes)

    return min(counts, key=rank)
