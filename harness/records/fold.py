# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From events to records: a pure function, and the one place where silence gets a meaning.

A test that started and never ended is not a pass and not nothing: its process died, so it is
CRASHED in the stage that was written ahead, unless a supervisor wrote a better word.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.records.naming import identity_of_key
from harness.records.schema import (
    AnyEvent,
    Failure,
    ModelStatus,
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
    TestRecord,
    TestStarted,
    TestStopped,
)


@dataclass
class _Open:
    """A record in the making."""

    started: TestStarted
    provenance: str
    described: TestDescribed | None = None
    stages: list[StageResult] = field(default_factory=list)
    running: Stage | None = None
    status: Status = Status.NOT_STARTED
    failure: Failure | None = None
    outputs: tuple[OutputCheck, ...] = ()
    ended: TestEnded | TestStopped | None = None
    last: float = 0.0


def fold(events: Iterable[tuple[AnyEvent, str]]) -> list[TestRecord]:
    """Fold (event, provenance key) pairs of any number of journals into records.

    Events of one journal must be in order; a test is written by one process, and its
    `TestStopped` by another, so journals may follow each other in any order.
    """
    attempts: dict[str, list[_Open]] = {}
    stopped: list[TestStopped] = []
    for event, provenance in events:
        if isinstance(event, TestStarted):
            key = event.identity.key
            attempts.setdefault(key, []).append(_Open(event, provenance, last=event.time))
        elif isinstance(event, TestStopped):
            stopped.append(event)
        elif not isinstance(event, _TEST_EVENTS):
            continue
        elif event.key in attempts:
            _apply(attempts[event.key][-1], event)
    for event in stopped:
        _stop(attempts.get(event.key, []), event)
    records = [_close(a) for tries in attempts.values() for a in tries]
    records += [_never_started(e) for e in stopped if e.key not in attempts]
    return sorted(records, key=lambda r: (r.identity, r.started or 0.0))


_TEST_EVENTS = (TestDescribed, StageStarted, StageEnded, OutputsChecked, TestEnded)


def _apply(
    record: _Open, event: TestDescribed | StageStarted | StageEnded | OutputsChecked | TestEnded
) -> None:
    record.last = event.time
    if isinstance(event, TestDescribed):
        record.described = event
    elif isinstance(event, StageStarted):
        record.running = event.stage
    elif isinstance(event, StageEnded):
        record.running = None
        record.stages.append(event.result)
        record.status = max(record.status, event.status)
        record.failure = event.failure or record.failure
    elif isinstance(event, OutputsChecked):
        record.outputs += event.outputs
    elif record.ended is None:
        record.ended = event


def _stop(tries: list[_Open], event: TestStopped) -> None:
    """Give the supervisor's word to the attempt that was open when it was written."""
    candidates = [t for t in tries if t.ended is None and t.started.time <= event.time]
    if candidates:
        candidates[-1].ended = event
        candidates[-1].last = max(candidates[-1].last, event.time)


def _close(record: _Open) -> TestRecord:
    ended, described = record.ended, record.described
    if record.running is not None:
        record.stages.append(StageResult(stage=record.running, ok=False))
    if ended is None:
        where = f"in stage {record.running}" if record.running else "between stages"
        outcome = Outcome.CRASHED
        failure: Failure | None = Failure(
            stage=record.running,
            kind="CRASHED",
            message=f"the process was gone {where} and left no word",
        )
    else:
        outcome = ended.outcome
        failure = ended.failure or record.failure
        if failure is not None and failure.stage is None and record.running is not None:
            failure = Failure(record.running, failure.kind, failure.message, failure.diagnostic)
    return TestRecord(
        identity=record.started.identity,
        nodeid=record.started.nodeid,
        outcome=outcome,
        status=record.status,
        model_status=model_status(outcome, record.status, failure),
        model_name=described.model_name if described else "",
        model_group=described.model_group if described else "",
        depth=described.depth if described else "",
        parameters=described.parameters if described else None,
        started=record.started.time,
        ended=ended.time if ended else record.last,
        attempt=record.started.attempt,
        stages=tuple(record.stages),
        outputs=record.outputs,
        failure=failure if outcome is not Outcome.PASSED else None,
        assertions=described.assertions if described else {},
        notes=described.notes if described else (),
        provenance=record.provenance,
    )


def _never_started(event: TestStopped) -> TestRecord:
    return TestRecord(
        identity=identity_of_key(event.key),
        nodeid=event.nodeid,
        outcome=event.outcome,
        status=Status.NOT_STARTED,
        model_status=model_status(event.outcome, Status.NOT_STARTED, event.failure),
        ended=event.time,
        failure=event.failure,
    )


def model_status(outcome: Outcome, status: Status, failure: Failure | None) -> ModelStatus:
    """A model's status, from the status that was achieved, never from the one asked for."""
    if outcome is Outcome.PASSED:
        return ModelStatus.PASSED
    if outcome is Outcome.INCORRECT:
        return ModelStatus.INCORRECT_RESULT
    if outcome in (Outcome.NOT_RUN, Outcome.SKIPPED):
        return ModelStatus.NOT_STARTED
    if outcome in (Outcome.REACHED, Outcome.INFRA, Outcome.KILLED):
        return ModelStatus.UNKNOWN
    stage = failure.stage if failure else None
    if stage in (None, Stage.LOAD, Stage.GOLDEN, Stage.VERIFY):
        return ModelStatus.UNKNOWN if status else ModelStatus.NOT_STARTED
    if stage is Stage.EXECUTE:
        return ModelStatus.FAILED_RUNTIME
    if stage is Stage.COMPILE:
        return ModelStatus.FAILED_TTMLIR_COMPILATION
    return ModelStatus.FAILED_FE_COMPILATION
