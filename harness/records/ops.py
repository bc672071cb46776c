# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Records of single ops: what an op is, what came of it alone, and the events that say so."""

import msgspec

from bringup.harness.records.followed import Followed
from bringup.harness.records.values import Event, Failure, Metric, Outcome, StageResult, Status


class TensorType(msgspec.Struct, frozen=True, gc=False):
    """The type of an op's operand or result.

    Keys are digests of this and of `Op` as they are encoded, so both are always written whole.
    """

    shape: tuple[int, ...]
    dtype: str
    """numpy's or ml_dtypes' name, e.g. `float32`, `bfloat16`."""
    stride: tuple[int, ...] | None = None
    """Elements; only where it is not the contiguous one and changes what the op computes."""


class Op(msgspec.Struct, frozen=True, gc=False):
    """What an op is, whatever model it came from."""

    key: str
    """sha256 of its canonical text: name, types, attributes, regions; never of a location, an
    SSA name or an argument name."""
    name: str
    """`aten.add.Tensor`, `stablehlo.reduce` ..."""
    source: str
    """`torch`, `stablehlo` or, of a part of a model, `onnx`: which graph it was taken from."""
    inputs: tuple[TensorType, ...] = ()
    outputs: tuple[TensorType, ...] = ()
    attributes: dict[str, str] = {}
    """Everything else that decides what it computes, as text."""


class OpVerdict(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What came of one op alone on one device; what the cache keeps."""

    op: Op
    device: str
    status: Status
    pcc: Metric | None = None
    atol: Metric | None = None
    stages: tuple[StageResult, ...] = ()
    failure: Failure | None = None
    outcome: Outcome = Outcome.PASSED
    """PASSED, REACHED (compiled where no more was to be done, or executed and compared with
    nothing), INCORRECT, FAILED, CRASHED, TIMEOUT; INFRA when the machine was at fault, which is
    never kept in the cache."""
    fingerprint: str = ""
    """Of its failure (`harness/records/fingerprint.py`); empty when good."""
    golden: str = ""
    """Where its golden outputs came from: `torch`, `torch, in steps`, `interpreter`, `onnxruntime`
    or `cpu`; empty when none were compared, be it that there were none."""
    uncompared: str = ""
    """Why an op that was executed (status 7, REACHED) was compared with nothing."""
    values: str = ""
    """Which operands it was given, as a digest of where they come from; empty: any of its kind."""
    attempts: int = 1
    """Times it was run: 2 when it ran past its deadline first, and was tried once more, alone."""
    origin: str = ""
    """Run id of the run that computed it."""
    computed: float = 0.0
    """Seconds since the epoch."""


class OpResult(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """An op of a model, with its verdict."""

    index: int
    """global_op_idx: position of its first occurrence among the model's unique ops."""
    count: int
    """num_ops: how many times the model has it."""
    node: str
    """Name of the first node that has it."""
    verdict: OpVerdict
    hit: bool = False
    """True: the verdict came from the cache."""
    rechecked: bool = False
    """True: it came from the cache and was computed again, with the same end."""
    contradicts: str = ""
    """One sentence when the cache held another verdict than the one computed now."""


def without_costs(result: OpResult) -> OpResult:
    """The same result, but of its stages only what came of them, not what they cost."""
    stages = (
        msgspec.structs.replace(stage, wall_s=None, cpu_s=None, peak_rss=None)
        for stage in result.verdict.stages
    )
    verdict = msgspec.structs.replace(result.verdict, stages=tuple(stages))
    return msgspec.structs.replace(result, verdict=verdict)


# --- events ---------------------------------------------------------------------------------


class OpsFound(Event, frozen=True, tag="ops_found", kw_only=True):
    """A model was split: how many unique ops there are to be judged."""

    key: str
    """The test's `Identity.key`, here and below."""
    total: int
    taken: int = 0
    """Ops of which an earlier attempt of this run left a result that is not computed again."""
    only: int | None = None
    """The index of the one op that was asked for, and that `total` counts; None: all were."""


class OpStarted(Event, frozen=True, tag="op_started", kw_only=True):
    """Written ahead: an op is handed to the workers. What the cache knows is never started."""

    key: str
    op_key: str
    index: int


class OpEnded(Event, frozen=True, tag="op_ended", kw_only=True):
    """An op has its verdict."""

    key: str
    result: OpResult


class OpsFollowed(Event, frozen=True, tag="ops_followed", kw_only=True):
    """The device's own values were followed through a tester's ops."""

    key: str
    followed: Followed


class OpRepeated(Event, frozen=True, tag="op_repeated", kw_only=True):
    """An op ended with a verdict that the same journal holds already, in whole.

    Stands for an `OpEnded`, and readers of journals get one: `op_key`, `device` and `computed`
    say which verdict.
    """

    key: str
    op_key: str
    device: str
    computed: float
    index: int
    count: int
    node: str
    outcome: Outcome = Outcome.PASSED
    """The verdict's, for whoever only counts."""
    hit: bool = False
    rechecked: bool = False
