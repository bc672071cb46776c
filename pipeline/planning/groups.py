# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which test a free worker runs next: pure functions over planned tests.

Devices of one (model, variant, framework, mode) share loading and front-end work when they run
back to back on one worker, so a group is handed out like one long test, the longest first, and
is split only when a worker would otherwise have nothing to do. A decision is made when a worker
is free, never earlier: nothing waits behind a long test, and a worker that dies holds nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from bringup.harness.records.schema import Identity, PlannedTest

UNKNOWN_S = 60.0
"""What a test is taken to last when no test of the run has an estimate."""


class Group(NamedTuple):
    """Tests that load the same model the same way."""

    model: str
    variant: str
    framework: str
    mode: str


class Waiting(NamedTuple):
    """A planned test with what a decision needs to know of it."""

    test: PlannedTest
    group: Group
    device: str
    seconds: float
    """Expected; a test without an estimate is taken to be a median one."""


def group_of(identity: Identity) -> Group:
    """The group a test belongs to."""
    return Group(identity.model, identity.variant, identity.framework, identity.mode)


def fill_estimates(tests: Iterable[PlannedTest]) -> dict[str, float]:
    """Expected seconds by key; a test without an estimate is taken to be a median one."""
    listed = list(tests)
    known = [t.estimate_s for t in listed if t.estimate_s is not None]
    typical = median(known) if known else UNKNOWN_S
    return {t.identity.key: typical if t.estimate_s is None else t.estimate_s for t in listed}


def longest_first(tests: Iterable[PlannedTest]) -> list[Waiting]:
    """The queue: by expected seconds, then by name so that it is the same everywhere."""
    listed = list(tests)
    seconds = fill_estimates(listed)
    queue = [
        Waiting(t, group_of(t.identity), t.identity.device, seconds[t.identity.key]) for t in listed
    ]
    return sorted(queue, key=lambda w: (-w.seconds, w.test.identity))


def next_test(
    queue: Sequence[Waiting],
    running: Collection[Waiting],
    capacities: Mapping[str, int],
    last_group: Group | None = None,
) -> Waiting | None:
    """Choose from `queue` (longest first) for a free worker; None when nothing may start now.

    `running` are the tests on the other workers, `capacities` the most tests a device runs at
    a time (absent: any number), `last_group` what this worker ran before.

    A device that will be the last to finish is kept busy: when its own work outlasts an even
    share of all work, only its tests are considered. Then, in order of preference: this
    worker's own group; a group no other worker is at, the one with the most work left; a share
    of another worker's group, again the largest.
    """
    busy = Counter(w.device for w in running)
    full = {device for device, most in capacities.items() if busy[device] >= most}
    free = [w for w in queue if w.device not in full]
    scarce = _bottlenecks(queue, capacities, workers=len(running) + 1)
    free = [w for w in free if w.device in scarce] or free
    own = next((w for w in free if w.group == last_group), None)
    if own is not None:
        return own
    taken = {w.group for w in running}
    candidates = [w for w in free if w.group not in taken] or free
    work: dict[Group, float] = defaultdict(float)
    for waiting in queue:
        work[waiting.group] += waiting.seconds
    return max(candidates, key=lambda w: work[w.group], default=None)


def _bottlenecks(queue: Sequence[Waiting], capacities: Mapping[str, int], workers: int) -> set[str]:
    """Devices whose waiting tests take longer than all tests shared out evenly."""
    work: dict[str, float] = defaultdict(float)
    for waiting in queue:
        work[waiting.device] += waiting.seconds
    share = sum(work.values()) / workers
    return {device for device, most in capacities.items() if work[device] / most > share}
