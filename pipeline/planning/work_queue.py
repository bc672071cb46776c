# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which unit a free worker runs next: a queue that is pulled from, whoever pulls.

A decision is made when a worker is free, never earlier: nothing waits behind a long unit, and a
worker that dies holds nothing. Units of one group share loading when they run back to back on
one worker, so a group is handed out like one long unit: whoever is at it goes on with it, and it is
split only when that would take too long for the night.

Units lie in *cells*, one for each kind of device, step of memory and step of the time that they
hold their device, so that those that may not start now, for want of any, are passed over together.
In a cell there are heaps with entries that are no longer true; they are dropped when they come to
the top. A choice looks at the top of each cell and costs O(log n) for n units.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf, log2

from bringup.pipeline.planning.work import Group, WorkUnit

_STEPS = 32
"""Into so many steps is the memory divided; what needs as much is looked at as one."""
URGENT = 0.1
"""A unit that may take so much of an even share of all work left is started before others: the
units still to come even out whatever it takes. Found by simulation, see `nox -s bench`: at 0.25
the worst nights with unknown tests and a lost device are a tenth longer, and below it models are
loaded more often for nothing."""

PATIENT = 3.0
"""Whoever is at a group leaves it for a unit that would end so many even shares of all work left
from now."""
SPLIT = 0.5
"""A group that somebody is at is split if what waits of it is more than so much of an even share of
all work left: it would be the last to end."""
SPARED = 0.2
"""And never, while anything runs, for less than so much of an even share of the whole night, which
is what a worker may idle at its end: a model is loaded 1.09 times then, and 1.27 times without."""

AHEAD = 10.0
"""Units of a kind are started ahead of its devices, whose front ends run meanwhile: as many as hold
them for so many times their number, less the more of its seconds a unit holds its device. One that
holds it all the while is not started before a device is free. By simulation of 60 models, see
`nox -s bench`: below 10 workers leave their models, and above it nothing is gained."""
FED = 1.2
"""A device that will be the last to finish gets the longest unit whose front end takes no more than
so many times what is on its way to it; else the one with the shortest. At 0.5 models are loaded 1.2
times, at 2 a night of two boards takes 1.06 times the bound instead of 1.05."""
CROWD = 2
"""A worker prefers, of its own model, what runs on a kind that fewer units are at than so many for
each device."""
_PARTS = 8
"""Into so many steps is the part divided that units hold their device: whole ones are apart."""
_FRONT_STEPS = 4
"""Front ends are looked at together whose seconds differ by less than a factor of 2 ** (1 / 4)."""
_ROUNDING = 1e-9

Cell = tuple[str, int, int]
"""The kind of device, the step of memory, and that of the part that units hold their device."""
Accepts = Callable[[WorkUnit], bool]


_Entry = tuple[float, Group, int]
"""Of a group in a heap: what it is ordered by, and the version that the entry is of."""


