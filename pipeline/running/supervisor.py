# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The supervisor: runs a plan to its end, whatever dies on the way.

Every planned test ends with a terminal record. The process that ran it writes it; when that
process is gone the xdist controller does; when that is gone too, or the test never started, the
supervisor does, after the last process of the session has ended. A session that dies is
started again for what is left, as long as each one brings the plan further.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bringup.harness.errors import RecordError
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.outcomes import LEFT_OUT
from bringup.harness.records.provenance import collect
from bringup.harness.records.schema import Failure, Outcome, Plan, PlannedTest, Turn
from bringup.harness.storage.writable import said_by
from bringup.pipeline.lifeline import adopt_orphans
from bringup.pipeline.option_values import span_text
from bringup.pipeline.planning.budget import why_left_out
from bringup.pipeline.planning.plan import deadline
from bringup.pipeline.planning.selection import Refusal
from bringup.pipeline.running.disk_reserve import DiskReserve
from bringup.pipeline.running.engine import End, Ended, Watcher
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Session, Settings
from bringup.pipeline.running.watchdog import end_all_below, wake_on_signals
from bringup.pipeline.running.worker_death import (
    DEADLINE_GRACE_S,
    STACK_FOLDER,
    STACKS_LEAD_S,
    stacks_path,
    stopped,
)

BEAT_S = 0.25
UNKILLABLE_S = 60.0
"""A test so far past its deadline could not be killed: its process hangs in a driver."""
_STACKS = (sys.executable, "-m", "bringup.harness.stacks")
_TO_THE_END = (0, 1, 5)
"""pytest's exit codes for all passed, some failed, none collected."""
_MOST_FRUITLESS = 3
"""Sessions in a row that may die without a single test having started."""
LOW_DISK = 8 * 1024**2
"""Bytes: below this the session is stopped, while its journals can still be written."""


@dataclass(frozen=True)
class Local:
    """The engine of this machine: one pytest session, its workers by xdist."""

    name: str = "local"
    says: str = "this machine, several tests at a time"
    takes_address: bool = False

    def run(
        self, plan: Plan, settings: Settings, watcher: Watcher, refused: Mapping[str, Refusal]
    ) -> Ended:
        """Run every test of `plan` to a record, as `Engine` says."""
        supervisor = Supervisor(plan, settings, watcher)
        adopt_orphans()  # of a watchdog that is killed
        with counted_signals() as signals:
            supervisor.refuse(refused)
            try:
                ended = supervisor.run(signals)
            except BaseException as error:
                broke = f"the supervisor broke: {said_by(error)}"
                supervisor.finish(Ended(End.DIED, (broke,)))
                raise
            supervisor.finish(ended)
        return ended


LOCAL = Local()


