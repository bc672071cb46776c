# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The record: the one contract between harness, pipeline and reports.

A process appends *events* to a journal of its own, one JSON object per line, before and
after everything it does. :mod:`harness.records.fold` folds the events of one test into one
:class:`TestRecord`; that is what pipeline and reports read. Nothing is ever rewritten.

Version history
    1   first version
"""

import enum
import math

import msgspec

SCHEMA_VERSION = 1


class Status(enum.IntEnum):
    """How far a model or an op got. Names and numbers are tt-torch's.

    On a device that is not a Tenstorrent one, 5 reads "the device's own IR" and 6 reads
    "compiled for the device".
    """

    NOT_STARTED = 0
    CREATED_GRAPH = 1
    CONVERTED_TO_TORCH_IR = 2
    CONVERTED_TO_TORCH_BACKEND_IR = 3
    CONVERTED_TO_STABLE_HLO = 4
    CONVERTED_TO_TTIR = 5
    CONVERTED_TO_TTNN = 6
    EXECUTED = 7


class ModelStatus(enum.StrEnum):
    """A model's status in tt-torch's words, derived from the status it achieved."""

    NOT_STARTED = "NOT_STARTED"
    FAILED_FE_COMPILATION = "FAILED_FE_COMPILATION"
    FAILED_TTMLIR_COMPILATION = "FAILED_TTMLIR_COMPILATION"
    FAILED_RUNTIME = "FAILED_RUNTIME"
    INCORRECT_RESULT = "INCORRECT_RESULT"
    PASSED = "PASSED"
    UNKNOWN = "UNKNOWN"


class Stage(enum.StrEnum):
    """A step of the full flow, in order. Each is timed and journalled on its own."""

    LOAD = "load"
    GOLDEN = "golden"
    EXPORT = "export"
    DECOMPOSE = "decompose"
    TORCH_IR = "torch_ir"
    TORCH_BACKEND_IR = "torch_backend_ir"
    STABLEHLO = "stablehlo"
    COMPILE = "compile"
    EXECUTE = "execute"
    VERIFY = "verify"


class Outcome(enum.StrEnum):
    """The terminal word of one test. Every planned test ends with exactly one."""

    PASSED = "PASSED"
    """Executed on the device and every asserted check held."""
    REACHED = "REACHED"
    """Stopped where asked, or at a compile-only device's top; nothing was executed.

    Of an op: that, or it was executed and nobody could say what it must compute."""
    INCORRECT = "INCORRECT"
    """Executed, and an asserted check did not hold."""
    FAILED = "FAILED"
    """A stage raised; `failure` says which and why."""
    CRASHED = "CRASHED"
    """The process died on a signal or exited in the middle of the test."""
    TIMEOUT = "TIMEOUT"
    """Ran past its deadline and was killed by us."""
    KILLED = "KILLED"
    """Killed from outside: the user, the machine, out of memory."""
    INFRA = "INFRA"
    """The device, the disk or the machine failed, not the model."""
    SKIPPED = "SKIPPED"
    """The test itself said it cannot run here; `failure.message` says why."""
    NOT_RUN = "NOT_RUN"
    """Planned, never started."""


GOOD = frozenset({Outcome.PASSED, Outcome.REACHED})
"""Outcomes that need nobody's attention."""

NOT_EVIDENCE = frozenset({Outcome.INFRA, Outcome.KILLED, Outcome.NOT_RUN, Outcome.SKIPPED})
"""Outcomes that say something of the machine and nothing of the model."""


class Identity(msgspec.Struct, frozen=True, order=True):
    """What a test *is*, whatever file it lives in; history hangs on `key`."""

    model: str
    variant: str = ""
    flow: str = "full"
    """`full`, `op_by_op_torch` or `op_by_op_stablehlo`."""
    mode: str = "eval"
    """`eval` or `train`."""
    framework: str = "torch"
    """`torch` or `onnx`."""
    device: str = "cpu"

    @property
    def name(self) -> str:
        """The test without its device, e.g. `t5[full-t5-base-eval]` or `yolo_onnx[full-eval]`."""
        suffix = "_onnx" if self.framework == "onnx" else ""
        params = "-".join(p for p in (self.flow, self.variant, self.mode) if p)
        return f"{self.model}{suffix}[{params}]"

    @property
    def key(self) -> str:
        """`name@device`: unique in a run, stable over renames of files."""
        return f"{self.name}@{self.device}"


