# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights played with times that the scheduler does not know: ours, and those of others.

Each algorithm is given units in file order with estimates, and the true seconds by key; it says
when the last unit ends. Pulling ones survive a worker that dies: what it ran is run again.
"""

import enum
import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bringup.pipeline.planning.work import Group, WorkUnit
from bringup.pipeline.planning.work_queue import WorkQueue

Truth = Mapping[str, float]
"""Seconds by key."""
Algorithm = Callable[[Sequence[WorkUnit], Truth, int], float]


class Played(NamedTuple):
    """A night that was played."""

    seconds: float
    ran: int
    """Units that were run to their end."""
    loads: int
    """How often a worker had to load another model."""


def pulled(
    units: Sequence[WorkUnit], truth: Truth, workers: int, dies_at: float | None = None
) -> Played:
    """What our queue makes of it; the last worker dies at `dies_at`."""
    queue = WorkQueue(units)
    last: dict[int, Group] = {}
    events: list[tuple[float, int, str]] = [(0.0, w, "") for w in range(workers)]
    idle: list[int] = []
    dead, end, ran, loads = -1, 0.0, 0, 0
    while events:
        now, worker, key = heapq.heappop(events)
        if dies_at is not None and worker == workers - 1 and now >= dies_at:
            dead, now = worker, dies_at
            if key:
                queue.give_back(key)
        elif key:
            queue.done(key)
            ran += 1
            end = max(end, now)
        free = [*idle, worker] if worker != dead else [*idle]
        idle = []
        for each in free:
            unit = queue.take(last.get(each), workers - (dead >= 0))
            if unit is None:
                idle.append(each)
                continue
            loads += last.get(each) != unit.group
            last[each] = unit.group
            over = now + truth[unit.key]
            if each == workers - 1 and dies_at is not None and over > dies_at:
                over = max(now, dies_at)
            heapq.heappush(events, (over, each, unit.key))
    return Played(end, ran, loads)


class Parts(NamedTuple):
    """Seconds of a test: its front end, which it shares with its group on one worker, its part on a
    device, and what comes after."""

    front: float
    device: float
    rest: float


def on_boards(
    units: Sequence[WorkUnit], parts: Mapping[str, Parts], workers: int, boards: Mapping[str, int]
) -> Played:
    """What our queue makes of it where a worker waits for a board of a kind that has so many.

    As a test is run: it is loaded, waits for a board, holds it for its part, and ends without it.
    """
    queue = WorkQueue(units, boards)
    kinds = {u.key: u.needs.kind for u in units}
    last: dict[int, Group] = {}
    idle, free = set(range(workers)), dict(boards)
    waiting: dict[str, deque[tuple[int, str]]] = {kind: deque() for kind in boards}
    events: list[tuple[float, int, _Step, str]] = []
    now = end = 0.0
    ran = loads = 0

    def start(worker: int) -> None:
        nonlocal loads
        unit = queue.take(last.get(worker), workers)
        if unit is None:
            return
        idle.discard(worker)
        loads += last.get(worker) != unit.group
        front = 0.0 if last.get(worker) == unit.group else parts[unit.key].front
        last[worker] = unit.group
        heapq.heappush(events, (now + front, worker, _Step.LOADED, unit.key))

    def begin(worker: int, key: str) -> None:
        heapq.heappush(events, (now + parts[key].device, worker, _Step.COMPUTED, key))

    for worker in range(workers):
        start(worker)
    while events:
        now, worker, step, key = heapq.heappop(events)
        kind = kinds[key]
        if step is _Step.LOADED:
            if kind in free and not free[kind]:
                waiting[kind].append((worker, key))
            else:
                free[kind] = free.get(kind, workers) - 1
                begin(worker, key)
        elif step is _Step.COMPUTED:
            free[kind] += 1
            heapq.heappush(events, (now + parts[key].rest, worker, _Step.ENDED, key))
            if waiting.get(kind):
                free[kind] -= 1
                begin(*waiting[kind].popleft())
        else:
            queue.done(key)
            end, ran = now, ran + 1
            idle.add(worker)
            for each in sorted(idle):
                start(each)
    return Played(end, ran, loads)


class _Step(enum.IntEnum):
    LOADED = 0
    COMPUTED = 1
    ENDED = 2


def board_bound(parts: Mapping[str, Parts], units: Sequence[WorkUnit], workers: int) -> float:
    """No scheduler takes less with one board of a kind: an even share of all work, every model
    loaded once; all that a board does; or the longest test."""
    fronts = {u.group: parts[u.key].front for u in units}
    work = sum(fronts.values()) + sum(p.device + p.rest for p in parts.values())
    boards: dict[str, float] = {}
    for unit in units:
        kind = unit.needs.kind
        boards[kind] = boards.get(kind, 0.0) + parts[unit.key].device
    boards.pop("cpu", None)
    return max(work / workers, *boards.values(), *(sum(p) for p in parts.values()))


def _in_order(order: Sequence[WorkUnit], truth: Truth, workers: int) -> float:
    """Seconds when every free worker takes the next of `order`."""
    ends = [0.0] * workers
    for unit in order:
        heapq.heappush(ends, heapq.heappop(ends) + truth[unit.key])
    return max(ends)


def lpt(units: Sequence[WorkUnit], truth: Truth, workers: int) -> float:
    """The longest estimate first, pulled."""
    return _in_order(sorted(units, key=lambda u: -u.seconds), truth, workers)


def load(units: Sequence[WorkUnit], truth: Truth, workers: int) -> float:
    """xdist's default: a first batch for each in file order, then two ahead of each worker.

    Source: xdist 3.8, `scheduler.load.LoadScheduling`.
    """
    ahead = max(len(units) // (4 * workers), 2)
    pending = [list(units[w * ahead : (w + 1) * ahead]) for w in range(workers)]
    rest = iter(units[workers * ahead :])
    events = [(0.0, w) for w in range(workers)]
    end = 0.0
    while events:
        now, worker = heapq.heappop(events)
        end = max(end, now)
        while len(pending[worker]) < 2 and (unit := next(rest, None)):
            pending[worker].append(unit)
        if pending[worker]:
            heapq.heappush(events, (now + truth[pending[worker].pop(0).key], worker))
    return end


def worksteal(units: Sequence[WorkUnit], truth: Truth, workers: int) -> float:
    """xdist's `--dist=worksteal`: even slices in file order; an idle one takes half of the most.

    Source: xdist 3.8, `scheduler.worksteal.WorkStealingScheduling`.
    """
    n = len(units)
    pending = [list(units[w * n // workers : (w + 1) * n // workers]) for w in range(workers)]
    events = [(0.0, w) for w in range(workers)]
    end = 0.0
    while events:
        now, worker = heapq.heappop(events)
        end = max(end, now)
        if not pending[worker]:
            victim = max(pending, key=len)
            keep = len(victim) - len(victim) // 2
            pending[worker], victim[keep:] = victim[keep:], []
        if pending[worker]:
            heapq.heappush(events, (now + truth[pending[worker].pop(0).key], worker))
    return end


def round_robin(units: Sequence[WorkUnit], truth: Truth, workers: int) -> float:
    """Dealt out in turn, once."""
    return max(sum(truth[u.key] for u in units[w::workers]) for w in range(workers))


OTHERS: dict[str, Algorithm] = {
    "LPT": lpt,
    "xdist load": load,
    "xdist worksteal": worksteal,
    "round robin": round_robin,
}


def bound(truth: Truth, workers: int, dies_at: float | None = None) -> float:
    """No scheduler that knows every time takes less: the longest unit, or an even share of all."""
    total = sum(truth.values())
    share = total / workers
    if dies_at is not None and dies_at < share:
        share = (total - dies_at) / (workers - 1)
    return max(share, *truth.values())
