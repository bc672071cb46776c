# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops of models as every reporter shows them: pure functions and the values they return.

Nothing is taken from whichever model came first: of an op in many models counts are summed, and
status, correlation and error are those of the worst.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.records.recent import OpsOfTest
from harness.records.schema import (
    GOOD,
    NOT_EVIDENCE,
    Identity,
    Metric,
    MetricState,
    Op,
    OpResult,
    Outcome,
    Status,
    TensorType,
)
from reports.figures import Share, total
from reports.legend import ATTENTION
from reports.origin import Origin, origin_of
from reports.untrusted import clean, first_line

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGITS = 16  # of a key: as many as a reproducer's folder needs to be told from all others
_WORDLESS = frozenset({Outcome.CRASHED, Outcome.KILLED, Outcome.INFRA})


@dataclass(frozen=True)
class ModelOps:
    """One op-by-op test of one model on one device, and its unique ops."""

    source: OpsOfTest

    @property
    def identity(self) -> Identity:
        """Which test, on which device."""
        return self.source.record.identity

    @property
    def ops(self) -> tuple[OpResult, ...]:
        """By index."""
        return self.source.ops

    @property
    def name(self) -> str:
        """The name people read."""
        return self.source.record.model_name or self.identity.model

    @cached_property
    def origin(self) -> Origin:
        """With what its run was made."""
        return origin_of(self.source.header.provenances.values())

    @cached_property
    def statuses(self) -> tuple[int, ...]:
        """How many of its unique ops ended at each status, 0 to 7."""
        reached = [op.verdict.status for op in self.ops]
        return tuple(reached.count(status) for status in Status)

    @property
    def nodes(self) -> int:
        """Ops of the graph, repetitions included."""
        return sum(op.count for op in self.ops)

    @property
    def compiled(self) -> Share:
        """Unique ops at status 6 or higher, of all."""
        return Share(sum(self.statuses[Status.CONVERTED_TO_TTNN :]), len(self.ops))

    @property
    def executed(self) -> Share:
        """Unique ops at status 7, of those that were to execute."""
        executed = self.statuses[Status.EXECUTED]
        return Share(executed, executed + self.count(not_executing))

    @property
    def uncompared(self) -> int:
        """Ops that were executed and that nobody had a golden for."""
        return self.count(is_uncompared)

    @property
    def unknown_errors(self) -> int:
        """Ops that failed and left no stage or no word of their own."""
        return self.count(is_unknown)

    @property
    def timeouts(self) -> int:
        """Ops that ran past their deadline."""
        return self.count(lambda op: op.verdict.outcome is Outcome.TIMEOUT)

    @property
    def hits(self) -> int:
        """Ops whose verdict came from the cache."""
        return self.count(lambda op: op.hit)

    def count(self, test: Callable[[OpResult], bool]) -> int:
        """How many of its unique ops pass a test."""
        return sum(1 for op in self.ops if test(op))


