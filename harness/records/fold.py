# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From events to records: a pure function, and the one place where silence gets a meaning.

A test that started and never ended is not a pass and not nothing: its process died, so it is
CRASHED in the stage that was written ahead, unless a supervisor wrote a better outcome.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

import msgspec

from bringup.harness.records.followed import Followed
from bringup.harness.records.naming import identity_of_key
from bringup.harness.records.schema import (
    GOOD,
    NOT_EVIDENCE,
    WORST_FIRST,
    AnyEvent,
    Failure,
    Identity,
    ModelStatus,
    Op,
    OpEnded,
    OpResult,
    OpsFollowed,
    OpsFound,
    OpStarted,
    OpVerdict,
    Outcome,
    OutputCheck,
    OutputsChecked,
    OutputsShown,
    Shown,
    Stage,
    StageEnded,
    StageResult,
    StageStarted,
    Status,
    TestDescribed,
    TestEnded,
    TestRecord,
    TestStarted,
    TestStopped,
    TestWarned,
)


@dataclass
class _Open:
    """A record in the making."""

    started: TestStarted
    provenance: str
    described: TestDescribed | None = None
    warnings: dict[str, None] = field(default_factory=dict)
    """Each once, in order."""
    stages: list[StageResult] = field(default_factory=list)
    running: Stage | None = None
    statuses: dict[str, Status] = field(default_factory=dict)
    """Of each tester, the highest."""
    failure: Failure | None = None
    outputs: dict[str, tuple[OutputCheck, ...]] = field(default_factory=dict)
    """Of each tester."""
    shown: tuple[Shown, ...] = ()
    only_op: int | None = None
    ended: TestEnded | TestStopped | None = None
    last: float = 0.0
    ops: dict[str, OpStarted | OpEnded] = field(default_factory=dict)
    """By op key, the last event on each, or the worst end."""
    not_passed: dict[str, OpEnded] = field(default_factory=dict)
    """By op key, the worst end of each that says less of it than PASSED."""
    ops_found: int = 0
    followed: Followed | None = None

    @property
    def status(self) -> Status:
        """What all of its testers reached, on the device that it is filed under."""
        reached = min(self.statuses.values(), default=Status.NOT_STARTED)
        return min(reached, self.ended.at_most) if isinstance(self.ended, TestEnded) else reached

    @property
    def outcome(self) -> Outcome:
        return self.ended.outcome if self.ended else Outcome.CRASHED

    @property
    def order(self) -> tuple[int, float]:
        """The sort key by age, the newest greatest. The attempt's number comes first, since clocks
        go back; within one attempt only the clock tells."""
        return self.started.attempt, self.started.time


def fold(events: Iterable[tuple[AnyEvent, str]]) -> list[TestRecord]:
    """Fold (event, provenance key) pairs of any number of journals into records.

    Events of one journal must be in order; a test is written by one process, and its
    `TestStopped` by another, so journals may follow each other in any order. The status of an
    op-by-op test is the lowest of all its ops, those of earlier attempts that this one did not
    repeat included.
    """
    attempts, stopped = _gather(events)
    names = _known_ops(attempts)
    records = []
    for tries in attempts.values():
        ops: dict[str, OpResult] = {}
        found = 0
        for attempt in tries:
            ops |= {r.verdict.op.key: r for r in _results(attempt, names)}
            found = attempt.ops_found or found
            records.append(_with_ops(_close(attempt), tuple(ops.values()), found))
    records += [_never_started(e) for e in _of_none(stopped, attempts)]
    return sorted(records, key=lambda r: (r.identity.planned, r.attempt, r.started or 0.0))


def _of_none(stopped: list[TestStopped], attempts: dict[str, list[_Open]]) -> list[TestStopped]:
    """Of every test the last outcome of an attempt that never started, if it is the newest."""
    newest = {e.key: e for e in sorted(stopped, key=lambda e: (e.attempt, e.time))}
    return [
        event
        for key, event in newest.items()
        if key not in attempts or event.attempt > attempts[key][-1].started.attempt
    ]


