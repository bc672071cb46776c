# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is known of every planned test, read from the journals while they are being written.

The journals are the only channel between the tests and their supervisor: what is not on disk
did not happen. Each call of `read` takes up every journal where the last one left off.

Of what was written before a run was taken up again only the words that stay count. Every journal
says how often its run had been taken up by then; the clock, which goes back, has no say in it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.deadline import LONGEST_WAIT_S
from bringup.harness.records.journal_tail import JournalTail
from bringup.harness.records.outcomes import is_blocking, urgency
from bringup.harness.records.schema import (
    GOOD,
    UNSETTLED,
    AnyEvent,
    JournalOpened,
    LeaseAwaited,
    OpEnded,
    OpRepeated,
    OpResult,
    OpsFound,
    Outcome,
    PlannedTest,
    Stage,
    StageEnded,
    StageStarted,
    TestEnded,
    TestStarted,
    TestStopped,
)


@dataclass
class OpCounts:
    """How far an op-by-op test got with its ops."""

    total: int
    taken: int
    """Of `done`, those that an earlier attempt did."""
    since: float
    """Seconds since the epoch when the first op could be taken up."""
    done: int = 0
    cached: int = 0
    """Taken from the verdict cache as they are."""
    rechecked: int = 0
    """Known to the cache and computed again all the same."""
    failed: int = 0
    worst: OpResult | None = None
    """Of the ops that did not run right; None when all did."""
    keys: set[str] = field(default_factory=set)
    """Of the ops that have a verdict: what two testers of a test have is one op."""

    def note(self, event: OpEnded | OpRepeated, blocking: OpResult | None) -> None:
        """One op has its verdict; `blocking` is its result when it did not run right."""
        if blocking is not None:
            known = [blocking] if self.worst is None else [self.worst, blocking]
            self.worst = min(known, key=urgency)
        result = event.result if isinstance(event, OpEnded) else event
        outcome = event.result.verdict.outcome if isinstance(event, OpEnded) else event.outcome
        op_key = event.result.verdict.op.key if isinstance(event, OpEnded) else event.op_key
        if op_key in self.keys:
            return
        self.keys.add(op_key)
        self.done += 1
        self.cached += result.hit and not result.rechecked
        self.rechecked += result.rechecked
        self.failed += outcome not in GOOD

    def left_s(self, now: float) -> float | None:
        """Seconds that the ops not done yet take at the pace so far; None before there is one."""
        paced = self.done - self.taken
        return (now - self.since) / paced * max(self.total - self.done, 0) if paced else None


