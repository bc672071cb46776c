# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a run directory to the rows that are kept of it. The same records give the same rows."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bringup.harness.records.fingerprint import fingerprint
from bringup.harness.records.metrics import worst
from bringup.harness.records.naming import is_op_by_op, listed_as
from bringup.harness.records.outcomes import is_blocking, is_left_out, latest, worst_blocking
from bringup.harness.records.plans import planned_by
from bringup.harness.records.run_dir import (
    CONFIRM_FOLDER,
    HEADER_NAME,
    read_merged,
    read_ops,
    read_plans,
)
from bringup.harness.records.schema import (
    GOOD,
    NOT_EVIDENCE,
    Artifact,
    Metric,
    OpResult,
    Outcome,
    OutputCheck,
    PlannedTest,
    Provenance,
    RunHeader,
    Stage,
    Status,
    TestRecord,
)
from bringup.harness.records.values import CACHED_FROM
from bringup.harness.storage.writable import encoded
from bringup.pipeline.history.samples import LOCAL, Excluded
from bringup.pipeline.history.store.tables import (
    MOST_OUTPUTS,
    AttemptRow,
    DeviceCounts,
    OpRow,
    OutputRow,
    Run,
    StageRow,
    TextRow,
    Versions,
)

_MACHINE = frozenset({Outcome.INFRA, Outcome.KILLED, Outcome.NOT_RUN})


class Kept(NamedTuple):
    """A run as the store takes it."""

    run: Run
    tables: dict[str, list[bytes]]
    """Of each table its rows as JSON, without the run, in the order of their content."""
    texts: frozenset[str]
    """SHA-256 of the texts of what needs attention."""


def rows_of_run(run_dir: Path) -> Kept:
    """Read a merged run.

    Raises:
        RecordError: it is none, has a newer schema, or is damaged.
    """
    header, records = read_merged(run_dir)
    ops: dict[str, list[OpResult]] = defaultdict(list)
    if any(is_op_by_op(record.identity) or record.ops_found for record in records):
        for line in read_ops(run_dir):
            ops[line.test].append(line.result)
    return kept(header, records, ops, planned_by(read_plans(run_dir)), confirmations(run_dir))


def confirmations(run_dir: Path) -> list[TestRecord]:
    """The records of what was run again at once, to confirm that it fails.

    Raises:
        RecordError: one of them is damaged.
    """
    headers = sorted((run_dir / CONFIRM_FOLDER).glob(f"*/{HEADER_NAME}"))
    return [r for header in headers for r in latest(read_merged(header.parent)[1])]


def kept(
    header: RunHeader,
    records: Sequence[TestRecord],
    ops: Mapping[str, Sequence[OpResult]],
    planned: Mapping[str, PlannedTest],
    again: Sequence[TestRecord] = (),
) -> Kept:
    """What the store keeps of a run's records; `ops` and `planned` are by test key.

    `again` are records of confirmations, which count as attempts and change no outcome.
    """
    left_out = {record.identity.key for record in latest(records) if is_left_out(record)}
    records = [  # of such a test there is nothing to know, and nothing that is missing
        r for r in records if r.outcome is not Outcome.NOT_RUN or r.identity.key not in left_out
    ]
    versions = {key: _versions(p) for key, p in header.provenances.items()}
    names = {key: _digest(value) for key, value in versions.items()}
    counting = {id(record) for record in latest(records)}
    suspect = suspects(records)
    tries: dict[str, list[TestRecord]] = defaultdict(list)
    for record in records:
        tries[record.identity.key].append(record)
    reruns: dict[str, list[TestRecord]] = defaultdict(list)
    for record in again:
        reruns[record.identity.key].append(record)
    unrun = frozenset(header.unrun)
    attempts = []
    for record in records:
        key = record.identity.key
        row = _attempt(record, ops.get(key, ()), planned.get(key), id(record) in counting)
        row = msgspec.structs.replace(row, versions=names.get(record.provenance, ""))
        if row.last:
            cached = row.excluded == Excluded.CACHED
            counted = [*(() if cached else tries[key]), *reruns[key]]
            came = _came_to(counted, record, row)
            good = sum(outcome in GOOD for outcome in came)
            row = msgspec.structs.replace(
                row,
                missing=key in unrun,
                passed=good,
                failed=len(came) - good,
                incorrect=came.count(Outcome.INCORRECT),
            )
        if id(record) in suspect and not row.excluded:
            row = msgspec.structs.replace(row, excluded=Excluded.SUSPECT_DEVICE)
        attempts.append(row)
    every = [_op(test, result) for test, results in ops.items() for result in results]
    return finished(
        Run(
            run=header.run_id,
            state="",
            session=header.session or LOCAL,
            created=header.created,
            resumed=header.resumed,
            planned=header.planned - len(left_out),
            reported=sum(r.outcome is not Outcome.NOT_RUN for r in (*records, *again)),
            missing=header.missing,
            left_out=tuple(sorted(left_out)),
            versions={names[key]: value for key, value in sorted(versions.items())},
        ),
        attempts,
        every,
    )


