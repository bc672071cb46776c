# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The engine of a directory that machines share: the same command, started on each of them.

    nox -s nightly -- --engine shared:///nfs/night-1        once by ssh on each, or in a SLURM array

The directory is the run directory of all. Each participant runs sessions of its own, which take one
test at a time by a lease (:mod:`bringup.pipeline.running.leases`) and write journals of their own;
what the others came to it reads from theirs. Whoever dies leaves leases that run out, and the
others take its tests again, each turn being an attempt of its own. The last thing that is leased is
the end: one participant writes what the run comes to. A participant may join late, and a run that
all have left is gone on with by the same command.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.outcomes import LEFT_OUT
from bringup.harness.records.run_dir import HEADER_NAME, plan_files, write_plan
from bringup.harness.records.schema import Failure, Outcome, Plan, PlannedTest
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded, said_by
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lifeline import adopt_orphans
from bringup.pipeline.option_values import span_text
from bringup.pipeline.planning.budget import why_left_out
from bringup.pipeline.planning.selection import Refusal
from bringup.pipeline.running.engine import End, Ended, Joined, Watcher
from bringup.pipeline.running.leases import (
    HOLDERS,
    LEASES,
    NAME,
    SILENCE_S,
    Lease,
    Leases,
    holder_here,
)
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Session, Settings
from bringup.pipeline.running.shared_clock import age_s
from bringup.pipeline.running.supervisor import Signals, Supervisor, counted_signals
from bringup.pipeline.running.worker_death import STACK_FOLDER, stopped

MOST_DEATHS = 2
"""A test may cost so many runners; then it is quarantined for the night."""
_AGREED = "agreed.json"
"""The plan of whoever came first, in a run with a budget: by it all know what is in time."""
_LOOK_S = 1.0
"""Between two looks at all leases by one who waits."""
_UNCOLLECTED = "never started: pytest did not collect it"
_END = "the end of the run"
"""Taken like a test, by whoever writes what the run comes to."""


class _Named(msgspec.Struct, frozen=True):
    """What the first participant called the run."""

    run_id: str
    created: float


First = TypeVar("First", _Named, Plan)


@dataclass(frozen=True)
class Shared:
    """The engine of several machines that see one directory."""

    name: str = "shared"
    says: str = "the same command on several machines, which share the directory ADDRESS"
    takes_address: bool = True

    def join(self, address: str, run_id: str, created: float) -> Joined:
        """Take part, as `Shares` says."""
        run_dir = Path(address).expanduser().absolute()
        if (run_dir / HEADER_NAME).exists():
            raise PipelineError(f"the run in {run_dir} is finished; name a fresh directory")
        if plan_files(run_dir) and not (run_dir / NAME).exists():
            raise PipelineError(
                f"the run in {run_dir} is one machine's own: `--resume {run_dir}` goes on with it, "
                "or name a fresh directory"
            )
        for folder in (LEASES, HOLDERS):  # their being there is what the first link needs
            try:
                (run_dir / folder).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise cannot_write(run_dir / folder, error, "create") from error
        named = _first(run_dir / NAME, _Named(run_id, created))
        age = age_s(run_dir / NAME)
        return Joined(run_dir, named.run_id, named.created, holder_here(), age)

    def agreed(self, run_dir: Path, plan: Plan) -> Plan:
        """The plan that all carry out, as `Shares` says."""
        return _first(run_dir / _AGREED, plan)

    def run(
        self, plan: Plan, settings: Settings, watcher: Watcher, refused: Mapping[str, Refusal]
    ) -> Ended:
        """Run tests until every one of `plan` has its outcome, from here or from elsewhere."""
        taking_part = Participant(plan, settings, watcher, refused)
        adopt_orphans()
        with counted_signals() as signals:
            try:
                ended = taking_part.run(signals)
            except BaseException as error:
                taking_part.finish(Ended(End.DIED, (f"the supervisor broke: {said_by(error)}",)))
                raise
            taking_part.finish(ended)
        return taking_part.told(ended)

    def leave(self, settings: Settings) -> None:
        """Whoever wrote what the run comes to is through, as `Shares` says."""
        Leases(settings.run_dir, settings.holder).leave()


SHARED = Shared()