class Artifact(msgspec.Struct, frozen=True):
    """A text kept beside the records, addressed by its content."""

    level: str
    """`torch_fx`, `torch_ir`, `torch_backend_ir`, `stablehlo`, `ttir`, `ttnn`, `hlo`,
    an IREE phase, `diagnostic`, `stack` ..."""
    sha256: str
    """Hex digest of the uncompressed bytes; also the blob's name."""
    size: int
    """Uncompressed bytes."""


class Failure(msgspec.Struct, frozen=True):
    """Why a test did not go on, in the words of whatever stopped it."""

    stage: Stage | None
    kind: str
    """Exception class, signal name, or one of `Outcome`'s words."""
    message: str
    """One sentence or the first lines of the diagnostic, at most 2,000 characters."""
    diagnostic: Artifact | None = None
    """The compiler's or the traceback's whole text."""


class StageResult(msgspec.Struct, frozen=True):
    """One finished (or unfinished) stage."""

    stage: Stage
    ok: bool
    wall_s: float | None = None
    """None when the process died inside the stage."""
    cpu_s: float | None = None
    peak_rss: int | None = None
    """Bytes: the largest resident set of the process that ran the stage, during the stage."""
    artifacts: tuple[Artifact, ...] = ()
    attributes: dict[str, str] = {}
    """Small facts, e.g. `process: device host`, `graph_nodes: 311`."""


class MetricState(enum.StrEnum):
    """A metric is a finite number or says in a word why it is not."""

    VALUE = "value"
    NAN = "nan"
    POSITIVE_INFINITY = "+inf"
    NEGATIVE_INFINITY = "-inf"
    UNDEFINED = "undefined"
    """Not defined for this output, e.g. the correlation of a constant."""


class Metric(msgspec.Struct, frozen=True):
    """A number at full precision, or the explicit state of not being one."""

    state: MetricState
    value: float | None = None

    @classmethod
    def of(cls, number: float | None) -> "Metric":
        """Wrap a number; None means undefined."""
        if number is None:
            return cls(MetricState.UNDEFINED)
        if math.isnan(number):
            return cls(MetricState.NAN)
        if math.isinf(number):
            return cls(
                MetricState.POSITIVE_INFINITY if number > 0 else MetricState.NEGATIVE_INFINITY
            )
        return cls(MetricState.VALUE, number)


class Check(msgspec.Struct, frozen=True):
    """One comparison of one output: what was measured, what was required, who asserts it."""

    metric: str
    """`structure`, `shape`, `dtype`, `nonfinite`, `pcc`, `atol`, `relative_atol`, `allclose`,
    `relative_l2`, `exact`, `tokens`."""
    measured: Metric
    required: float | None
    """None for checks without a threshold (`shape`, `exact` ...)."""
    ok: bool
    asserted: bool
    """False: computed and recorded only; does not decide the verdict."""
    reason: str = ""
    """One sentence when not ok, or when the metric is undefined."""


class OutputCheck(msgspec.Struct, frozen=True):
    """Every check of one output (or gradient) leaf."""

    path: str
    """Where the leaf sits, e.g. `logits`, `[0].past_key_values.keys[3]`, `grad.fc.weight`."""
    shape: tuple[int, ...]
    dtype: str
    checks: tuple[Check, ...]
    golden_nonfinite: int = 0
    """Count of NaN and infinite elements."""
    actual_nonfinite: int = 0

    @property
    def ok(self) -> bool:
        """True when every asserted check holds."""
        return all(c.ok for c in self.checks if c.asserted)


class Provenance(msgspec.Struct, frozen=True):
    """Where and with what a journal was written."""

    command: tuple[str, ...]
    host: str
    pid: int
    git_commit: str
    """Empty outside a git checkout."""
    git_dirty: bool
    versions: dict[str, str]
    """Distribution name to version: torch, torch-mlir, jaxlib, the plugins, onnx ..."""
    python: str
    seed: int
    cores: int
    memory: int
    """Bytes of physical memory."""


