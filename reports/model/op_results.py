# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One op's result: what it counts as, and how it reads."""

from collections.abc import Sequence

from bringup.harness.records.advice import THROUGH_NOX, Advice
from bringup.harness.records.outcomes import is_blocking
from bringup.harness.records.reproducible import folder_name, op_command
from bringup.harness.records.schema import (
    GOOD,
    Op,
    OpResult,
    Outcome,
    Stage,
    StageResult,
    Status,
    TensorType,
)
from bringup.reports.text.numbers import is_number, total
from bringup.reports.text.untrusted import clean, first_line

_OF_THE_PROCESS = frozenset({Outcome.CRASHED, Outcome.KILLED, Outcome.INFRA})
_ON_THE_DEVICE = frozenset({Stage.EXECUTE, Stage.VERIFY})

# --- what it counts as -----------------------------------------------------------------------


def is_compiled_only(result: OpResult) -> bool:
    """True for an op that was compiled where no more was to be done."""
    verdict = result.verdict
    return verdict.outcome is Outcome.REACHED and verdict.status < Status.EXECUTED


def was_on_device(result: OpResult) -> bool:
    """True for an op that was executed, or that its device stopped while executing it."""
    failure = result.verdict.failure
    stopped = failure is not None and failure.stage in _ON_THE_DEVICE
    return stopped or result.verdict.status is Status.EXECUTED


def is_uncompared(result: OpResult) -> bool:
    """True for an op that was executed and compared with nothing."""
    verdict = result.verdict
    return verdict.status is Status.EXECUTED and verdict.outcome is Outcome.REACHED


def is_unknown(result: OpResult) -> bool:
    """True for a failure that names no stage, or came from the process and not from the op."""
    verdict = result.verdict
    if verdict.outcome in GOOD or verdict.outcome is Outcome.TIMEOUT:
        return False
    if verdict.outcome is Outcome.INCORRECT:
        return False
    no_stage = verdict.failure is None or verdict.failure.stage is None
    return no_stage or verdict.outcome in _OF_THE_PROCESS


# --- as text ----------------------------------------------------------------------------------


def compared_with(result: OpResult) -> str:
    """Whose golden judged it, or that none did and why; empty where nothing was executed."""
    if is_uncompared(result):
        return f"not compared: {result.verdict.uncompared}".removesuffix(": ")
    return result.verdict.golden


def failure_line(result: OpResult) -> str:
    """The failure's first line; empty without one."""
    failure = result.verdict.failure
    return first_line(failure.message) if failure else ""


def failing_stage(result: OpResult) -> str:
    """The stage that did not come back well; empty when none is named."""
    failure = result.verdict.failure
    return failure.stage.value if failure and failure.stage else ""


def cached_text(result: OpResult) -> str:
    """How the verdict was come by: `cached`, `cached, rechecked`, or empty for computed now."""
    if not result.hit:
        return ""
    return "cached, rechecked" if result.rechecked else "cached"


def command_of(result: OpResult, place: str = "", advice: Advice = THROUGH_NOX) -> str:
    """The line that runs an op's reproducer; empty for an op that has none.

    `place` is what comes before the reproducer's name where its name alone is not found. Only an
    op that blocks has a reproducer. `advice` is how its run was started.
    """
    verdict = result.verdict
    name = folder_name(verdict.op.key, verdict.device)
    if not is_blocking(result) or not verdict.op.key or name.startswith(("-", ".")):
        return ""
    return clean(op_command(verdict.op.key, verdict.device, place, advice))


def shapes_text(tensors: Sequence[TensorType]) -> str:
    """`1x128x768 float32, scalar int64`."""
    return ", ".join(map(tensor_text, tensors))


def tensor_text(tensor: TensorType) -> str:
    """`1x128x768 float32`, with its strides where they are part of the op."""
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    stride = f" stride {','.join(map(str, tensor.stride))}" if tensor.stride else ""
    return f"{shape} {tensor.dtype}{stride}"


def attributes_text(op: Op) -> str:
    """`alpha=1, dim=[0, 1]`."""
    return ", ".join(f"{name}={value}" for name, value in sorted(op.attributes.items()))


# --- what it cost ----------------------------------------------------------------------------


def seconds_of(result: OpResult) -> float | None:
    """Wall seconds over all stages, when the verdict was computed.

    None where a stage's are not known: the sum of the others would say too little.
    """
    walls = [stage.wall_s for stage in result.verdict.stages]
    return total(walls) if all(map(is_number, walls)) else None


def stage_of(result: OpResult, stage: Stage) -> StageResult | None:
    """What is on record of one stage; None when the op did not get there."""
    return next((s for s in result.verdict.stages if s.stage is stage), None)


def cpu_seconds_of(result: OpResult) -> float | None:
    """Processor seconds over all stages that came back."""
    return total(stage.cpu_s for stage in result.verdict.stages)


def peak_of(result: OpResult) -> int | None:
    """Bytes: the largest resident set of the process that ran its stages."""
    known = (stage.peak_rss for stage in result.verdict.stages)
    return max((peak for peak in known if peak is not None), default=None)
