# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The words and values that records are made of.

What is written leaves out fields that have their default; `TestRecord.failure` and the like are
null for every reader either way. A value holds no cycle, so the garbage collector need not look
at it (`gc=False`): a night's 50,000 op results load three times faster.
"""

import enum
import math

import msgspec

from bringup.harness.records.estimates import Estimate


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
    """The terminal outcome of one test. Every planned test ends with exactly one."""

    PASSED = "PASSED"
    """Executed on the device and every asserted check held."""
    REACHED = "REACHED"
    """Stopped where asked, or at a compile-only device's top; nothing was executed.

    Of an op: that, or it was executed and nobody could say what it must compute."""
    INCORRECT = "INCORRECT"
    """Executed, and an asserted check did not hold."""
    UNVERIFIED = "UNVERIFIED"
    """Executed, and nothing could be compared: no output, none that can be checked, or a model
    that differs from itself; `failure` says which. Neither a pass nor anybody's fault."""
    DOES_NOT_FIT = "DOES_NOT_FIT"
    """It needs more memory than its device has, by the compiler's word or its figures."""
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


WORST_FIRST = (
    Outcome.CRASHED,
    Outcome.INCORRECT,
    Outcome.FAILED,
    Outcome.DOES_NOT_FIT,
    Outcome.TIMEOUT,
    Outcome.INFRA,
    Outcome.KILLED,
    Outcome.UNVERIFIED,
    Outcome.NOT_RUN,
    Outcome.SKIPPED,
    Outcome.REACHED,
    Outcome.PASSED,
)
"""Of several outcomes for one test, its testers' and its body's, the first of these holds.

What is known of a model comes before what only the machine did, and that before what says nothing:
a wrong result stays one whatever else happened, and a lost device is no pass.
"""

UNSETTLED = NOT_EVIDENCE - {Outcome.SKIPPED}
"""Outcomes after which a test is run again when its run is taken up again."""


BASE_SIZE = "base"
"""The size of a model as it is published."""


class Identity(msgspec.Struct, frozen=True, gc=False, order=True):
    """What a test *is*, whatever file it lives in; history hangs on `key`."""

    model: str
    variant: str = ""
    flow: str = "full"
    """`full`, `op_by_op_torch` or `op_by_op_stablehlo`."""
    mode: str = "eval"
    """`eval` or `train`; of a record, both with ` + ` between where its testers ran in both."""
    framework: str = "torch"
    """`torch` or `onnx`."""
    device: str = "cpu"
    qualifier: str = ""
    """What tells tests of one name apart: the test's classes and, where it says more than the
    function, its file, e.g. `resnet50` or `TestLarge`; empty for most."""
    size: str = BASE_SIZE
    """The size the model is built at: `base` or `tiny`."""
    filed_mode: str = ""
    """Of a record whose testers ran in another mode than its id says: the id's. `mode` is what
    ran, and name and key go on with this one, by which the test was planned."""

    @property
    def planned(self) -> "Identity":
        """What the id alone says: what a plan has, and what attempts at one test share."""
        if not self.filed_mode:
            return self
        return msgspec.structs.replace(self, mode=self.filed_mode, filed_mode="")

    @property
    def shown(self) -> str:
        """`name` with the mode that ran, for people."""
        return msgspec.structs.replace(self, filed_mode="").name

    @property
    def name(self) -> str:
        """The test without its device, e.g. `t5[full-t5-base-eval]`, `yolo_onnx[full-eval]`,
        `TestLarge.vit[full-eval]` or, at another size, `vit[full-eval]:tiny`."""
        prefix = f"{self.qualifier}." if self.qualifier else ""
        suffix = "_onnx" if self.framework == "onnx" else ""
        mode = self.filed_mode or self.mode
        params = "-".join(p for p in (self.flow, self.variant, mode) if p)
        size = "" if self.size == BASE_SIZE else f":{self.size}"
        return f"{prefix}{self.model}{suffix}[{params}]{size}"

    @property
    def key(self) -> str:
        """`name@device`: unique in a run, and the same when the test's folder has another name."""
        return f"{self.name}@{self.device}"


class Artifact(msgspec.Struct, frozen=True, gc=False):
    """A text kept beside the records, addressed by its content."""

    level: str
    """`torch_fx`, `torch_ir`, `torch_backend_ir`, `stablehlo`, `ttir`, `ttnn`, `hlo`,
    an IREE phase, `diagnostic`, `stack` ..."""
    sha256: str
    """Hex digest of the uncompressed bytes; also its name in the run directory."""
    size: int
    """Uncompressed bytes."""


class Failure(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Why a test did not go on, in the words of whatever stopped it."""

    stage: Stage | None
    kind: str
    """Exception class, signal name, or one of the outcomes."""
    message: str
    """One sentence or the first lines of the diagnostic, at most 2,000 characters."""
    diagnostic: Artifact | None = None
    """The compiler's or the traceback's whole text."""


REUSED_FROM = "reused from"
"""Attribute of a stage that the same test did on another device: that one's key."""
CACHED_FROM = "cached from"
"""Attribute of a stage that was not computed: the run that computed it."""
RECHECKED = "rechecked"
"""Attribute of a stage that was computed although it is kept: the run that had computed it."""


class StageResult(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One finished (or unfinished) stage."""

    stage: Stage
    ok: bool
    wall_s: float | None = None
    """None when the process died inside the stage, or when an op's costs are not recorded."""
    cpu_s: float | None = None
    peak_rss: int | None = None
    """Bytes: the largest resident set of the process that ran the stage, during the stage."""
    artifacts: tuple[Artifact, ...] = ()
    attributes: dict[str, str] = {}
    """Small facts, e.g. `process: device host`, `graph_nodes: 311`."""
    estimate: Estimate | None = None
    """Of COMPILE: what the program would take on its device; None where nobody has figures of
    that device, or an older version wrote it."""


class MetricState(enum.StrEnum):
    """A metric is a finite number or the name of why it is not."""

    VALUE = "value"
    NAN = "nan"
    POSITIVE_INFINITY = "+inf"
    NEGATIVE_INFINITY = "-inf"
    UNDEFINED = "undefined"
    """Not defined for this output, e.g. the correlation of a constant."""


class Metric(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
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


class Check(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One comparison of one output: what was measured, what was required, who asserts it."""

    metric: str
    """One of `bringup.harness.records.metrics.METRICS`."""
    measured: Metric
    required: float | None
    """What it was held to, or would be; None for checks without a threshold (`shape` ...)."""
    ok: bool
    asserted: bool
    """False: computed and recorded only; does not decide the verdict."""
    reason: str = ""
    """One sentence when not ok, or when the metric is undefined."""


class OutputCheck(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
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
    git_branch: str = ""
    """Empty outside a git checkout, and where no branch is checked out."""


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event"):
    """One line of a journal."""

    time: float
    """Seconds since the epoch."""