def finished(run: Run, attempts: Iterable[AttemptRow], ops: Iterable[OpRow]) -> Kept:
    """Give a run its counts and the name of its state; whatever was imported ends here too."""
    attempts, ops = list(attempts), list(ops)
    rows = {
        "attempts": sorted(
            (encoded(row), _mark(row, row.shown, row.failed_op)) for row in attempts
        ),
        "ops": sorted((encoded(row), _mark(row, row.outcome, row.name)) for row in ops),
    }
    run = msgspec.structs.replace(
        run,
        devices=_counts(attempts),
        lists=tuple(sorted({row.list_name for row in attempts if row.list_name})),
        rows={name: len(own) for name, own in rows.items()},
        versions=dict(sorted(run.versions.items())),
    )
    digest = hashlib.sha256(encoded(run))
    for own in rows.values():
        for row, _ in own:  # without marks: what is kept of a run has one name, whoever marks it
            digest.update(row)
    tables = {name: [_with_mark(*row) for row in own] for name, own in rows.items()}
    texts = {t.sha256 for row in attempts if row.shown not in GOOD for t in row.texts}
    texts |= {t.sha256 for row in ops for t in row.texts}
    state = digest.hexdigest()[:16]
    return Kept(msgspec.structs.replace(run, state=state), tables, frozenset(texts))


def _mark(row: AttemptRow | OpRow, outcome: str, op: str) -> str:
    return "" if outcome in GOOD else fingerprint(row.stage or "", op, row.message)


def _with_mark(row: bytes, mark: str) -> bytes:
    return row.replace(b'"mark":""', b'"mark":' + encoded(mark), 1) if mark else row


def _came_to(counted: Sequence[TestRecord], last: TestRecord, row: AttemptRow) -> list[str]:
    """What the attempts at a test came to that say something of it.

    The one that counts by what its ops make of it. Where ops block the test, another attempt that
    only went through its ops says nothing: what those came to is kept of the last alone.
    """
    blocked = row.shown != row.outcome
    return [
        row.shown if record is last else record.outcome
        for record in counted
        if record.outcome not in NOT_EVIDENCE
        and (record is last or not blocked or record.outcome not in GOOD)
    ]


def suspects(records: Iterable[TestRecord]) -> set[int]:
    """`id` of the records that a hung device may have made.

    That is a timeout after which nothing executed on its device, and what ended badly after a
    timeout before anything executed there: only a program that comes out shows that it is well.
    """
    by_device: dict[str, list[TestRecord]] = defaultdict(list)
    for record in records:
        if record.started is not None:
            by_device[record.identity.device].append(record)
    found: set[int] = set()
    for ran in by_device.values():
        hung: list[TestRecord] = []
        for record in sorted(ran, key=lambda r: r.started or 0.0):
            executed = record.status is Status.EXECUTED or record.outcome in GOOD
            if executed and hung:
                found |= {id(r) for r in hung[1:]}
                hung = []
            elif record.outcome is Outcome.TIMEOUT or hung:
                hung.append(record)
        found |= {id(r) for r in hung}
    return found


# --- one row --------------------------------------------------------------------------------


def _attempt(
    record: TestRecord, ops: Sequence[OpResult], planned: PlannedTest | None, last: bool
) -> AttemptRow:
    identity, failure = record.identity, record.failure
    blamed = worst_blocking(record.outcome, ops) if last else None
    shown = record.outcome
    if blamed is not None:
        shown, failure = blamed.verdict.outcome, blamed.verdict.failure
    pcc = record.pcc
    return AttemptRow(
        test=identity.key,
        device=identity.device,
        attempt=record.attempt,
        last=last,
        planned=planned is not None,
        outcome=record.outcome,
        shown=shown,
        excluded=_excluded(record, ops) if last else Excluded.SUPERSEDED,
        status=record.status,
        stage=failure.stage if failure else None,
        failed_op=blamed.verdict.op.name if blamed else "",
        kind=failure.kind if failure else "",
        message=failure.message if failure else "",
        started=record.started,
        seconds=record.wall_s,
        cpu_s=sum((s.cpu_s or 0.0 for s in record.stages), 0.0) or None,
        memory=record.peak_rss,
        pcc_state=pcc.state if pcc else None,
        pcc=pcc.value if pcc else None,
        depth=record.depth,
        only_op=record.only_op,
        ops=record.ops_found,
        model_name=record.model_name,
        list_name=planned.list_name if planned else "",
        nodeid=record.nodeid,
        entry=listed_as(record),
        ir_hash=_ir_hash(record),
        artifact_hash=_joined(
            a for s in record.stages if s.stage is Stage.COMPILE for a in s.artifacts
        ),
        stages=tuple(
            StageRow(
                stage=s.stage,
                ok=s.ok,
                wall_ms=_thousandths(s.wall_s),
                cpu_ms=_thousandths(s.cpu_s),
                peak_kib=None if s.peak_rss is None else s.peak_rss >> 10,
            )
            for s in record.stages
        ),
        outputs=_outputs(record.outputs),
        texts=_texts(record),
    )