@dataclass(frozen=True)
class SharedOp:
    """One op on one device over all models that have it, or ops that fail in one same way."""

    uses: tuple[tuple[ModelOps, OpResult], ...]
    """At least one."""

    @cached_property
    def worst(self) -> OpResult:
        """The result that most needs attention."""
        return min((result for _, result in self.uses), key=_attention)

    @property
    def op(self) -> Op:
        """What it is."""
        return self.worst.verdict.op

    @property
    def device(self) -> str:
        """Where it was tried."""
        return self.worst.verdict.device

    @property
    def variants(self) -> int:
        """How many ops these are: one, unless they were put together for their failure."""
        return len({result.verdict.op.key for _, result in self.uses})

    @property
    def nodes(self) -> int:
        """How many times all models together have it."""
        return sum(result.count for _, result in self.uses)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The names of the models that have it, each once."""
        return tuple(sorted({model.name for model, _ in self.uses}))

    @property
    def hits(self) -> int:
        """In how many tests its verdict came from the cache."""
        return sum(1 for _, result in self.uses if result.hit)

    @property
    def pcc(self) -> Metric | None:
        """The lowest correlation of all; what is not a number is lower than any."""
        return _worst([r.verdict.pcc for _, r in self.uses], smallest=True)

    @property
    def atol(self) -> Metric | None:
        """The largest difference of all."""
        return _worst([r.verdict.atol for _, r in self.uses], smallest=False)


def models_of(tests: Iterable[OpsOfTest]) -> tuple[ModelOps, ...]:
    """Wrap what records say, by name, then identity."""
    return tuple(sorted(map(ModelOps, tests), key=lambda m: (m.name.casefold(), m.identity)))


def across(models: Iterable[ModelOps]) -> tuple[SharedOp, ...]:
    """Every op of all models, each once per device, by name and key."""
    uses: dict[tuple[str, str, str], list[tuple[ModelOps, OpResult]]] = {}
    for model in models:
        for result in model.ops:
            op = result.verdict.op
            place = op.name, op.key, result.verdict.device
            uses.setdefault(place, []).append((model, result))
    return tuple(SharedOp(tuple(uses[place])) for place in sorted(uses))


def blockers(models: Iterable[ModelOps]) -> tuple[SharedOp, ...]:
    """Ops below their device's top, with the models they hold back, most models first.

    Ops of one name that fail alike are one thing to fix, whatever their shapes. What the machine
    did is no op's fault: INFRA and KILLED block nothing.
    """
    held: dict[tuple[str, str, str], list[tuple[ModelOps, OpResult]]] = {}
    for one in across(models):
        for model, result in one.uses:
            if is_blocking(result):
                verdict = result.verdict
                failing = verdict.fingerprint or verdict.outcome.value
                place = verdict.op.name, verdict.device, failing
                held.setdefault(place, []).append((model, result))
    shared = [SharedOp(tuple(held[place])) for place in sorted(held)]
    return tuple(sorted(shared, key=lambda s: (-len(s.models), -s.nodes)))


def is_blocking(result: OpResult) -> bool:
    """True when the op stopped below what its device can do."""
    return not_executing(result) and result.verdict.outcome not in NOT_EVIDENCE


def not_executing(result: OpResult) -> bool:
    """True below EXECUTED, unless the device only compiles and the op compiled."""
    verdict = result.verdict
    return verdict.status < Status.EXECUTED and verdict.outcome is not Outcome.REACHED


def is_uncompared(result: OpResult) -> bool:
    """True for an op that was executed and compared with nothing."""
    verdict = result.verdict
    return verdict.status is Status.EXECUTED and verdict.outcome is Outcome.REACHED


def compared_with(result: OpResult) -> str:
    """Whose golden judged it, or that none did and why; empty where nothing was executed."""
    if is_uncompared(result):
        return f"not compared: {result.verdict.uncompared}".removesuffix(": ")
    return result.verdict.golden


def is_unknown(result: OpResult) -> bool:
    """True for a failure that names no stage, or was no word of the op's own."""
    verdict = result.verdict
    if verdict.outcome in GOOD or verdict.outcome is Outcome.TIMEOUT:
        return False
    nameless = verdict.failure is None or verdict.failure.stage is None
    return verdict.outcome in _WORDLESS or (nameless and verdict.outcome is not Outcome.INCORRECT)


def failure_line(result: OpResult) -> str:
    """The failure's first line; empty without one."""
    failure = result.verdict.failure
    return first_line(failure.message) if failure else ""


def failing_stage(result: OpResult) -> str:
    """The stage that did not come back well; empty when none is named."""
    failure = result.verdict.failure
    return failure.stage.value if failure and failure.stage else ""


def seconds_of(result: OpResult) -> float | None:
    """Wall seconds over all stages, when the verdict was computed."""
    return total(stage.wall_s for stage in result.verdict.stages)


def cached_text(result: OpResult) -> str:
    """How the verdict was come by: `cached`, `cached, rechecked`, or empty for computed now."""
    if not result.hit:
        return ""
    return "cached, rechecked" if result.rechecked else "cached"


def command_of(result: OpResult) -> str:
    """The line that runs a failed op's reproducer; empty for an op that needs none."""
    key = result.verdict.op.key
    key = key[:_DIGITS] if _DIGEST.fullmatch(key) else clean(key)
    if result.verdict.outcome in GOOD or not key or key.startswith("-"):
        return ""
    return f"nox -s repro -- {shlex.quote(key)}"


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


def _attention(result: OpResult) -> tuple[int, int, str]:
    verdict = result.verdict
    return verdict.status, ATTENTION.index(verdict.outcome), failure_line(result)


def _worst(metrics: Sequence[Metric | None], *, smallest: bool) -> Metric | None:
    known = [m for m in metrics if m is not None]
    strange = [m for m in known if m.state not in (MetricState.VALUE, MetricState.UNDEFINED)]
    if strange:
        return strange[0]
    numbers = [m for m in known if m.value is not None]
    if not numbers:
        return known[0] if known else None
    return (min if smallest else max)(numbers, key=lambda m: m.value or 0.0)