class Participant(Supervisor):
    """One of those that carry a run out together."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        watcher: Watcher,
        refused: Mapping[str, Refusal],
    ) -> None:
        self.leases = Leases(settings.run_dir, settings.holder)
        self.leases.beat()
        super().__init__(plan, settings, watcher)
        self.closes = False
        """Does this one write what the run comes to?"""
        self._plan = plan
        self._refused = dict(refused)
        """What cannot be tried here, with its reason; it may be elsewhere."""
        self._turn = plan.attempt
        """Of all tests of a session."""
        self._quiet_since: float | None = None
        self._part = settings.run_dir / f"part-{settings.holder}.json"
        """Beside the run's plan, by whose folder a session knows its run."""

    def run(self, signals: Signals) -> Ended:
        """Sessions for what nobody else has, and waiting for what others have."""
        sentences: tuple[str, ...] = ()
        while True:
            ended = super().run(signals)
            if ended.how is not End.FINISHED:
                return ended
            sentences += ended.sentences
            self._refused |= {
                test.identity.key: Refusal(Outcome.NOT_RUN, _UNCOLLECTED)
                for test in self.uncollected
            }
            self.uncollected = []
            self._give_up_what_nobody_takes()
            self._leave_out_what_has_no_time()
            self.look()
            if len(self.ledger.outcomes) == len(self.ledger.tests):
                return Ended(End.FINISHED, sentences)
            signals.wait(_LOOK_S)
            if signals.received:
                return Ended(End.INTERRUPTED, ("this participant was interrupted",))

    def left(self) -> list[PlannedTest]:
        """The tests that nobody has, or had who is dead; of those the ones tried least often.

        One whose runner died with it is tried with nothing beside it: if that dies too, it is known
        why.
        """
        self.look()
        known = self.leases.all()
        dead = self.leases.dead_among(lease.holder for lease in known.values())
        by_turn: dict[int, list[PlannedTest]] = {}
        for key, test in self.ledger.tests.items():
            lease = known.get(key)
            turn = self._next_turn(lease, dead)
            if not turn or key in self.ledger.outcomes or key in self._refused:
                continue
            if self._is_over_for(test):
                continue
            deaths = _deaths_before(turn, lease)
            if deaths >= MOST_DEATHS:
                self._quarantine(test, turn, deaths)
            else:
                by_turn.setdefault(turn, []).append(_alone(test) if deaths else test)
        self._turn = min(by_turn, default=self._plan.attempt)
        return by_turn.get(self._turn, [])

    def unmoved(self, tests: list[PlannedTest]) -> list[PlannedTest]:
        """What a session was to run and nobody took."""
        before = self._turn
        unmoved = super().unmoved(tests)
        return unmoved if self._turn == before else []

    def session(self, tests: list[PlannedTest]) -> Session:
        """A session that may take these tests; the how manieth turn it is is its attempt."""
        self.leases.beat(idle=False)
        plan = msgspec.structs.replace(self._plan, tests=tuple(tests), attempt=self._turn)
        path = write_atomically(self._part, encoded(plan))
        self.attempt = self._turn
        return Session(replace(self.settings, plan=path, attempt=self._turn), tests)

    def running(self) -> Collection[str]:
        """What this participant has taken, began, and gave no outcome."""
        held = self.leases.all()
        return {
            key
            for key in self.ledger.running
            if key in held
            and held[key].holder == self.leases.holder
            and held[key].turn == self.ledger.attempts[key][-1]  # and not only its holder before
        }

    def look(self) -> None:
        """Live, and take up what all journals say."""
        self.leases.beat()
        super().look()

    def finish(self, ended: Ended) -> None:
        """Leave; what was taken and has no outcome is given back for others to take."""
        super().look()
        for key, lease in self.leases.all().items():
            if lease.holder == self.leases.holder and key not in {*self.ledger.outcomes, _END}:
                with contextlib.suppress(RecordError):  # a full disk: it counts as dead with us
                    self.leases.give_back(lease)
        self.reserve.drop()
        self._part.unlink(missing_ok=True)
        self.closes = ended.how is End.FINISHED and self.takes_the_end()
        if self.closes:
            most = tell_cut_off(self.leases, self.ledger, self.journal)
            write_plan(self.settings.run_dir, msgspec.structs.replace(self._plan, attempt=most))
            shutil.rmtree(self.settings.run_dir / STACK_FOLDER, ignore_errors=True)
        else:
            self.leases.leave()
        self.journal.close()

    def told(self, ended: Ended) -> Ended:
        """How it ended for this participant, once it has left."""
        if self.closes:
            return ended
        if ended.how is End.FINISHED:
            return Ended(End.ELSEWHERE, ("another participant writes what the run comes to",))
        return Ended(ended.how, (*ended.sentences, "the same command goes on with it"))

    def _next_turn(self, lease: Lease | None, dead: Collection[str]) -> int:
        """The how manieth turn would be that of a test without an outcome; 0 while somebody has it.

        What is ours outside a session was never begun: whatever had begun has its outcome.
        """
        if lease is None:
            return self._plan.attempt
        if lease.given_back or lease.holder in dead:
            return lease.turn + 1
        return lease.turn if lease.holder == self.leases.holder else 0

    def takes_the_end(self) -> bool:
        """Is it this one that writes what the run comes to?"""
        if (self.settings.run_dir / HEADER_NAME).exists():
            return False
        lease = self.leases.all().get(_END)
        dead = self.leases.dead_among([lease.holder] if lease else [])
        turn = self._next_turn(lease, dead)
        return bool(turn) and self.leases.take(_END, turn)

    def _give_up_what_nobody_takes(self) -> None:
        """Give what cannot be tried here its outcome once nobody is left who could.

        Who is idle could take nothing of what nobody had; but of a holder that died it may not know
        yet, so what was somebody's waits as long as that may take.
        """
        self.leases.beat(idle=True)
        if not self._refused.keys() - self.ledger.outcomes.keys() or self.leases.others_busy():
            self._quiet_since = None
            return
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now
        known = self.leases.all()
        dead = self.leases.dead_among(lease.holder for lease in known.values())
        for key, (outcome, reason) in self._refused.items():
            turn = self._next_turn(known.get(key), dead)
            waited = key not in known or now - self._quiet_since >= SILENCE_S
            if turn and waited and key not in self.ledger.outcomes:
                self._give_outcome(self.ledger.tests[key], turn, outcome, outcome.value, reason)

    def _is_over_for(self, test: PlannedTest) -> bool:
        """Is less time left than a test needs?"""
        return test.turn is not None and test.turn.expected_s > max(self.settings.left_s, 0.0)

    def _leave_out_what_has_no_time(self) -> None:
        """Say of what nobody has, and nobody could finish in time, that the budget left it out."""
        late = [
            (key, test.turn)
            for key, test in self.ledger.tests.items()
            if key not in self.ledger.outcomes and test.turn and self._is_over_for(test)
        ]
        if not late:
            return
        known = self.leases.all()
        dead = self.leases.dead_among(lease.holder for lease in known.values())
        for key, place in late:
            if turn := self._next_turn(known.get(key), dead):
                said = why_left_out(place, span_text(self.budget_s or 0.0))
                self._give_outcome(self.ledger.tests[key], turn, Outcome.NOT_RUN, LEFT_OUT, said)

    def _quarantine(self, test: PlannedTest, turn: int, deaths: int) -> None:
        message = f"quarantined for the night: its runner died {deaths} times while it ran"
        self._give_outcome(test, turn, Outcome.KILLED, "QUARANTINED", message)

    def _give_outcome(
        self, test: PlannedTest, turn: int, outcome: Outcome, kind: str, message: str
    ) -> None:
        if self.leases.take(test.identity.key, turn):
            failure = Failure(None, kind, message)
            self.journal.append(stopped(test, outcome, failure, turn))