def fold_ops(events: Iterable[tuple[AnyEvent, str]]) -> list[tuple[str, int, OpResult]]:
    """Fold the same pairs into (test key, attempt, result), by test, attempt and op index.

    Attempts are numbered over all journals, in their order. Of an op's results in one attempt the
    worst counts, a machine's failure apart: the testers of a test, and the graphs of a model that
    Python steers, may give one op different values. An op that was started and never ended has the
    terminal outcome of its test, status 0 and a failure that says so.
    """
    attempts, _ = _gather(events)
    names = _known_ops(attempts)
    found: list[tuple[str, int, OpResult]] = []
    for key, tries in attempts.items():
        for number, attempt in enumerate(tries, start=1):
            found += [(key, number, result) for result in _results(attempt, names)]
    return sorted(found, key=lambda f: (f[0], f[1], f[2].index, f[2].verdict.op.key))


def _gather(
    events: Iterable[tuple[AnyEvent, str]],
) -> tuple[dict[str, list[_Open]], list[TestStopped]]:
    """Every attempt at every test, by start, with all that was said of it."""
    attempts: dict[str, list[_Open]] = {}
    stopped: list[TestStopped] = []
    ops: list[tuple[OpStarted | OpEnded, str]] = []
    for event, provenance in events:
        if isinstance(event, OpStarted | OpEnded):  # first: most of a night's events are of ops
            tries = attempts.get(event.key, [])
            if tries and tries[-1].provenance == provenance:
                _take_op(tries[-1], event)  # a journal is in order, whatever the clock
            else:
                ops.append((event, provenance))
        elif isinstance(event, TestStarted):
            key = event.identity.key
            attempts.setdefault(key, []).append(_Open(event, provenance, last=event.time))
        elif isinstance(event, TestStopped):
            stopped.append(event)
        elif not isinstance(event, _TEST_EVENTS):
            continue
        elif event.key in attempts:
            _apply(attempts[event.key][-1], event)
    for tries in attempts.values():
        tries.sort(key=lambda t: t.order)
    for event in stopped:
        _stop(attempts.get(event.key, []), event)
    for op, provenance in ops:
        _note_op(attempts.get(op.key, []), op, provenance)
    return attempts, stopped


_TestEvent = (
    TestDescribed
    | TestWarned
    | StageStarted
    | StageEnded
    | OpsFound
    | OpsFollowed
    | OutputsChecked
    | OutputsShown
    | TestEnded
)
_TEST_EVENTS = get_args(_TestEvent)


def _apply(record: _Open, event: _TestEvent) -> None:
    record.last = event.time
    if isinstance(event, TestDescribed):
        record.described = event
    elif isinstance(event, TestWarned):
        record.warnings[event.warning] = None
    elif isinstance(event, StageStarted):
        record.running = event.stage
    elif isinstance(event, StageEnded):
        record.running = None
        record.stages.append(event.result)
        before = record.statuses.get(event.tester, Status.NOT_STARTED)
        record.statuses[event.tester] = max(before, event.status)
        record.failure = event.failure or record.failure
    elif isinstance(event, OpsFound):
        record.only_op = event.only
        record.ops_found = event.total
    elif isinstance(event, OpsFollowed):
        record.followed = event.followed
    elif isinstance(event, OutputsChecked):
        record.outputs[event.tester] = record.outputs.get(event.tester, ()) + event.outputs
    elif isinstance(event, OutputsShown):
        record.shown = event.shown
    elif record.ended is None:
        record.ended = event


def _stop(tries: list[_Open], event: TestStopped) -> None:
    """Give the supervisor's outcome to the attempt that it is of.

    Where an older version wrote it, that is the one that was open at its time.
    """
    candidates = [t for t in tries if t.ended is None and t.started.time <= event.time]
    if event.attempt:
        own = [t for t in tries if t.ended is None and t.started.attempt == event.attempt]
        candidates = [t for t in candidates if t in own] or own
    if candidates:
        candidates[-1].ended = event
        candidates[-1].last = max(candidates[-1].last, event.time)