class TensorType(msgspec.Struct, frozen=True):
    """The type of an op's operand or result."""

    shape: tuple[int, ...]
    dtype: str
    """numpy's or ml_dtypes' name, e.g. `float32`, `bfloat16`."""
    stride: tuple[int, ...] | None = None
    """Elements; only where it is not the contiguous one and changes what the op computes."""


class Op(msgspec.Struct, frozen=True):
    """What an op is, whatever model it came from."""

    key: str
    """sha256 of its canonical text: name, types, attributes, regions; never of a location, an
    SSA name or an argument name."""
    name: str
    """`aten.add.Tensor`, `stablehlo.reduce` ..."""
    source: str
    """`torch` or `stablehlo`: which graph it was taken from."""
    inputs: tuple[TensorType, ...] = ()
    outputs: tuple[TensorType, ...] = ()
    attributes: dict[str, str] = {}
    """Everything else that decides what it computes, as text."""


class OpVerdict(msgspec.Struct, frozen=True, kw_only=True):
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
    nothing), INCORRECT, FAILED, CRASHED, TIMEOUT;
    INFRA when the machine was at fault, which is never kept in the cache."""
    fingerprint: str = ""
    """`stage:op:diagnostic` with numbers, shapes and addresses normalised; empty when good."""
    golden: str = ""
    """Whose word its outputs were compared with: `torch`, `interpreter` or `cpu`; empty when they
    were not, be it that there were none."""
    uncompared: str = ""
    """Why an op that was executed (status 7, REACHED) was compared with nothing."""
    origin: str = ""
    """Run id of the run that computed it."""
    computed: float = 0.0
    """Seconds since the epoch."""


class OpResult(msgspec.Struct, frozen=True, kw_only=True):
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


# --- events ---------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """One line of a journal."""

    time: float
    """Seconds since the epoch."""


class JournalOpened(Event, frozen=True, tag="journal_opened", kw_only=True):
    """First line of every journal."""

    schema: int
    run_id: str
    provenance: Provenance


class TestStarted(Event, frozen=True, tag="test_started", kw_only=True):
    """Written before the test's first own line runs."""

    __test__ = False
    identity: Identity
    nodeid: str
    """As pytest takes it, device parameter included; how to run it again."""
    pid: int
    attempt: int = 1


class TestDescribed(Event, frozen=True, tag="test_described", kw_only=True):
    """What the tester knows that the test's id does not say."""

    __test__ = False
    key: str
    model_name: str
    """The name people read, e.g. `google/vit-base-patch16-224`."""
    model_group: str = "generality"
    depth: str = ""
    """CompileDepth asked for."""
    parameters: int | None = None
    seed: int | None = None
    assertions: dict[str, str] = {}
    """Verification settings as given, e.g. `assert_pcc: false`."""
    notes: tuple[str, ...] = ()
    """Tracked issues and the like, e.g. the issue a disabled check refers to."""


class StageStarted(Event, frozen=True, tag="stage_started", kw_only=True):
    """Written ahead: the stage is about to start."""

    key: str
    stage: Stage


class StageEnded(Event, frozen=True, tag="stage_ended", kw_only=True):
    """The stage came back, well or with a failure."""

    key: str
    result: StageResult
    status: Status
    """The highest status achieved so far."""
    failure: Failure | None = None


class OpStarted(Event, frozen=True, tag="op_started", kw_only=True):
    """Written ahead: a worker takes an op."""

    key: str
    op_key: str
    index: int


class OpEnded(Event, frozen=True, tag="op_ended", kw_only=True):
    """An op has its verdict."""

    key: str
    result: OpResult


class OutputsChecked(Event, frozen=True, tag="outputs_checked", kw_only=True):
    """The verdict's evidence, on disk before any mismatch is raised."""

    key: str
    outputs: tuple[OutputCheck, ...]