class Signals:
    """SIGINT, SIGTERM and SIGHUP as a count and a descriptor, never as an exception."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._wake = wake_on_signals()

    def handle(self, number: int, _: object) -> None:
        """Signal handler."""
        self.received.append(number)

    def wait(self, seconds: float) -> None:
        """Sleep, or less when a signal arrives or a child ends."""
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def close(self) -> None:
        """Let the descriptor go."""
        writing = signal.set_wakeup_fd(-1)
        for descriptor in (writing, self._wake):
            os.close(descriptor)


@contextmanager
def counted_signals() -> Iterator[Signals]:
    """Count signals instead of ending by them, as long as it lasts."""
    signals = Signals()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and shells' background jobs
            before[number] = signal.signal(number, signals.handle)
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.close()


class Supervisor:
    """Runs a plan to its end on this machine."""

    def __init__(self, plan: Plan, settings: Settings, watcher: Watcher) -> None:
        self.settings = settings
        self.attempt = plan.attempt
        self.budget_s = plan.budget_s
        self.watcher = watcher
        self.ledger = Ledger(settings.run_dir, plan.tests, plan.attempt)
        self.ledger.read()  # what stays of a run that was taken up again is no news
        self.reserve = DiskReserve(settings.run_dir, len(plan.tests), settings.holder)
        self.journal = self._new_journal()
        self.uncollected: list[PlannedTest] = []
        """What no session of this machine could find."""
        self._stacked: set[str] = set()
        """Tests whose stacks were taken."""
        self.deadlines = {
            t.identity.key: deadline(t.estimate_s, settings.timeout_s) for t in plan.tests
        }

    def refuse(self, refused: Mapping[str, Refusal]) -> None:
        """Give tests their outcome before anything runs."""
        for key, refusal in refused.items():
            if key not in self.ledger.outcomes:
                self.stop(key, refusal.outcome, refusal.outcome.value, refusal.reason)

    def run(self, signals: Signals) -> Ended:
        """Sessions, one after the other, until nothing waits or nothing helps."""
        self.look()
        fruitless, deaths = 0, 0
        while left := self.left():
            session = self.session(left)
            try:
                stopped = self._watch(session, signals)
            finally:
                _end(session)
            self.look()
            if stopped is not None:
                return stopped
            deaths += session.exit_code not in _TO_THE_END
            sentence = _how_it_died(session)
            self.stop_running(Outcome.KILLED, "KILLED", sentence)
            unmoved = self.unmoved(left)
            fruitless = 0 if len(unmoved) < len(left) else fruitless + 1
            if fruitless and session.exit_code in _TO_THE_END:
                self.uncollected = unmoved
                break
            if session.exit_code in _TO_THE_END and self.settings.until is not None:
                break  # what it left has no time any more
            if fruitless == _MOST_FRUITLESS:
                tail = "\n".join(session.tail())
                return Ended(End.DIED, (f"{sentence}; the end of {session.log}:\n{tail}",))
        return Ended(End.FINISHED, _deaths(deaths, self.settings))

    def left(self) -> list[PlannedTest]:
        """The tests that a next session is to run; none when the run's time is over."""
        return self.ledger.waiting if self.settings.left_s > 0 else []

    def unmoved(self, tests: list[PlannedTest]) -> list[PlannedTest]:
        """Which of those that a session was to run are as they were before."""
        still = {test.identity.key for test in self.left()}
        return [test for test in tests if test.identity.key in still]

    def session(self, tests: list[PlannedTest]) -> Session:
        """Start a session for some tests."""
        return Session(self.settings, tests)

    def running(self) -> Collection[str]:
        """The tests that run on this machine and for this run, by key."""
        return self.ledger.running

    def _watch(self, session: Session, signals: Signals) -> Ended | None:
        """Look after one session; not None when it was stopped on purpose."""
        asked = 0
        full = stuck = False
        while session.exit_code is None:
            signals.wait(BEAT_S)
            self.look()
            self._take_stacks()
            self._kill_overdue()
            if not stuck and self._only_stuck_ones_run():
                stuck = True
                session.stop(now=True)
            if len(signals.received) > asked:
                asked = len(signals.received)
                session.stop(now=asked > 1)
            elif not full and shutil.disk_usage(self.settings.run_dir).free < LOW_DISK:
                full = True
                session.stop()
        if signals.received:
            name = signal.Signals(signals.received[0]).name
            return Ended(End.INTERRUPTED, (f"the run was interrupted by {name}",))
        if full:
            where = self.settings.run_dir
            return Ended(End.DISK_FULL, (f"the run was stopped: the disk of {where} is full",))
        return None

    def look(self) -> None:
        """Take up what the journals say, and tell it."""
        self.watcher.update(self.ledger, self.ledger.read())

    def _take_stacks(self) -> None:
        """Keep what the processes of a test are at that is about to be ended; by a process beside,
        since several tests may be, and each takes a second for every process."""
        lead = {k: min(STACKS_LEAD_S, s / 3) for k, s in self.deadlines.items()}
        nearly = {k: self.deadlines[k] - lead[k] for k in self.deadlines}
        late = self.ledger.overdue(nearly, 0.0)
        if not late.keys() - self._stacked:
            return
        for key in set(self.running()) & (late.keys() - self._stacked):
            self._stacked.add(key)
            pid = late[key].pid
            target = stacks_path(self.settings.run_dir, pid)
            target.parent.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                subprocess.Popen([*_STACKS, str(pid), str(target)], stdin=subprocess.DEVNULL)

    def _kill_overdue(self) -> None:
        """End workers whose own timer did not: stopped ones, or a test that took the timer."""
        overdue = self.ledger.overdue(self.deadlines, DEADLINE_GRACE_S)
        ours = self.running() if overdue else ()
        for key, event in overdue.items():
            if key not in ours:
                continue
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(event.pid)
                if os.getpid() in (p.pid for p in process.parents()):  # no later one of that number
                    process.kill()

    def _only_stuck_ones_run(self) -> bool:
        stuck = self.ledger.overdue(self.deadlines, UNKILLABLE_S)
        ours = self.running() if stuck else ()
        return bool(ours) and all(key in stuck for key in ours)

    def finish(self, ended: Ended) -> None:
        """Give every test that has no outcome yet a terminal one."""
        self.reserve.drop()
        if ended.how is End.FINISHED:
            reason = "pytest did not collect it"
        else:
            reason = ended.sentences[0].partition("; the end of")[0]
        outcome = Outcome.INFRA if ended.how is End.DISK_FULL else Outcome.KILLED
        self.stop_running(outcome, outcome.value, reason)
        for test in self.ledger.waiting:
            kind, message = "NOT_RUN", f"never started: {reason}"
            if test.turn and self._had_no_time(test.turn, ended):
                kind, message = LEFT_OUT, why_left_out(test.turn, span_text(self.budget_s or 0.0))
            self.stop(test.identity.key, Outcome.NOT_RUN, kind, message)
        self.look()
        self.journal.close()
        shutil.rmtree(self.settings.run_dir / STACK_FOLDER, ignore_errors=True)

    def _had_no_time(self, turn: Turn, ended: Ended) -> bool:
        """Was it the budget that kept a test from being started?"""
        over = ended.how is End.FINISHED and turn.expected_s > self.settings.left_s
        return self.settings.until is not None and (over or not turn.in_time)

    def stop_running(self, outcome: Outcome, kind: str, reason: str) -> None:
        """Give those that run here, whose processes are gone, their outcome."""
        stuck = self.ledger.overdue(self.deadlines, UNKILLABLE_S)
        for key in self.running():
            if key in stuck:
                message = "still running long after its deadline; its process cannot be killed"
                self.stop(key, Outcome.TIMEOUT, "TIMEOUT", message)
            else:
                self.stop(key, outcome, kind, f"stopped while it ran: {reason}")
        self.look()

    def stop(self, key: str, outcome: Outcome, kind: str, message: str) -> None:
        """Give a test its outcome."""
        failure = Failure(stage=None, kind=kind, message=message)
        event = stopped(self.ledger.tests[key], outcome, failure, self.attempt)
        try:
            self.journal.append(event)
        except RecordError:  # the disk is full, and this journal's last line may be torn
            self.reserve.drop()
            self.journal = self._new_journal()
            self.journal.append(event)

    def _new_journal(self) -> JournalWriter:
        return JournalWriter(self.settings.run_dir, self.settings.run_id, collect(), self.attempt)


def _end(session: Session) -> None:
    """Whatever happened, here or to the watchdog, leave no process behind."""
    while session.exit_code is None:
        session.stop()
        with contextlib.suppress(KeyboardInterrupt):
            session.wait()
    end_all_below()


def _deaths(count: int, settings: Settings) -> tuple[str, ...]:
    if not count:
        return ()
    times = "once" if count == 1 else f"{count} times"
    said = f"the pytest session died {times} and was started again for the rest"
    return (f"{said}; see {settings.log}",)


def _how_it_died(session: Session) -> str:
    code = session.exit_code or 0
    if code > 128:
        return f"the pytest session was killed by {signal.Signals(code - 128).name}"
    if code in (0, 1):
        return "the pytest session ended before its tests"
    return f"the pytest session ended with exit code {code}"