def tell_cut_off(leases: Leases, ledger: Ledger, journal: JournalWriter) -> int:
    """Say of attempts that ended with their runner that this was not the test's doing; with how
    many attempts of one test whoever resumes the run goes on.

    Raises:
        RecordError: the disk is full or gone.
    """
    turns = {key: lease.turn for key, lease in leases.all().items() if key in ledger.tests}
    failure = Failure(None, "KILLED", "stopped while it ran: its runner died or was stopped")
    for key, turn in turns.items():
        for attempt in (a for a in ledger.attempts[key] if a < turn):
            journal.append(stopped(ledger.tests[key], Outcome.KILLED, failure, attempt))
    return max(turns.values(), default=1)


def _deaths_before(turn: int, lease: Lease | None) -> int:
    """How many holders died with a test before its turn."""
    if lease is None:
        return 0
    return lease.lost + (turn > lease.turn and not lease.given_back)


def _alone(test: PlannedTest) -> PlannedTest:
    needs = msgspec.structs.replace(test.needs, exclusive=True)
    return msgspec.structs.replace(test, needs=needs)


def _first(path: Path, ours: First) -> First:
    """What the first of all wrote there; a link is made by one of them only."""
    temporary = path.with_name(f".{path.name}-{holder_here()}")
    write_atomically(temporary, encoded(ours))
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return decode_json(read_bytes(path), type(ours), path, "what a shared run began with")