class Ledger:
    """The state of a plan: what waits, what runs, what has its outcome."""

    def __init__(self, run_dir: Path, tests: Iterable[PlannedTest], attempt: int = 1) -> None:
        """`attempt` is how often the run has been taken up, its begin included."""
        self.run_dir = run_dir
        self._attempt = attempt
        self.tests = {t.identity.key: t for t in tests}
        self.started: dict[str, TestStarted] = {}
        self.attempts: dict[str, list[int]] = defaultdict(list)
        """By key, the attempts in which a test began."""
        self.outcomes: dict[str, Outcome] = {}
        self._ended: dict[str, float] = {}
        self.stages: dict[str, Stage] = {}
        """The stage each running test is in."""
        self.ops: dict[str, OpCounts] = {}
        """Of every op-by-op test that was split into its ops."""
        self._blocking: dict[tuple[str, str], OpResult] = {}
        """By op key and device, the results that other tests may repeat."""
        self._tail = JournalTail(run_dir)
        self._attempts: dict[str, int] = {}
        """The attempt of every journal, by its name."""
        self._begun: dict[str, float] = {}
        """By key, when a running test began, on a clock that nobody sets: a deadline is no moment
        but so many seconds."""
        self._awaiting: dict[str, float] = {}
        """By key, since when on that clock a test waits for a device."""
        self._looked = float("-inf")
        """When the journals were last read, likewise: what is new in them is no older, whatever
        the clock of the day makes of it."""

    def read(self) -> list[str]:
        """Take up what was written since the last call; the keys that got their outcome."""
        finished: list[str] = []
        looks = time.monotonic()
        for event, name in self._tail.read():
            if isinstance(event, JournalOpened):
                self._attempts[name] = event.attempt
            key = self.apply(event, self._attempts.get(name, 1))
            if key is not None:
                finished.append(key)
        self._looked = looks
        return finished

    def apply(self, event: AnyEvent, attempt: int | None = None) -> str | None:
        """Take up one event; the test's key when it is the test's first terminal word.

        `attempt` is how often the run had been taken up when it was written; None: as often as
        now.
        """
        if attempt is not None and attempt < self._attempt and not _stays(event):
            return None
        if isinstance(event, TestStarted):
            if event.identity.key in self.tests:
                self.started[event.identity.key] = event
                self.attempts[event.identity.key].append(attempt or self._attempt)
                now = time.monotonic()
                age_s = min(max(time.time() - event.time, 0.0), now - self._looked)
                self._begun[event.identity.key] = now - age_s
                self._awaiting.pop(event.identity.key, None)
                self.ops.pop(event.identity.key, None)
        elif isinstance(event, LeaseAwaited):
            self._await(event)
        elif isinstance(event, StageStarted):
            self.stages[event.key] = event.stage
        elif isinstance(event, StageEnded):
            self.stages.pop(event.key, None)
        elif isinstance(event, OpsFound):
            counts = OpCounts(event.total, event.taken, event.time, done=event.taken)
            known = self.ops.setdefault(event.key, counts)
            known.total = event.total  # another tester of the test says more
        elif isinstance(event, OpEnded | OpRepeated):
            blocking = self._blocking_result(event)
            if event.key in self.ops:
                self.ops[event.key].note(event, blocking)
        elif isinstance(event, TestEnded | TestStopped) and event.key in self.tests:
            return self._end(event)
        return None

    def _await(self, event: LeaseAwaited) -> None:
        if event.waited_s is None:
            self._awaiting[event.key] = time.monotonic()
            return
        self._awaiting.pop(event.key, None)
        if event.key in self._begun:
            self._begun[event.key] += event.waited_s

    def _blocking_result(self, event: OpEnded | OpRepeated) -> OpResult | None:
        """The result of an op that did not run right; None when it did."""
        if isinstance(event, OpRepeated):
            return self._blocking.get((event.op_key, event.device))
        verdict = event.result.verdict
        place = verdict.op.key, verdict.device
        if not is_blocking(event.result):
            self._blocking.pop(place, None)
            return None
        self._blocking[place] = event.result
        return event.result

    def _end(self, event: TestEnded | TestStopped) -> str | None:
        """What the test itself reported counts, not a supervisor that came too late."""
        first = event.key not in self.outcomes
        if first or isinstance(event, TestEnded):
            self.outcomes[event.key] = event.outcome
            self._ended[event.key] = event.time
        return event.key if first else None

    @property
    def newest(self) -> float:
        """Seconds since the epoch of the newest end or beginning of a test; 0 without any."""
        begun = (event.time for event in self.started.values())
        return max([0.0, *self._ended.values(), *begun])

    @property
    def running(self) -> dict[str, TestStarted]:
        """Tests that started and have no outcome yet."""
        return {k: e for k, e in self.started.items() if k not in self.outcomes}

    @property
    def awaiting(self) -> set[str]:
        """Running tests that wait for a board."""
        return set(self._awaiting) & self.running.keys()

    @property
    def off_boards(self) -> set[str]:
        """Running tests that are through with their board, as far as it is seen: verification
        needs none."""
        return {key for key, stage in self.stages.items() if stage is Stage.VERIFY}

    @property
    def waiting(self) -> list[PlannedTest]:
        """Tests that have neither started nor got an outcome."""
        return [
            t
            for key, t in self.tests.items()
            if key not in self.started and key not in self.outcomes
        ]

    def seconds(self, key: str) -> float | None:
        """Wall time of a finished test; None when it never started or still runs."""
        if key not in self.started or key not in self._ended:
            return None
        return self._ended[key] - self.started[key].time

    @property
    def counts(self) -> Counter[Outcome]:
        """How many tests are shown with which word."""
        return Counter(map(self.shown, self.outcomes))

    def shown(self, key: str) -> Outcome:
        """What a finished test is counted by, as every report does: see `outcomes.shown`."""
        worst = self.ops[key].worst if key in self.ops else None
        outcome = self.outcomes[key]
        return outcome if worst is None or outcome not in GOOD else worst.verdict.outcome

    def overdue(self, deadlines: dict[str, float], grace_s: float) -> dict[str, TestStarted]:
        """Running tests that are `grace_s` past their deadline, which counts no wait for a device
        unless that takes for ever."""
        now = time.monotonic()
        return {
            key: event
            for key, event in self.running.items()
            if self._age_s(key, now) > deadlines[key] + grace_s
        }

    def _age_s(self, key: str, now: float) -> float:
        """For how long a test has run, as its deadline counts."""
        if (since := self._awaiting.get(key)) is None:
            return now - self._begun[key]
        return since - self._begun[key] + max(now - since - LONGEST_WAIT_S, 0.0)


def _stays(event: AnyEvent) -> bool:
    """Is it an outcome that a run which is taken up again does not take back?"""
    return isinstance(event, TestEnded | TestStopped) and event.outcome not in UNSETTLED
