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

from bringup.pipeline.planning.slots import may_start, offered_to
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
    units: Sequence[WorkUnit],
    parts: Mapping[str, Parts],
    slots: int,
    boards: Mapping[str, int],
    processes: int,
) -> Played:
    """What our queue and our slots make of it, where there are so many boards of a kind.

    As a test is run: it is loaded, waits for a board without a slot, holds it for its part, and
    ends without it. Whoever computes shares as many processors as there are slots, a part on a
    board included: its compiler is a program of the host.
    """
    queue = WorkQueue(units, boards)
    kinds = {u.key: u.needs.kind for u in units}
    last: dict[int, Group | None] = dict.fromkeys(range(processes))
    idle, free = set(last), dict(boards)
    waiting: dict[str, deque[int]] = {kind: deque() for kind in boards}
    at: dict[int, _At] = {}
    computing: dict[int, float] = {}
    """By process, the seconds that are left of the step it is at."""
    now = 0.0
    ran = loads = 0

    def begin(process: int, step: _Step, seconds: float) -> None:
        at[process] = at[process]._replace(step=step)
        computing[process] = seconds

    def start_what_may() -> None:
        nonlocal loads
        in_line = {at[process].key for queued in waiting.values() for process in queued}
        for process in offered_to({p: last[p] for p in sorted(idle)}, queue):
            if not may_start(queue.running, in_line, slots):
                return
            unit = queue.take(last[process], slots)
            if unit is None:
                continue
            idle.discard(process)
            again = last[process] == unit.group
            loads += not again
            last[process], at[process] = unit.group, _At(unit.key)
            begin(process, _Step.FRONT, 0.0 if again else parts[unit.key].front)

    start_what_may()
    while computing:
        process = min(computing, key=lambda p: (computing[p], p))
        rate = min(1.0, slots / len(computing))
        took = computing.pop(process)
        now += took / rate
        computing = {p: seconds - took for p, seconds in computing.items()}
        key, step = at[process]
        kind = kinds[key]
        if step is _Step.FRONT:
            if kind in free and not free[kind]:
                waiting[kind].append(process)
            else:
                free[kind] = free.get(kind, processes) - 1
                begin(process, _Step.DEVICE, parts[key].device)
        elif step is _Step.DEVICE:
            free[kind] += 1
            queue.left_device(key)
            begin(process, _Step.REST, parts[key].rest)
            if waiting.get(kind):
                free[kind] -= 1
                following = waiting[kind].popleft()
                begin(following, _Step.DEVICE, parts[at[following].key].device)
        else:
            queue.done(key)
            ran += 1
            idle.add(process)
        start_what_may()
    return Played(now, ran, loads)


class _Step(enum.Enum):
    FRONT = enum.auto()
    DEVICE = enum.auto()
    REST = enum.auto()


class _At(NamedTuple):
    key: str
    step: _Step = _Step.FRONT


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