def _excluded(record: TestRecord, ops: Sequence[OpResult]) -> Excluded:
    if record.outcome in _MACHINE:
        return Excluded.MACHINE
    if record.outcome is Outcome.SKIPPED:
        return Excluded.SKIPPED
    if record.only_op is not None:
        return Excluded.PARTIAL
    if is_op_by_op(record.identity):
        if ops and all(op.hit and not op.rechecked for op in ops):
            return Excluded.CACHED
        return Excluded.NONE
    if _was_built_before(record):
        return Excluded.CACHED
    nothing = record.outcome is Outcome.PASSED and not record.outputs
    return Excluded.UNCOMPARED if nothing or record.outcome is Outcome.UNVERIFIED else Excluded.NONE


_BUILDING = frozenset(
    {
        *(Stage.DECOMPOSE, Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO),
        Stage.COMPILE,
    }
)


def _was_built_before(record: TestRecord) -> bool:
    """Does it say what an earlier run's compiler said, and nothing of its own?"""
    built = [stage for stage in record.stages if stage.stage in _BUILDING]
    executed = any(stage.stage is Stage.EXECUTE for stage in record.stages)
    return bool(built) and not executed and CACHED_FROM in built[-1].attributes


def _outputs(outputs: Sequence[OutputCheck]) -> tuple[OutputRow, ...]:
    rows = []
    for output in outputs:
        pcc, atol = worst(output.checks, "pcc"), worst(output.checks, "atol")
        failing = dict.fromkeys(c.metric for c in output.checks if c.asserted and not c.ok)
        rows.append(
            OutputRow(
                path=output.path,
                dtype=output.dtype,
                state=pcc.state if pcc else None,
                pcc=pcc.value if pcc else None,
                atol=atol.value if atol else None,
                failing=",".join(failing),
            )
        )
    rows.sort(key=lambda row: (not row.failing, 2.0 if row.pcc is None else row.pcc, row.path))
    return tuple(rows[:MOST_OUTPUTS])


def _texts(record: TestRecord) -> tuple[TextRow, ...]:
    found = [a for s in record.stages for a in s.artifacts]
    if record.failure and record.failure.diagnostic:
        found.append(record.failure.diagnostic)
    return _text_rows(found)


def _text_rows(artifacts: Iterable[Artifact]) -> tuple[TextRow, ...]:
    return tuple(dict.fromkeys(TextRow(a.level, a.sha256, a.size) for a in artifacts))


def _op(test: str, result: OpResult) -> OpRow:
    verdict = result.verdict
    failure, pcc = verdict.failure, verdict.pcc
    texts: list[Artifact] = []
    if is_blocking(result):
        texts = [a for s in verdict.stages for a in s.artifacts]
        texts += [failure.diagnostic] if failure and failure.diagnostic else []
    return OpRow(
        test=test,
        op_key=verdict.op.key,
        name=verdict.op.name,
        index=result.index,
        count=result.count,
        status=verdict.status,
        outcome=verdict.outcome,
        stage=failure.stage if failure else None,
        message=failure.message if failure else "",
        pcc_state=_state(pcc),
        pcc=pcc.value if pcc else None,
        hit=result.hit,
        texts=_text_rows(texts),
    )


def _state(metric: Metric | None) -> str | None:
    return metric.state if metric else None


def _ir_hash(record: TestRecord) -> str:
    """Of the highest common form that the device's compiler gets, and of what it is held to."""
    by_level = defaultdict(list)
    for stage in record.stages:
        for artifact in stage.artifacts:
            by_level[artifact.level].append(artifact.sha256)
    given = next(
        (by_level[n] for n in ("stablehlo", "torch_backend_ir", "torch_fx") if n in by_level), None
    )
    if given is None:
        return ""
    held_to = sorted(
        {(o.path, c.metric, c.required, c.asserted) for o in record.outputs for c in o.checks},
        key=repr,
    )
    return _digest(
        [given, held_to, sorted(record.assertions.items()), record.depth, record.parameters]
    )


def _joined(artifacts: Iterable[Artifact]) -> str:
    found = [
        artifact.sha256 for artifact in artifacts if artifact.level not in ("stderr", "diagnostic")
    ]
    return _digest(found) if found else ""


def _versions(provenance: Provenance) -> Versions:
    return Versions(
        git_commit=provenance.git_commit,
        git_dirty=provenance.git_dirty,
        git_branch=provenance.git_branch,
        python=provenance.python,
        versions=dict(sorted(provenance.versions.items())),
    )


def _counts(attempts: Iterable[AttemptRow]) -> dict[str, DeviceCounts]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in attempts:
        if row.last and row.shown not in (Outcome.NOT_RUN, Outcome.SKIPPED):
            found[row.device][row.shown not in GOOD] += 1
    return {device: DeviceCounts(*counts) for device, counts in sorted(found.items())}


def _thousandths(seconds: float | None) -> int | None:
    return None if seconds is None else min(round(seconds * 1000), 2**31 - 1)


def _digest(value: object) -> str:
    return hashlib.sha256(encoded(value)).hexdigest()[:16]