class TestEnded(Event, frozen=True, tag="test_ended", kw_only=True):
    """The terminal event, written by the process that ran the test."""

    __test__ = False
    key: str
    outcome: Outcome
    failure: Failure | None = None


class TestStopped(Event, frozen=True, tag="test_stopped", kw_only=True):
    """The terminal event, written by the supervisor for a test whose process cannot."""

    __test__ = False
    key: str
    outcome: Outcome
    failure: Failure
    nodeid: str = ""


AnyEvent = (
    JournalOpened
    | TestStarted
    | TestDescribed
    | StageStarted
    | StageEnded
    | OpStarted
    | OpEnded
    | OutputsChecked
    | TestEnded
    | TestStopped
)


# --- what readers get -----------------------------------------------------------------------


class TestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one test: the fold of its events."""

    __test__ = False
    schema: int = SCHEMA_VERSION
    identity: Identity
    nodeid: str
    outcome: Outcome
    status: Status
    model_status: ModelStatus
    model_name: str = ""
    model_group: str = ""
    depth: str = ""
    parameters: int | None = None
    started: float | None = None
    """Seconds since the epoch; None when it never started."""
    ended: float | None = None
    attempt: int = 1
    stages: tuple[StageResult, ...] = ()
    outputs: tuple[OutputCheck, ...] = ()
    failure: Failure | None = None
    assertions: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    provenance: str = ""
    """Key into `RunHeader.provenances`."""

    @property
    def wall_s(self) -> float | None:
        """Seconds from start to end, when both are known."""
        if self.started is None or self.ended is None:
            return None
        return self.ended - self.started

    @property
    def peak_rss(self) -> int | None:
        """Bytes: the largest stage peak."""
        return max((s.peak_rss for s in self.stages if s.peak_rss is not None), default=None)

    def metric(self, name: str) -> Metric | None:
        """The worst `name` metric over all outputs; None when it was never computed.

        Not-a-number is worse than any number; among numbers the smallest PCC and the largest
        of every other metric is the worst.
        """
        found = [c.measured for o in self.outputs for c in o.checks if c.metric == name]
        for state in (
            MetricState.NAN,
            MetricState.NEGATIVE_INFINITY,
            MetricState.POSITIVE_INFINITY,
        ):
            bad = [m for m in found if m.state is state]
            if bad:
                return bad[0]
        values = [m for m in found if m.value is not None]
        if not values:
            return found[0] if found else None
        pick = min if name == "pcc" else max
        return pick(values, key=lambda m: m.value or 0.0)

    @property
    def pcc(self) -> Metric | None:
        """The worst PCC over all outputs."""
        return self.metric("pcc")

    @property
    def atol(self) -> Metric | None:
        """The worst maximum absolute difference over all outputs."""
        return self.metric("atol")


class PlannedTest(msgspec.Struct, frozen=True):
    """A test somebody asked for; it must end with a terminal record."""

    identity: Identity
    nodeid: str
    list_name: str = ""
    """The list that names it; empty when selected by hand."""
    estimate_s: float | None = None
    """Expected seconds, None when nothing is known."""
    environment: dict[str, str] = {}
    """Set for this test only, e.g. `TT_TORCH_COMPILE_DEPTH: TTNN_IR`."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one run, or one shard of it, set out to do. Written before anything runs."""

    schema: int = SCHEMA_VERSION
    run_id: str
    created: float
    session: str
    """`nightly`, `weekly`, `e2e_compile` ..."""
    shard: tuple[int, int] = (1, 1)
    """(i, n), 1-based."""
    tests: tuple[PlannedTest, ...] = ()
    """This shard's tests only."""
    total: int = 0
    """Tests of all shards together."""


class RunHeader(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json` of a merged run directory."""

    schema: int = SCHEMA_VERSION
    run_id: str
    session: str
    created: float
    shards: tuple[tuple[int, int], ...] = ()
    """The shards that were merged."""
    provenances: dict[str, Provenance] = {}
    planned: int = 0
    """Tests planned over all shards, including shards that never reported."""
    missing: tuple[str, ...] = ()
    """Sentences: shards or journals that are absent or were torn."""