def _close(record: _Open) -> TestRecord:
    ended, described = record.ended, record.described
    if record.running is not None:
        record.stages.append(StageResult(stage=record.running, ok=False))
    outcome = record.outcome
    if ended is None:
        where = f"in stage {record.running}" if record.running else "between stages"
        failure: Failure | None = Failure(
            stage=record.running,
            kind="CRASHED",
            message=f"the process was gone {where} and reported nothing",
        )
    else:
        failure = ended.failure or record.failure
        if failure is not None and failure.stage is None and record.running is not None:
            failure = Failure(record.running, failure.kind, failure.message, failure.diagnostic)
    return TestRecord(
        identity=_as_run(record.started.identity, described),
        nodeid=record.started.nodeid,
        entry=record.started.entry,
        outcome=outcome,
        status=record.status,
        model_status=model_status(outcome, record.status, failure),
        model_name=described.model_name if described else "",
        model_group=described.model_group if described else "",
        depth=described.depth if described else "",
        parameters=described.parameters if described else None,
        started=record.started.time,
        ended=ended.time if ended else record.last,
        seconds=ended.seconds if isinstance(ended, TestEnded) else None,
        attempt=record.started.attempt,
        stages=tuple(record.stages),
        outputs=_all_outputs(record.outputs),
        shown=record.shown,
        failure=failure if outcome is not Outcome.PASSED else None,
        only_op=record.only_op,
        followed=record.followed,
        assertions=described.assertions if described else {},
        notes=described.notes if described else (),
        warnings=tuple(record.warnings),
        provenance=record.provenance,
    )


def _as_run(identity: Identity, described: TestDescribed | None) -> Identity:
    """What the test is now that its testers have said their mode; its key stays the plan's."""
    if described is None or described.mode in ("", identity.mode):
        return identity
    return msgspec.structs.replace(identity, mode=described.mode, filed_mode=identity.mode)


def _all_outputs(outputs: Mapping[str, tuple[OutputCheck, ...]]) -> tuple[OutputCheck, ...]:
    """The outputs of all testers, under their names where there are several."""
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return tuple(
        msgspec.structs.replace(check, path=f"{tester}/{check.path}".rstrip("/"))
        for tester, checks in outputs.items()
        for check in checks
    )


def _never_started(event: TestStopped) -> TestRecord:
    return TestRecord(
        identity=event.identity or identity_of_key(event.key),
        nodeid=event.nodeid,
        entry=event.entry,
        outcome=event.outcome,
        status=Status.NOT_STARTED,
        model_status=model_status(event.outcome, Status.NOT_STARTED, event.failure),
        ended=event.time,
        attempt=event.attempt or 1,
        failure=event.failure,
    )


_BESIDE_THE_MODEL = (Outcome.DOES_NOT_FIT, Outcome.INFRA, Outcome.KILLED)
"""Outcomes that tt-torch has no word for."""


def model_status(outcome: Outcome, status: Status, failure: Failure | None) -> ModelStatus:
    """A model's status, from the status that was achieved, never from the one asked for."""
    if outcome is Outcome.PASSED:
        return ModelStatus.PASSED
    if outcome is Outcome.INCORRECT:
        return ModelStatus.INCORRECT_RESULT
    if outcome in (Outcome.NOT_RUN, Outcome.SKIPPED):
        return ModelStatus.NOT_STARTED
    if outcome in (Outcome.REACHED, Outcome.UNVERIFIED, *_BESIDE_THE_MODEL):
        return ModelStatus.UNKNOWN
    stage = failure.stage if failure else None
    if stage in (None, Stage.LOAD, Stage.GOLDEN, Stage.VERIFY):
        return ModelStatus.UNKNOWN if status else ModelStatus.NOT_STARTED
    if stage is Stage.EXECUTE:
        return ModelStatus.FAILED_RUNTIME
    if stage is Stage.COMPILE:
        return ModelStatus.FAILED_TTMLIR_COMPILATION
    return ModelStatus.FAILED_FE_COMPILATION


# --- ops ------------------------------------------------------------------------------------

_STOPPED = frozenset({Outcome.CRASHED, Outcome.TIMEOUT, Outcome.KILLED, Outcome.INFRA})
"""Terminal outcomes of a test that did not come to the end of its ops."""


