# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From what became of an op's request to what it comes to: one judge for all who run ops.

`close_run` is a pure function; `judge` makes of it a verdict for the record, with its texts kept.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended, OpRun
from bringup.harness.devices.catalog import reached_by
from bringup.harness.devices.failures import DOES_NOT_FIT
from bringup.harness.errors import DoesNotFitError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.machine_faults import is_machines
from bringup.harness.records.metrics import worst
from bringup.harness.records.schema import (
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
from bringup.harness.reference.references import Golden, Source
from bringup.harness.reference.stepwise import order_of
from bringup.harness.reproduce.reproducer import fingerprint_of
from bringup.harness.verify import Tolerances, compare, mismatches, nothing_finite, settled

_STATUS = {
    Stage.TORCH_IR: Status.CONVERTED_TO_TORCH_IR,
    Stage.TORCH_BACKEND_IR: Status.CONVERTED_TO_TORCH_BACKEND_IR,
    Stage.STABLEHLO: Status.CONVERTED_TO_STABLE_HLO,
    Stage.COMPILE: Status.CONVERTED_TO_TTNN,
    Stage.EXECUTE: Status.EXECUTED,
}
"""What an op has reached that passed a stage."""
_OUTCOME = {
    Ended.REFUSED: Outcome.FAILED,
    Ended.CRASH: Outcome.CRASHED,
    Ended.TIMEOUT: Outcome.TIMEOUT,
    Ended.INFRA: Outcome.INFRA,
}
_LEVEL_STAGE = {
    "torch_ir": Stage.TORCH_IR,
    "torch_backend_ir": Stage.TORCH_BACKEND_IR,
    "stablehlo": Stage.STABLEHLO,
}
_MESSAGE_LENGTH = 2000
_REASON_LENGTH = 500
INCORRECT = "IncorrectResult"
"""The kind of failure of an op whose outputs are wrong."""


@dataclass(frozen=True)
class Conclusion:
    """What a run of an op comes to, whoever ran it: a night, a reproducer, a reduction."""

    status: Status
    outcome: Outcome
    failure: Failure | None = None
    diagnostic: str = ""
    """The whole text behind the failure."""
    checks: tuple[OutputCheck, ...] = ()
    golden: Golden | None = None
    """Asked for only where the op has outputs."""
    uncompared: str = ""
    """Why outputs that are right by their golden say nothing, as there is nothing finite in it."""


def close_run(
    run: OpRun,
    golden: Callable[[], Golden | None],
    tolerances: Tolerances,
    artifacts: ArtifactStore | None = None,
) -> Conclusion:
    """The one judgement on a run; `golden` is called if there are outputs to compare.

    An op that ran and that nobody has a golden for is REACHED, never PASSED, and so is one whose
    golden has nothing finite. What the machine
    brought about is INFRA, in whatever stage and however the host ended; but an op that met the
    memory limit that we set it is a finding (`OUT_OF_MEMORY`). A diagnostic is kept in `artifacts`.
    """
    answer = golden() if run.outputs is not None else None
    checks: tuple[OutputCheck, ...] = ()
    if run.outputs is not None and answer is not None and answer.outputs is not None:
        checks = compared(answer, run.outputs, tolerances)
        order = order_of(run.outputs, answer.orders()) if mismatches(checks) else None
        if order is not None:
            answer = Golden(order, Source.STEPS)
            checks = compared(answer, run.outputs, tolerances)
    outcome, failure = _outcome(run, checks, artifacts)
    said = run.failure.diagnostic if run.failure else "\n".join(mismatches(checks))
    return Conclusion(_status(run), outcome, failure, said, checks, answer, nothing_finite(checks))


def judge(
    op: Op,
    device: str,
    run: OpRun,
    golden: Golden | None,
    tolerances: Tolerances,
    artifacts: ArtifactStore,
    origin: str,
    values: str = "",
) -> OpVerdict:
    """The verdict on an op that was computed now; its texts are kept in `artifacts`.

    `values` says which operands it was given, where that is known.
    """
    end = close_run(run, lambda: golden, tolerances, artifacts)
    return OpVerdict(
        op=op,
        device=device,
        status=end.status,
        pcc=worst((check for output in end.checks for check in output.checks), "pcc"),
        atol=worst((check for output in end.checks for check in output.checks), "atol"),
        stages=_stages(run, artifacts),
        failure=end.failure,
        outcome=end.outcome,
        fingerprint=fingerprint_of(op.name, end.outcome, end.failure),
        golden=end.golden.source.value if end.checks and end.golden and not end.uncompared else "",
        uncompared=(golden.reason if golden and not end.checks else end.uncompared)[
            :_REASON_LENGTH
        ],
        values=values,
        attempts=run.attempts,
        origin=origin,
        computed=time.time(),
    )


def compared(
    golden: Golden, outputs: Sequence[torch.Tensor], tolerances: Tolerances
) -> tuple[OutputCheck, ...]:
    """What is checked of an op's outputs, of which `golden` has some."""
    checks, _ = settled(
        lambda natural, passed: compare(
            golden.outputs, list(outputs), tolerances, natural=natural, passed=passed
        ),
        golden.natural,
    )
    return checks


def _outcome(
    run: OpRun, checks: tuple[OutputCheck, ...], artifacts: ArtifactStore | None
) -> tuple[Outcome, Failure | None]:
    if run.ended is Ended.DONE:
        if wrong := mismatches(checks):
            said = "\n".join(wrong)[:_MESSAGE_LENGTH]
            return Outcome.INCORRECT, Failure(Stage.VERIFY, INCORRECT, said)
        says = bool(checks) and not nothing_finite(checks)
        return (Outcome.PASSED if says else Outcome.REACHED), None
    failure = run.failure
    if failure is None:
        return Outcome.INFRA, Failure(None, "INFRA", "the device gave no answer")
    outcome = _OUTCOME[run.ended]
    # the stacks of a host that was late may name anything
    said = failure.diagnostic if outcome is not Outcome.TIMEOUT else ""
    kind, own = failure.kind, failure.kind == OUT_OF_MEMORY
    if kind == DOES_NOT_FIT:
        outcome, kind, own = Outcome.DOES_NOT_FIT, DoesNotFitError.kind, True
    if not own and is_machines(kind, failure.message, said):
        outcome = Outcome.INFRA
    kept = (
        artifacts.put(failure.diagnostic, "diagnostic")
        if artifacts and failure.diagnostic
        else None
    )
    return outcome, Failure(failure.stage, kind, failure.message[:_MESSAGE_LENGTH], kept)


def _status(run: OpRun) -> Status:
    """The furthest of what a run passed and of the levels that were written, also by a host that
    died afterwards."""
    passed = _STATUS.get(run.stage, Status.CREATED_GRAPH) if run.stage else Status.CREATED_GRAPH
    return max(passed, reached_by(level.name for level in run.levels))


def _stages(run: OpRun, artifacts: ArtifactStore) -> tuple[StageResult, ...]:
    kept: dict[Stage, list[Artifact]] = {}
    for level in run.levels:
        stage = _LEVEL_STAGE.get(level.name, Stage.COMPILE)
        kept.setdefault(stage, []).append(artifacts.put(level.text, level.name))
    if run.stderr and run.failure is None and run.stage:  # else it is in the diagnostic
        kept.setdefault(run.stage, []).append(artifacts.put(run.stderr, "stderr"))
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
