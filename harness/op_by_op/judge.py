# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From what became of an op's request to its verdict: a pure function but for the kept texts."""

import time
from collections.abc import Mapping, Sequence

import torch

from harness.devices.op_run import Ended, OpFailure, OpRun
from harness.op_by_op.reference import Golden
from harness.op_by_op.reproducer import fingerprint_of
from harness.records.blobs import BlobStore
from harness.records.metrics import worst
from harness.records.schema import (
    Artifact,
    Failure,
    Op,
    OpVerdict,
    Outcome,
    OutputCheck,
    Stage,
    StageResult,
    Status,
)
from harness.verify import Tolerances, compare, mismatches, settled

_STATUS = {
    Stage.TORCH_IR: Status.CONVERTED_TO_TORCH_IR,
    Stage.TORCH_BACKEND_IR: Status.CONVERTED_TO_TORCH_BACKEND_IR,
    Stage.STABLEHLO: Status.CONVERTED_TO_STABLE_HLO,
    Stage.COMPILE: Status.CONVERTED_TO_TTNN,
    Stage.EXECUTE: Status.EXECUTED,
}
_LEVEL_STATUS = {"ttir": Status.CONVERTED_TO_TTIR, "ttnn": Status.CONVERTED_TO_TTNN}
_LEVEL_STAGE = {
    "torch_ir": Stage.TORCH_IR,
    "torch_backend_ir": Stage.TORCH_BACKEND_IR,
    "stablehlo": Stage.STABLEHLO,
}
_REASON_LENGTH = 500
_ENDINGS = {
    Ended.REFUSED: Outcome.FAILED,
    Ended.CRASH: Outcome.CRASHED,
    Ended.TIMEOUT: Outcome.TIMEOUT,
    Ended.INFRA: Outcome.INFRA,
}


def judge(
    op: Op,
    device: str,
    run: OpRun,
    golden: Golden | None,
    tolerances: Tolerances,
    blobs: BlobStore,
    origin: str,
) -> OpVerdict:
    """The verdict on an op that was computed now; its texts are kept in `blobs`.

    An op that ran and that nobody has a golden for is REACHED, never PASSED.
    """
    checks: tuple[OutputCheck, ...] = ()
    if run.outputs is not None and golden is not None and golden.outputs is not None:
        checks = compared(golden, run.outputs, tolerances)
    outcome, failure = _ending(run, checks, blobs)
    return OpVerdict(
        op=op,
        device=device,
        status=_status(run),
        pcc=worst((check for output in checks for check in output.checks), "pcc"),
        atol=worst((check for output in checks for check in output.checks), "atol"),
        stages=_stages(run, blobs),
        failure=failure,
        outcome=outcome,
        fingerprint=fingerprint_of(op.name, outcome, failure),
        golden=golden.source.value if checks and golden else "",
        uncompared=golden.reason[:_REASON_LENGTH] if golden and not checks else "",
        origin=origin,
        computed=time.time(),
    )


def compared(
    golden: Golden, outputs: Sequence[torch.Tensor], tolerances: Tolerances
) -> tuple[OutputCheck, ...]:
    """What is checked of an op's outputs, of which `golden` has some."""
    checks, _ = settled(
        lambda natural: compare(golden.outputs, list(outputs), tolerances, natural=natural),
        golden.natural,
    )
    return checks


def _ending(
    run: OpRun, checks: tuple[OutputCheck, ...], blobs: BlobStore
) -> tuple[Outcome, Failure | None]:
    if run.ended is not Ended.DONE:
        outcome = _ENDINGS[run.ended]
        if run.failure is not None and run.failure.kind == "SIGKILL":
            outcome = Outcome.INFRA
        return outcome, _failure(run.failure, blobs)
    wrong = mismatches(checks)
    if wrong:
        text = "\n".join(wrong)
        return Outcome.INCORRECT, Failure(Stage.VERIFY, "IncorrectResult", text[:2000])
    return (Outcome.PASSED if checks else Outcome.REACHED), None


def _failure(failure: OpFailure | None, blobs: BlobStore) -> Failure:
    if failure is None:
        return Failure(None, "INFRA", "the device gave no answer")
    kept = blobs.put(failure.diagnostic, "diagnostic") if failure.diagnostic else None
    return Failure(failure.stage, failure.kind, failure.message[:2000], kept)


def _status(run: OpRun) -> Status:
    reached = [Status.CREATED_GRAPH]
    if run.stage is not None:
        reached.append(_STATUS.get(run.stage, Status.CREATED_GRAPH))
    reached += [_LEVEL_STATUS[level.name] for level in run.levels if level.name in _LEVEL_STATUS]
    return max(reached)


def _stages(run: OpRun, blobs: BlobStore) -> tuple[StageResult, ...]:
    kept: dict[Stage, list[Artifact]] = {}
    for level in run.levels:
        stage = _LEVEL_STAGE.get(level.name, Stage.COMPILE)
        kept.setdefault(stage, []).append(blobs.put(level.text, level.name))
    if run.stderr and run.failure is None and run.stage:  # else it is in the diagnostic
        kept.setdefault(run.stage, []).append(blobs.put(run.stderr, "stderr"))
    failed = run.failure.stage if run.failure else None
    stages = [stage for stage in Stage if stage in run.usages or stage in kept or stage == failed]
    return tuple(
        _stage_result(stage, run, tuple(kept.get(stage, ())), ok=stage != failed)
        for stage in stages
    )


def _stage_result(
    stage: Stage, run: OpRun, artifacts: tuple[Artifact, ...], *, ok: bool
) -> StageResult:
    usage = run.usages.get(stage)
    wall = usage.wall_s if usage else None
    if wall is None and not ok and run.wall_s:  # the host ended with it: what is left was its time
        wall = max(0.0, run.wall_s - sum(other.wall_s for other in run.usages.values()))
    return StageResult(
        stage=stage,
        ok=ok,
        wall_s=None if wall is None else round(wall, 6),  # what is finer is noise, and long
        cpu_s=round(usage.cpu_s, 6) if usage else None,
        peak_rss=usage.peak_rss if usage else None,
        artifacts=artifacts,
    )


def flags_of(options: Mapping[str, str], **settings: object) -> dict[str, str]:
    """What a verdict depends on beside op, device and versions."""
    return {**options, **{name: str(value) for name, value in settings.items()}}