def _note_op(tries: list[_Open], event: OpStarted | OpEnded, provenance: str) -> None:
    """Give an op's event that another process wrote to the attempt it was written in."""
    started = [t for t in tries if t.started.time <= event.time] or tries[:1]
    own = [t for t in started if t.provenance == provenance]
    if not started:
        return
    attempt = (own or started)[-1]
    before = attempt.ops.get(_op_key(event))
    if before is None or before.time <= event.time:
        _take_op(attempt, event)


def _take_op(attempt: _Open, event: OpStarted | OpEnded) -> None:
    """Note what is newest of an op, but that an end that is worse stays."""
    op_key = _op_key(event)
    if isinstance(event, OpEnded) and attempt.not_passed.get(op_key, event) is not event:
        event = min(attempt.not_passed[op_key], event, key=_badness)
    if isinstance(event, OpEnded):
        outcome = event.result.verdict.outcome
        if outcome is not Outcome.PASSED and outcome not in NOT_EVIDENCE:
            attempt.not_passed[op_key] = event
    attempt.ops[op_key] = event


def _badness(event: OpEnded) -> int:
    return WORST_FIRST.index(event.result.verdict.outcome)


def _op_key(event: OpStarted | OpEnded) -> str:
    return event.op_key if isinstance(event, OpStarted) else event.result.verdict.op.key


def _known_ops(attempts: dict[str, list[_Open]]) -> dict[str, Op]:
    """What is known of any op by its key: another model may have finished what one did not."""
    events = [e for tries in attempts.values() for t in tries for e in t.ops.values()]
    return {e.result.verdict.op.key: e.result.verdict.op for e in events if isinstance(e, OpEnded)}


def _results(attempt: _Open, known: dict[str, Op]) -> list[OpResult]:
    return [
        event.result if isinstance(event, OpEnded) else _unfinished(attempt, event, known)
        for event in attempt.ops.values()
    ]


def _unfinished(attempt: _Open, started: OpStarted, known: dict[str, Op]) -> OpResult:
    """The result of an op that began and did not end."""
    identity, outcome = attempt.started.identity, attempt.outcome
    outcome = outcome if outcome in _STOPPED else Outcome.CRASHED
    message = f"the op was under way when its test ended ({attempt.outcome}) and reported nothing"
    unknown = Op(key=started.op_key, name="(unknown op)", source=_source(identity))
    return OpResult(
        index=started.index,
        count=1,
        node="",
        verdict=OpVerdict(
            op=known.get(started.op_key, unknown),
            device=identity.device,
            status=Status.NOT_STARTED,
            outcome=outcome,
            failure=Failure(None, outcome.value, message),
            computed=started.time,
        ),
    )


def _source(identity: Identity) -> str:
    return "stablehlo" if identity.flow.endswith("stablehlo") else "torch"


def _with_ops(record: TestRecord, ops: tuple[OpResult, ...], found: int) -> TestRecord:
    """The record of an op-by-op test says no more than what all of its ops reached."""
    record = msgspec.structs.replace(record, ops_found=found) if found else record
    if not ops or not record.identity.flow.startswith("op_by_op"):
        return record
    status = min(result.verdict.status for result in ops)
    if record.outcome in _STOPPED:  # ops that nobody has seen yet were not started
        status = Status.NOT_STARTED
    said = model_status(record.outcome, status, record.failure)
    if record.outcome in GOOD:
        said = _status_of_ops(status, ops)
    return msgspec.structs.replace(record, status=status, model_status=said)


def _status_of_ops(status: Status, ops: tuple[OpResult, ...]) -> ModelStatus:
    """What the ops together say of the model; its test passes whatever they say."""
    outcomes = {result.verdict.outcome for result in ops}
    if status is Status.EXECUTED:
        wrong = Outcome.INCORRECT in outcomes
        return ModelStatus.INCORRECT_RESULT if wrong else ModelStatus.PASSED
    if outcomes <= GOOD or outcomes & {Outcome.INFRA, Outcome.KILLED}:
        return ModelStatus.UNKNOWN
    if status >= Status.CONVERTED_TO_TTNN:
        return ModelStatus.FAILED_RUNTIME
    if status >= Status.CONVERTED_TO_STABLE_HLO:
        return ModelStatus.FAILED_TTMLIR_COMPILATION
    return ModelStatus.FAILED_FE_COMPILATION
