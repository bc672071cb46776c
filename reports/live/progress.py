# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far a run is, from its plans and from its journals while they are being written.

`LiveRun` takes up events; `snapshot` makes a value of them and of a clock, and reads nothing.
Nothing is decided here: an outcome is what a journal says; what ops make of it comes with the
merge.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.advice import advice_here, read_advice
from bringup.harness.records.journal_tail import JournalTail
from bringup.harness.records.left_behind import was_left_behind
from bringup.harness.records.outcomes import ATTENTION
from bringup.harness.records.run_dir import HEADER_NAME, read_plans
from bringup.harness.records.schema import (
    GOOD,
    NOT_EVIDENCE,
    AnyEvent,
    JournalOpened,
    OpEnded,
    OpRepeated,
    OpsFound,
    PlannedTest,
    Stage,
    StageStarted,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.reports.text.numbers import seconds as seconds_text
from bringup.reports.text.untrusted import clean, command_to_repeat, first_line

_MOST_LISTED = 200
"""Failures and running tests that are shown: a page of thousands is no glance."""
_UNKNOWN_S = 60.0
"""What a test is expected to take before any has ended, where its plan does not say."""


class Running(msgspec.Struct, frozen=True):
    """A test that is under way."""

    test: str
    device: str
    stage: str
    seconds: float
    ops: str
    """`57/82 ops`; empty unless it goes op by op."""


class Failed(msgspec.Struct, frozen=True):
    """A test that ended badly, with the shell line that runs it again."""

    test: str
    outcome: str
    stage: str
    why: str
    command: str


class Device(msgspec.Struct, frozen=True):
    """One device's night so far."""

    name: str
    planned: int
    done: int
    good: int
    running: int
    busy: float
    """Seconds of tests, of the seconds its places have been there: 0 to 1."""


class Snapshot(msgspec.Struct, frozen=True):
    """What a page shows."""

    run: str
    session: str
    planned: int
    done: int
    good: int
    failed: int
    """Ended, neither good nor without a say on the model."""
    left_s: float | None
    """Expected seconds to the end; None once nothing is left, or before anything began."""
    left: str
    utilisation: float
    over: bool
    """It is merged: its documents are what to read."""
    killed: bool
    """It is not, and nobody is left who writes it."""
    resume: str
    """The shell line that goes on with a run that was killed."""
    report: bool
    """They are there."""
    outcomes: dict[str, int]
    devices: tuple[Device, ...]
    running: tuple[Running, ...]
    failures: tuple[Failed, ...]
    """The newest first."""
    error: str = ""
    """A sentence: what cannot be read."""


@dataclass
class _Ops:
    total: int
    done: set[str] = field(default_factory=set)


class LiveRun:
    """What is known of a run, whatever wrote it: shards, workers, plain pytest."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.error = ""
        self._tail = JournalTail(run_dir)
        self._plans: tuple[int, ...] = ()
        self._tests: dict[str, PlannedTest] = {}
        self._session = self._run = ""
        self._planned = 0
        self._advice = advice_here()
        self._attempts: dict[str, int] = {}
        self._started: dict[str, TestStarted] = {}
        self._begun_in: dict[str, int] = {}
        """In which attempt at its run each test began."""
        self._ended: dict[str, TestEnded | TestStopped] = {}
        self._stages: dict[str, Stage] = {}
        self._ops: dict[str, _Ops] = {}
        self._took: dict[str, float] = {}
        self._busy: dict[str, float] = {}
        self._lanes: dict[str, int] = {}
        """The most tests that were under way at once on each device."""
        self._first = self._last = self._heard = 0.0
        self._left_behind = False

    def read(self) -> None:
        """Take up what is new; what cannot be read is the sentence `error`."""
        try:
            self._read_plans()
            # before the events: one that ends between the two looks has not been killed
            self._left_behind = was_left_behind(self.run_dir)
            for event, name in self._tail.read():
                self._apply(event, name)
            self.error = ""
        except (RecordError, OSError) as error:
            self.error = str(error)

    def _read_plans(self) -> None:
        sizes = tuple(p.stat().st_size for p in sorted(self.run_dir.glob("plan*.json")))
        if sizes == self._plans:
            return
        plans = read_plans(self.run_dir)
        self._plans = sizes
        self._tests = {t.identity.key: t for plan in plans for t in plan.tests}
        self._planned = max(len(self._tests), *(plan.total for plan in plans))
        self._session, self._run = plans[0].session, plans[0].run_id
        self._advice = read_advice(plans[0].started_by)

    def _apply(self, event: AnyEvent, journal: str) -> None:
        if isinstance(event, JournalOpened):
            self._attempts[journal] = event.attempt
            self._run = self._run or event.run_id
            return
        self._heard = max(self._heard, event.time)
        if isinstance(event, TestStarted):
            self._start(event, self._attempts.get(journal, 1))
        elif isinstance(event, StageStarted):
            self._stages[event.key] = event.stage
        elif isinstance(event, OpsFound):
            self._ops.setdefault(event.key, _Ops(event.total)).total = event.total
        elif isinstance(event, OpEnded | OpRepeated) and event.key in self._ops:
            one = event.result.verdict.op.key if isinstance(event, OpEnded) else event.op_key
            self._ops[event.key].done.add(one)
        elif isinstance(event, TestEnded | TestStopped):
            self._end(event)

    def _start(self, event: TestStarted, attempt: int) -> None:
        key, device = event.identity.key, event.identity.device
        if attempt < self._begun_in.get(key, 0):
            return  # of before the run was taken up again
        self._begun_in[key] = attempt
        self._started[key] = event
        self._first = min(self._first or event.time, event.time)
        self._ended.pop(key, None)
        self._stages.pop(key, None)
        self._ops.pop(key, None)
        now = sum(1 for k in self._under_way() if self._started[k].identity.device == device)
        self._lanes[device] = max(self._lanes.get(device, 0), now)

    def _end(self, event: TestEnded | TestStopped) -> None:
        """What the test itself reported counts, not a supervisor that came too late."""
        known = self._ended.get(event.key)
        if known is not None and not isinstance(event, TestEnded):
            return
        self._ended[event.key] = event
        self._last = max(self._last, event.time)
        started = self._started.get(event.key)
        if known is None and started is not None:
            took = getattr(event, "seconds", None) or max(event.time - started.time, 0.0)
            self._took[event.key] = took
            device = started.identity.device
            self._busy[device] = self._busy.get(device, 0.0) + took

    def _under_way(self) -> list[str]:
        return [key for key in self._started if key not in self._ended]

    def snapshot(self, now: float) -> Snapshot:
        """All of it as a value; `now` in seconds since the epoch."""
        over = self._is_over()
        killed = self._left_behind and not over
        if killed:
            now = min(now, self._heard)  # its tests ended with it
        under_way = self._under_way()
        outcomes = Counter(event.outcome for event in self._ended.values())
        good = sum(n for outcome, n in outcomes.items() if outcome in GOOD)
        bad = [k for k, e in self._ended.items() if e.outcome not in GOOD | NOT_EVIDENCE]
        devices = tuple(self._devices([] if killed else under_way, now))
        lanes = sum(self._lanes.values())
        left = None if killed else self._left_s(under_way, now)
        return Snapshot(
            run=clean(self._run),
            session=clean(self._session),
            planned=max(self._planned, len(self._started.keys() | self._ended.keys())),
            done=len(self._ended),
            good=good,
            failed=len(bad),
            left_s=left,
            left=""
            if left is None
            else f"about {seconds_text(left)} left"
            if left >= 1
            else "soon over",
            utilisation=self._share(sum(self._busy_of(d.name, now) for d in devices), lanes, now),
            over=over,
            killed=killed,
            resume=self._resume() if killed else "",
            report=over and (self.run_dir / "index.html").is_file(),
            outcomes={o.value: outcomes[o] for o in reversed(ATTENTION) if outcomes[o]},
            devices=devices,
            running=tuple(self._running(k, now) for k in under_way[:_MOST_LISTED]),
            failures=tuple(self._failed(k) for k in bad[: -_MOST_LISTED - 1 : -1]),
            error=clean(self.error),
        )

    def _resume(self) -> str:
        words = ("--resume", str(self.run_dir), *self._advice.places)
        return clean(self._advice.command(self._session or "run", *words))

    def _is_over(self) -> bool:
        """Is it merged, and did nobody write a journal after that?"""
        try:
            merged = (self.run_dir / HEADER_NAME).stat().st_mtime
            journals = (self.run_dir / "journal").glob("*.jsonl")
            return all(path.stat().st_mtime <= merged for path in journals)
        except OSError:
            return False

    def _devices(self, under_way: list[str], now: float) -> list[Device]:
        identities = {k: t.identity for k, t in self._tests.items()}
        identities |= {k: e.identity for k, e in self._started.items()}
        planned = Counter(identity.device for identity in identities.values())
        running = Counter(self._started[k].identity.device for k in under_way)
        ended = [(identities[k].device, e) for k, e in self._ended.items() if k in identities]
        done = Counter(device for device, _ in ended)
        good = Counter(device for device, event in ended if event.outcome in GOOD)
        return [
            Device(
                name=clean(device),
                planned=planned[device],
                done=done[device],
                good=good[device],
                running=running[device],
                busy=self._share(self._busy_of(device, now), self._lanes.get(device, 0), now),
            )
            for device in sorted(planned)
        ]

    def _busy_of(self, device: str, now: float) -> float:
        open_ = (self._started[k] for k in self._under_way())
        going = sum(max(now - e.time, 0.0) for e in open_ if e.identity.device == device)
        return self._busy.get(device, 0.0) + going

    def _share(self, busy: float, lanes: int, now: float) -> float:
        """Of the time that as many places were there as were ever in use at once."""
        until = now if self._under_way() else self._last
        whole = lanes * (until - self._first)
        return min(busy / whole, 1.0) if whole > 0 else 0.0

    def _left_s(self, under_way: list[str], now: float) -> float | None:
        """Work that is left, over the places that there are; no less than the longest test."""
        usual = median(self._took.values()) if self._took else _UNKNOWN_S

        def expected(key: str) -> float:
            test = self._tests.get(key)
            return usual if test is None or test.estimate_s is None else test.estimate_s

        waiting = [k for k in self._tests if k not in self._started and k not in self._ended]
        left = [expected(key) for key in waiting]
        left += [max(expected(k) - (now - self._started[k].time), 0.0) for k in under_way]
        if not left or not self._started:
            return None
        return max(sum(left) / max(sum(self._lanes.values()), 1), *left)

    def _running(self, key: str, now: float) -> Running:
        event, ops = self._started[key], self._ops.get(key)
        stage = self._stages.get(key)
        return Running(
            test=clean(event.identity.name),
            device=clean(event.identity.device),
            stage=stage.value if stage else "",
            seconds=max(now - event.time, 0.0),
            ops=f"{len(ops.done)}/{ops.total} ops" if ops else "",
        )

    def _failed(self, key: str) -> Failed:
        event, started, planned = self._ended[key], self._started.get(key), self._tests.get(key)
        identity = started.identity if started else planned.identity if planned else None
        nodeid = started.nodeid if started else planned.nodeid if planned else ""
        entry = started.entry if started else planned.entry if planned else ""
        settings = planned.environment if planned else {}
        failure = event.failure
        return Failed(
            test=clean(key),
            outcome=event.outcome.value,
            stage=failure.stage.value if failure and failure.stage else "",
            why=first_line(failure.message) if failure else "",
            command=command_to_repeat(nodeid, identity, settings, entry, self._advice)
            if identity
            else "",
        )