@dataclass(eq=False)
class _Heaps:
    """Of one cell; the least first, so times are negative."""

    long: list[tuple[float, str]] = field(default_factory=list)
    """Units, the longest first."""
    untouched: list[_Entry] = field(default_factory=list)
    """Groups that nobody is at, the one with the most work first."""
    leading: list[_Entry] = field(default_factory=list)
    """The same groups, the one with the longest unit first."""
    touched: list[_Entry] = field(default_factory=list)
    """Groups that somebody is at, the one with the most work first."""
    of_group: dict[Group, list[tuple[float, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The units of each group, the longest first."""


class WorkQueue:
    """Units that wait, and those that were taken and are not done."""

    def __init__(
        self,
        units: Iterable[WorkUnit],
        capacities: Mapping[str, int] | None = None,
        memory: int | None = None,
    ) -> None:
        """`capacities` are how many devices of a kind there are (absent: any number), `memory`
        the bytes that all units together may need."""
        self.capacities = dict(capacities or {})
        self.memory = memory
        self.waiting: dict[str, WorkUnit] = {}
        self.running: dict[str, WorkUnit] = {}
        self._held: dict[str, list[WorkUnit]] = defaultdict(list)
        """By key, the units that wait for that one to be done."""
        self._cells: dict[Cell, _Heaps] = defaultdict(_Heaps)
        self._cells_of: dict[Group, set[Cell]] = defaultdict(set)
        self._work: dict[str, float] = defaultdict(float)
        """Seconds that wait, by kind."""
        self._work_of: dict[Group, float] = defaultdict(float)
        self._version: Counter[Group] = Counter()
        """Entries of a group's earlier versions are void."""
        self._at: Counter[Group] = Counter()
        """How many units of a group run."""
        self._busy: dict[str, float] = defaultdict(float)
        """Devices of running units, each counted by how much of its time it is held, by kind."""
        self._begun: Counter[str] = Counter()
        """Devices of running units, whether they hold them yet or not, by kind."""
        self._on_devices: dict[str, float] = defaultdict(float)
        """Seconds that waiting units hold devices, by kind."""
        self._coming: dict[str, float] = defaultdict(float)
        """Seconds that running units are yet to hold devices, by kind: a unit's count whole until
        it has left its own."""
        self._left: set[str] = set()
        """Running units that are through with their devices."""
        self._by_front: dict[str, dict[int, list[tuple[float, str]]]] = defaultdict(dict)
        """Units of kinds that are counted, the longest first, by the step of their front end."""
        self._used = 0
        listed = list(units)
        there = {u.key for u in listed}
        for unit in listed:
            if unit.after in there:
                self._held[unit.after].append(unit)
            else:
                self._put(unit, say=False)
        for group in list(self._work_of):
            self._say(group)
        self._whole = sum(self._work.values())

    def __len__(self) -> int:
        """How many wait, those for others included."""
        return len(self.waiting) + sum(map(len, self._held.values()))

    def take(
        self, last_group: Group | None = None, workers: int = 1, accepts: Accepts | None = None
    ) -> WorkUnit | None:
        """Choose for a free worker; None when nothing may start now.

        `last_group` is what this worker ran before, `workers` how many there are, busy or not,
        `accepts` refuses units that this worker cannot run.

        Whoever is at a group goes on with it. Others keep a device busy that will be the last to
        finish: when its own work outlasts an even share of all work, its units are considered
        first, of several such devices those with the least on its way. Then, in order of
        preference: the longest unit that nobody will come to in time, where it is a large part of
        what is left; a group no other worker is at, the one with the most work left. None too where
        all that waits is soon done by those who are at its models.
        """
        cells = list(self._open_cells())
        fits = self._fits if accepts is None else lambda u: self._fits(u) and accepts(u)
        if last_group is None or self._own(cells, last_group, fits) is None:
            for kind in sorted(self._bottlenecks(workers), key=lambda k: (self._on_its_way(k), k)):
                of_kind = [cell for cell in cells if cell[0] == kind]
                found = self._choose(of_kind, None, workers, fits)
                if found is not None:
                    return self._start(self._in_time(found, fits))
        found = self._choose(cells, last_group, workers, fits)
        return None if found is None else self._start(found)

    def waits_of(self, group: Group | None) -> bool:
        """Does a unit of a group wait that may be taken?"""
        return group is not None and bool(self._cells_of.get(group))

    def left_device(self, key: str) -> None:
        """A unit that runs is through with its device, which others may have; harmless of one that
        is not known, or was said to be before."""
        unit = self.running.get(key)
        if unit is not None and key not in self._left:
            self._left.add(key)
            self._occupy(unit, -1)

    def done(self, key: str) -> None:
        """A unit has ended, well or not: what it held is free."""
        unit = self._stop(key)
        self._say(unit.group)
        for freed in self._held.pop(key, ()):
            self._put(freed)

    def give_back(self, key: str) -> None:
        """Let a unit that was taken and has not run wait again."""
        self._put(self._stop(key))

    def give_up(self, key: str) -> None:
        """A unit that was taken is run by somebody else, and so is what waits for it; somebody is
        at its group, as far as this queue will ever know."""
        unit = self._stop(key)
        self._held.pop(key, None)
        self._at[unit.group] += 1
        self._say(unit.group)

    def add(self, unit: WorkUnit) -> None:
        """Let one unit more wait."""
        self._put(unit)

    def alone(self, key: str) -> None:
        """Let a unit that was taken, and came to grief beside others, wait to be run alone."""
        unit = self._stop(key)
        self._put(replace(unit, needs=replace(unit.needs, exclusive=True)))

    def drop(self, keys: Iterable[str]) -> None:
        """Forget units that wait."""
        groups = set()
        for key in keys:
            if unit := self.waiting.pop(key, None):
                self._count(unit, -1)
                groups.add(unit.group)
        for group in groups:
            self._say(group)

    # --- choosing

    def _open_cells(self) -> Iterator[Cell]:
        """Cells with units that a device is free for; the smaller part of memory is by the unit."""
        for cell, heaps in self._cells.items():
            kind, step, part = cell
            held = part / _PARTS
            if not heaps.of_group or self._busy[kind] + held > self._most(kind, held) + _ROUNDING:
                continue
            if not self.running or self.memory is None or step <= self._step(self._free()):
                yield cell

    def _choose(
        self,
        cells: list[Cell],
        last_group: Group | None,
        workers: int,
        fits: Accepts,
    ) -> WorkUnit | None:
        share = sum(self._work.values()) / workers
        least = max(SPLIT * share, SPARED * self._whole / workers) if self.running else 0.0
        urgent = self._urgent(cells, fits, least)
        if last_group is not None:
            own = self._own(cells, last_group, fits)
            late = (
                urgent is not None
                and own is not None
                and own.seconds + urgent.long_s > PATIENT * share
            )
            if own is not None and not late:
                return own
        if urgent is not None and urgent.long_s >= URGENT * share:
            return urgent
        return self._fresh(cells, fits) or urgent or self._any(cells, fits, least)

    def _own(self, cells: list[Cell], group: Group, fits: Accepts) -> WorkUnit | None:
        """The longest unit of a worker's group, first of those whose device few are at."""
        calm = [c for c in cells if self._begun[c[0]] < CROWD * self.capacities.get(c[0], inf)]
        for some in (calm, cells):
            found = _best(self._of_group(self._cells[c], group, fits) for c in some)
            if found is not None:
                return found
        return None

    def _urgent(self, cells: list[Cell], fits: Accepts, least: float) -> WorkUnit | None:
        """The longest unit that nobody will come to in time: of a group that nobody is at, or of
        one of which more work waits than `least`."""
        found = []
        for cell in cells:
            heaps = self._cells[cell]
            if (top := self._top(heaps.leading, heaps)) is not None:
                found.append(self._of_group(heaps, top[1], fits))
            if (top := self._top(heaps.touched, heaps)) is not None and -top[0] > least:
                found.append(self._of_group(heaps, top[1], fits))
        return _best(found)

    def _fresh(self, cells: list[Cell], fits: Accepts) -> WorkUnit | None:
        """The longest unit of the group with the most work that nobody is at."""
        heads = []
        for cell in cells:
            heaps = self._cells[cell]
            top = self._top(heaps.untouched, heaps)
            if top is not None and (unit := self._of_group(heaps, top[1], fits)) is not None:
                heads.append((top[0], top[1], -unit.long_s, unit.key, unit))
        return min(heads)[-1] if heads else None

    def _any(self, cells: list[Cell], fits: Accepts, least: float) -> WorkUnit | None:
        """What fits where the first of each group do not: the longest of all."""
        long = _best(self._first_of(self._cells[c].long, fits) for c in cells)
        if long is None or (self._at[long.group] and self._work_of[long.group] <= least):
            return None
        return long

    def _in_time(self, chosen: WorkUnit, fits: Accepts) -> WorkUnit:
        """That unit, or one whose front end is through before its device has nothing to do: the
        longest such, else one of the shortest front ends."""
        kind = chosen.needs.kind
        limit = FED * self._on_its_way(kind)
        if chosen.front_s <= limit:
            return chosen
        steps = self._by_front[kind]
        below = [step for step in steps if step <= _front_step(limit)]
        found = _best(self._first_of(steps[step], fits) for step in below)
        by_length = (self._first_of(steps[step], fits) for step in sorted(steps))
        return found or next((unit for unit in by_length if unit is not None), chosen)

    def _on_its_way(self, kind: str) -> float:
        """Seconds of work that comes to each device of a kind."""
        return self._coming[kind] / self.capacities[kind]

    def _top(self, heap: list[_Entry], heaps: _Heaps) -> _Entry | None:
        while heap and self._is_void(heap[0], heaps):
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _fits(self, unit: WorkUnit) -> bool:
        if not self.running:
            return True  # what needs more than there is runs alone
        if unit.needs.exclusive or any(u.needs.exclusive for u in self.running.values()):
            return False
        needs = unit.needs
        held = needs.chips * unit.held
        if self._busy[needs.kind] + held > self._most(needs.kind, unit.held) + _ROUNDING:
            return False
        return self.memory is None or self._used + unit.needs.memory <= self.memory

    def _most(self, kind: str, held: float) -> float:
        """How many devices of a kind running units may hold together, once a unit that holds its
        own so much of its time has begun."""
        return self.capacities.get(kind, inf) * (1.0 + AHEAD * (1.0 - held))

    def _first_of(self, units: list[tuple[float, str]], fits: Accepts) -> WorkUnit | None:
        """The first of a heap that waits and fits."""
        while units and units[0][1] not in self.waiting:
            heapq.heappop(units)
        return self._first(units, fits)

    def _of_group(self, heaps: _Heaps, group: Group, fits: Accepts) -> WorkUnit | None:
        units = heaps.of_group.get(group)
        while units and units[0][1] not in self.waiting:
            heapq.heappop(units)
        if not units:
            heaps.of_group.pop(group, None)
            return None
        return self._first(units, fits)

    def _first(self, units: list[tuple[float, str]], fits: Accepts) -> WorkUnit | None:
        """The first that fits; as a rule it is the first of all."""
        if not units:
            return None
        first = self.waiting[units[0][1]]
        if fits(first):
            return first
        known = (self.waiting[key] for _, key in sorted(units) if key in self.waiting)
        return next((u for u in known if fits(u)), None)

    def _is_void(self, entry: _Entry, heaps: _Heaps) -> bool:
        _, group, version = entry
        return version != self._version[group] or group not in heaps.of_group

    def _bottlenecks(self, workers: int) -> set[str]:
        """Kinds whose devices are at work for longer than all workers are."""
        share = sum(self._work.values()) / workers
        return {k for k, most in self.capacities.items() if self._on(k) / most > share}

    def _on(self, kind: str) -> float:
        """Seconds that waiting units hold devices of a kind, counted a sixth less where they hold
        them for a small part of their time: workers leave their models for what comes first."""
        held, work = self._on_devices[kind], self._work[kind]
        return held / (1.2 - 0.2 * held / work) if work > 0 and held < work else held

    # --- book-keeping

    def _free(self) -> int:
        assert self.memory is not None
        return max(self.memory - self._used, 0)

    def _step(self, size: int) -> int:
        return min(size * _STEPS // self.memory, _STEPS) if self.memory else 0

    def _start(self, unit: WorkUnit) -> WorkUnit:
        del self.waiting[unit.key]
        self.running[unit.key] = unit
        self._used += unit.needs.memory
        self._occupy(unit, 1)
        self._at[unit.group] += 1
        self._count(unit, -1)
        self._say(unit.group)
        return unit

    def _stop(self, key: str) -> WorkUnit:
        unit = self.running.pop(key)
        self._used -= unit.needs.memory
        if key not in self._left:
            self._occupy(unit, -1)
        self._left.discard(key)
        self._at[unit.group] -= 1
        return unit

    def _occupy(self, unit: WorkUnit, sign: int) -> None:
        """Count a running unit on its device, or no longer."""
        kind, held = unit.needs.kind, unit.needs.chips * unit.held
        self._busy[kind] += sign * held
        self._begun[kind] += sign * unit.needs.chips
        self._coming[kind] += sign * held * unit.seconds

    def _put(self, unit: WorkUnit, *, say: bool = True) -> None:
        cell = unit.needs.kind, self._step(unit.needs.memory), int(unit.held * _PARTS)
        self.waiting[unit.key] = unit
        heaps = self._cells[cell]
        heapq.heappush(heaps.long, (-unit.long_s, unit.key))
        heapq.heappush(heaps.of_group[unit.group], (-unit.long_s, unit.key))
        if unit.needs.kind in self.capacities:
            steps = self._by_front[unit.needs.kind]
            alike = steps.setdefault(_front_step(unit.front_s), [])
            heapq.heappush(alike, (-unit.long_s, unit.key))
        self._cells_of[unit.group].add(cell)
        self._count(unit, 1)
        if say:
            self._say(unit.group)

    def _count(self, unit: WorkUnit, sign: int) -> None:
        self._work[unit.needs.kind] += sign * unit.seconds
        self._on_devices[unit.needs.kind] += sign * unit.seconds * unit.held * unit.needs.chips
        self._work_of[unit.group] += sign * unit.long_s

    def _say(self, group: Group) -> None:
        """Enter what a group has to do now into the heaps of its cells."""
        self._version[group] += 1
        entry = -self._work_of[group], group, self._version[group]
        for cell in list(self._cells_of[group]):
            heaps = self._cells[cell]
            longest = self._of_group(heaps, group, lambda _: True)
            if longest is None:
                self._cells_of[group].discard(cell)
            elif self._at[group]:
                heapq.heappush(heaps.touched, entry)
            else:
                heapq.heappush(heaps.untouched, entry)
                heapq.heappush(heaps.leading, (-longest.long_s, *entry[1:]))


def _front_step(seconds: float) -> int:
    return int(_FRONT_STEPS * log2(1.0 + max(seconds, 0.0)))


def _best(found: Iterable[WorkUnit | None]) -> WorkUnit | None:
    """The longest."""
    return min(filter(None, found), key=lambda u: (-u.long_s, u.key), default=None)
