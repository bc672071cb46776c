# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Writing the record of one test: its events, its stages, the shares of its testers.

Every stage is journalled before it starts.
"""

import contextlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from bringup.harness.deadline import deadline_now
from bringup.harness.device_host.usage import Meter
from bringup.harness.recording.failures import NOTHING_COMPARED, failure_of
from bringup.harness.recording.op_tally import OpTally
from bringup.harness.recording.run import current_run
from bringup.harness.records.followed import Followed
from bringup.harness.records.journal import run_attempt
from bringup.harness.records.naming import run_again
from bringup.harness.records.ops import without_costs
from bringup.harness.records.schema import (
    NOT_EVIDENCE,
    WORST_FIRST,
    AnyEvent,
    Artifact,
    Estimate,
    Failure,
    Identity,
    LeaseAwaited,
    OpEnded,
    OpResult,
    OpsFollowed,
    OpsFound,
    OpStarted,
    Outcome,
    OutputCheck,
    OutputsChecked,
    Stage,
    StageEnded,
    StageResult,
    StageStarted,
    Status,
    TestDescribed,
    TestEnded,
    TestStarted,
    TestWarned,
)
from bringup.harness.records.values import CACHED_FROM, REUSED_FROM
from bringup.harness.storage.file_names import fitted
from bringup.harness.storage.writable import MESSAGE_LIMIT


class StageScope:
    """What a running stage may add to its own result."""

    def __init__(self, recorder: "TestRecorder", stage: Stage) -> None:
        self._recorder = recorder
        self.stage = stage
        self.artifacts: list[Artifact] = []
        self.attributes: dict[str, str] = {}
        self.status = recorder.status
        self.estimate: Estimate | None = None
        self.usage: tuple[float, int] | None = None
        """(cpu seconds, peak bytes) of another process that did this stage's work."""

    def keep(self, level: str, text: str | bytes) -> None:
        """Keep an IR level or another text of this stage."""
        self.artifacts.append(self._recorder.run.artifacts.put(text, level))

    def plain_file(self, name: str) -> Path:
        """Where this test saves a plain file beside its records."""
        key = self._recorder.key
        plain = "".join(c if c.isalnum() or c in "._-@" else "_" for c in key)
        folder = self._recorder.run.directory / "saved" / fitted(plain, whole=key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def reached(self, status: Status) -> None:
        """Note a status achieved; it stands even when the stage fails later."""
        self.status = max(self.status, status)


class TestRecorder:
    """Writes the events of one attempt at one test.

    Its own `outcome` and `failure` are of the test's body; each of its testers has a share of the
    record with its own, and the test's outcome is the worst of them all.
    """

    __test__ = False
    tester = ""
    """Which of the test's testers it writes for."""

    def __init__(self, identity: Identity, nodeid: str, entry: str = "") -> None:
        self.run = current_run()
        self.testers: list[TesterRecorder] = []
        """The shares of the testers that the test made, in order."""
        self.run.refuse_twin(identity.key, nodeid)
        self.ended = False
        self.began = time.monotonic()
        self.deadline = deadline_now()
        self.ops = OpTally()
        """What its ops came to."""
        self._begin(identity, nodeid, entry)
        self.run.journal.append(
            TestStarted(
                time=time.time(),
                identity=identity,
                nodeid=nodeid,
                pid=os.getpid(),
                attempt=run_attempt(),
                entry=entry,
            )
        )

    def _begin(self, identity: Identity, nodeid: str, entry: str) -> None:
        self.identity = identity
        self.key = identity.key
        self.nodeid = nodeid
        self.entry = entry
        self.status = Status.NOT_STARTED
        self.failure: Failure | None = None
        self.outcome: Outcome | None = None
        """What it came to; None when it did not come to its end."""
        self.unraised: list[str] = []
        """Why it is not good, sentences that are on record and that nobody has raised yet."""
        self.results: list[tuple[StageResult, Status]] = []
        """Stages so far, for a test that can reuse them."""
        self._ops_said, self._ops_taken = 0, 0
        self._only_op: int | None = None
        """What was last said of how many ops there are."""
        self.profiles_ops = True
        """Off: what an op's stages cost stays off the record."""

    def _write(self, event: AnyEvent) -> None:
        self.run.journal.append(event, sync=False)
        self.run.journal.sync_now_and_then()

    def share(self, name: str, device: str | None = None) -> "TesterRecorder":
        """Another tester's part of the record, under a name of its own.

        `device` is the one that the tester names for itself, if it does.
        """
        taken = {share.tester for share in self.testers}
        names = (f"{name}#{n}" if n > 1 else name for n in itertools.count(1))
        share = TesterRecorder(self, next(n for n in names if n not in taken), device)
        self.testers.append(share)
        return share

    def worst(self) -> "TestRecorder | None":
        """The share, or the body, with the worst outcome; None when nothing has one."""
        concluded = [share for share in (*self.testers, self) if share.outcome is not None]
        return min(concluded, key=lambda share: _severity(share.outcome), default=None)

    def idle(self) -> str:
        """That testers were made and none was run, a sentence; empty when there is no such."""
        if not self.testers or any(share.outcome is not None for share in self.testers):
            return ""
        return f"the test made a tester of {self.testers[0].tester} and did not run it"

    def elsewhere(self) -> str:
        """That nothing of it ran on the device it is filed under, a sentence; empty when some did.

        An outcome on another device would count as this one's, in every table and for its lists.
        """
        devices = [share.device for share in self.testers if share.outcome is not None]
        if not devices or self.identity.device in devices:
            return ""
        named = ", ".join(dict.fromkeys(devices))
        return f"nothing of it ran on {self.identity.device}: its testers are made for {named}"

    def says_nothing(self) -> str:
        """Why it says nothing of its model on its device, a sentence; empty when it may."""
        return self.idle() or self.elsewhere()

    def close_run(self) -> None:
        """End a test whose body is through, with the worst outcome of all."""
        worst = self.worst()
        if self.elsewhere() and worst is not None and worst.outcome not in NOT_EVIDENCE:
            there = f" ({worst.outcome} there)" if worst.outcome else ""
            said = f"{self.elsewhere()}{there}"
            self.end(Outcome.UNVERIFIED, Failure(None, NOTHING_COMPARED, said))
        elif worst is not None and worst.outcome is not None:
            self.end(worst.outcome, self._named(worst))
        elif self.idle():
            self.end(Outcome.UNVERIFIED, Failure(None, NOTHING_COMPARED, self.idle()))
        else:
            self.end(Outcome.PASSED)

    def _named(self, share: "TestRecorder") -> Failure | None:
        failure = share.failure
        if failure is None or len(self.testers) < 2 or share is self:
            return failure
        message = f"{share.tester}: {failure.message}"[:MESSAGE_LIMIT]
        return msgspec.structs.replace(failure, message=message)

    def warn(self, sentence: str) -> None:
        """Record that the test goes on without something."""
        self._write(TestWarned(time=time.time(), key=self.key, warning=sentence))

    @contextlib.contextmanager
    def stage(self, stage: Stage) -> Iterator[StageScope]:
        """Journal a stage around its work; a failure is recorded and raised on."""
        self._write(StageStarted(time=time.time(), key=self.key, stage=stage))
        scope = StageScope(self, stage)
        meter = Meter()
        try:
            yield scope
        except BaseException as error:
            self.failure = failure_of(error, stage, self.run.artifacts)
            self._end_stage(scope, meter, ok=False)
            raise
        self._end_stage(scope, meter, ok=True)

    def _end_stage(self, scope: StageScope, meter: Meter, *, ok: bool) -> None:
        wall, cpu, peak = meter.read()
        if scope.usage is not None:
            cpu, peak = cpu + scope.usage[0], max(peak, scope.usage[1])
        self.status = max(self.status, scope.status)
        result = StageResult(
            stage=scope.stage,
            ok=ok,
            wall_s=wall,
            cpu_s=cpu,
            peak_rss=peak,
            artifacts=tuple(scope.artifacts),
            attributes=scope.attributes,
            estimate=scope.estimate,
        )
        self.results.append((result, self.status))
        self._write(
            StageEnded(
                time=time.time(),
                key=self.key,
                result=result,
                status=self.status,
                failure=None if ok else self.failure,
                tester=self.tester,
            )
        )

    @property
    def command(self) -> str:
        """The shell line that runs this test again, by itself."""
        return run_again(self.nodeid, self.identity, self.entry)

    def ops_found(self, total: int, taken: int, only: int | None = None) -> None:
        """The model was split into unique ops, some of which an earlier attempt has done.

        `only` is the index of the one op that was asked for, which `total` counts then.
        """
        self.ops.total = self._ops_said = total
        self._ops_taken, self._only_op = taken, only
        found = OpsFound(time=time.time(), key=self.key, total=total, taken=taken, only=only)
        self._write(found)

    def ops_through(self) -> None:
        """All ops of a tester have their verdicts: say how many the test has, if they are fewer
        than was said."""
        if self.ops.total != self._ops_said:
            TestRecorder.ops_found(self, self.ops.total, self._ops_taken, self._only_op)

    def op_started(self, op_key: str, index: int) -> None:
        """Written ahead: an op is about to be handed to the workers. It outlives the process."""
        event = OpStarted(time=time.time(), key=self.key, op_key=op_key, index=index)
        self.run.journal.append(event, sync=False)

    def op_ended(self, result: OpResult) -> None:
        """An op has its verdict. It outlives the process; after `sync`, the machine too."""
        self.ops.note(result)
        result = result if self.profiles_ops else without_costs(result)
        event = OpEnded(time=time.time(), key=self.key, result=result)
        self.run.journal.append(event, sync=False)

    def ops_followed(self, followed: Followed) -> None:
        """The device's own values were followed through the ops."""
        self._write(OpsFollowed(time=time.time(), key=self.key, followed=followed))

    def sync(self) -> None:
        """Have on disk what was said so far, but for the last half second's."""
        self.run.journal.sync_now_and_then()

    def reuse(self, results: list[tuple[StageResult, Status]], source: str) -> None:
        """Record stages that another test of this process did for both.

        Their kept texts are this test's too; their seconds stay the other's.
        """
        for result, status in results:
            self._done_before(result, status, {REUSED_FROM: source})

    def take_cached(self, results: list[tuple[StageResult, Status]], run: str) -> None:
        """Record stages that an earlier run did, on the same input and with the same code.

        They are stages of this test, which its other devices may reuse.
        """
        for result, status in results:
            again = self._done_before(result, status, {CACHED_FROM: run})
            self.results.append((again, self.status))

    def _done_before(
        self, result: StageResult, status: Status, said: dict[str, str]
    ) -> StageResult:
        self.status = max(self.status, status)
        again = StageResult(
            stage=result.stage,
            ok=True,
            wall_s=0.0,
            cpu_s=0.0,
            artifacts=result.artifacts,
            attributes={**result.attributes, **said},
        )
        self._write(
            StageEnded(
                time=time.time(),
                key=self.key,
                result=again,
                status=self.status,
                tester=self.tester,
            )
        )
        return again

    def outputs_checked(self, outputs: tuple[OutputCheck, ...]) -> None:
        """Put the verdict's evidence on disk."""
        self._write(
            OutputsChecked(time=time.time(), key=self.key, outputs=outputs, tester=self.tester)
        )

    def end(self, outcome: Outcome, failure: Failure | None = None) -> None:
        """Write the terminal event, once.

        What is above the devices' own compilers holds for any device; what another device compiled
        and executed does not say that this one did.
        """
        at_most = Status.CONVERTED_TO_STABLE_HLO if self.elsewhere() else Status.EXECUTED
        if not self.ended:
            self.ended = True
            self.run.journal.append(
                TestEnded(
                    time=time.time(),
                    key=self.key,
                    outcome=outcome,
                    failure=failure,
                    seconds=time.monotonic() - self.began - self.deadline.uncounted,
                    at_most=at_most,
                )
            )

    def seconds_left(self) -> float | None:
        """Until this test's deadline, less what an orderly end needs; None without a deadline."""
        left = self.deadline.left()
        return None if left is None else max(left - 3.0, 1.0)

    @contextlib.contextmanager
    def uncounted(self, device: str) -> Iterator[None]:
        """Wait for a lease of a device; it does not count towards the deadline."""
        began = time.monotonic()
        self._write(LeaseAwaited(time=time.time(), key=self.key, device=device))
        try:
            with self.deadline.put_off():
                yield
        finally:
            waited = time.monotonic() - began
            self._write(
                LeaseAwaited(time=time.time(), key=self.key, device=device, waited_s=waited)
            )


class TesterRecorder(TestRecorder):
    """One tester's share of a test's record: a status, an outcome and mismatches of its own."""

    def __init__(self, test: TestRecorder, name: str, device: str | None = None) -> None:
        self.test = test
        self.device = device or test.identity.device
        self.tester = name
        self.run = test.run
        self.began, self.deadline = test.began, test.deadline
        self.ops = test.ops
        self.testers = test.testers
        self.gave_golden = False
        """Did the test's body get the golden's outputs, for want of the device's?"""
        self.no_golden: Failure | None = None
        """Why it got nothing at all."""
        self._described: TestDescribed | None = None
        self._begin(test.identity, test.nodeid, test.entry)

    def describe(
        self,
        model_name: str,
        model_group: str,
        mode: str,
        depth: str,
        parameters: int | None,
        seed: int | None,
        assertions: dict[str, str],
        notes: tuple[str, ...],
    ) -> None:
        """Record what the tester knows, together with what others of the test said before."""
        others = [t._described for t in self.testers if t._described and t is not self]
        self._described = TestDescribed(
            time=time.time(),
            key=self.key,
            model_name=model_name,
            model_group=model_group,
            mode=mode,
            depth=depth,
            parameters=parameters,
            seed=seed,
            assertions=assertions,
            notes=notes,
        )
        every = [*others, self._described]
        self._write(
            msgspec.structs.replace(
                self._described,
                model_name=_joined(d.model_name for d in every),
                mode=_joined(d.mode for d in every),
                depth=_joined(d.depth for d in every),
                assertions={
                    name: _joined(d.assertions[name] for d in every if name in d.assertions)
                    for name in assertions
                },
                notes=tuple(dict.fromkeys(note for d in every for note in d.notes)),
            )
        )

    def ops_found(self, total: int, taken: int, only: int | None = None) -> None:
        """As the test's, on top of what its other testers found.

        Ops that two testers have are one: the count shrinks with each that turns out to be.
        """
        super().ops_found(self.ops.total + total, taken, only)

    def end(self, outcome: Outcome, failure: Failure | None = None) -> None:
        """End the whole test."""
        self.test.end(outcome, failure)


def _joined(words: Iterable[str]) -> str:
    return " + ".join(dict.fromkeys(words))


def _severity(outcome: Outcome | None) -> int:
    return len(WORST_FIRST) if outcome is None else WORST_FIRST.index(outcome)
