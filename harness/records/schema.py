# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The record: the one contract between harness, pipeline and reports.

A process appends *events* to a journal of its own, one JSON object per line, before and
after everything it does. :mod:`bringup.harness.records.fold` folds the events of one test into one
:class:`TestRecord`; that is what pipeline and reports read. Nothing is ever rewritten.

The values that events and records are made of live in `values`, all that is of single ops in
`ops`; everybody imports from here.

Version history
    1   first version
    2   fields that have their default are left out; `op_repeated` and `ops_found`; a finished
        run's journals are packed and have all op results (no `ops.jsonl`)
    3   `test_warned`, and with it a record's `warnings`
    4   the outcome `UNVERIFIED`
    5   the outcome `DOES_NOT_FIT`, a stage's `estimate`; `lease_awaited`
    6   `ops_followed`, and with it a record's `followed`
    7   `outputs_shown`, and with it a record's `shown`
"""

import msgspec

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.estimates import Estimate
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.followed import Followed
from bringup.harness.records.metrics import worst
from bringup.harness.records.ops import (
    Op,
    OpEnded,
    OpRepeated,
    OpResult,
    OpsFollowed,
    OpsFound,
    OpStarted,
    OpVerdict,
    TensorType,
)
from bringup.harness.records.planned import DeclaredNeeds, RunAgain, Turn
from bringup.harness.records.shown import OutputsShown, Shown
from bringup.harness.records.values import (
    GOOD,
    NOT_EVIDENCE,
    UNSETTLED,
    WORST_FIRST,
    Artifact,
    Check,
    Event,
    Failure,
    Identity,
    Metric,
    MetricState,
    ModelStatus,
    Outcome,
    OutputCheck,
    Provenance,
    Stage,
    StageResult,
    Status,
)

__all__ = [
    "GOOD",
    "NOT_EVIDENCE",
    "SCHEMA_VERSION",
    "UNSETTLED",
    "WORST_FIRST",
    "AnyEvent",
    "Artifact",
    "Check",
    "DeclaredNeeds",
    "Estimate",
    "Event",
    "Expect",
    "Expectation",
    "Failure",
    "Identity",
    "JournalOpened",
    "LeaseAwaited",
    "Metric",
    "MetricState",
    "ModelStatus",
    "Op",
    "OpEnded",
    "OpRepeated",
    "OpResult",
    "OpStarted",
    "OpVerdict",
    "OpsFollowed",
    "OpsFound",
    "Outcome",
    "OutputCheck",
    "OutputsChecked",
    "OutputsShown",
    "Plan",
    "PlannedTest",
    "Provenance",
    "RunAgain",
    "RunHeader",
    "Shown",
    "Stage",
    "StageEnded",
    "StageResult",
    "StageStarted",
    "Status",
    "TensorType",
    "TestDescribed",
    "TestEnded",
    "TestRecord",
    "TestStarted",
    "TestStopped",
    "TestWarned",
    "Turn",
]

SCHEMA_VERSION = 7

# --- events ---------------------------------------------------------------------------------


class JournalOpened(Event, frozen=True, tag="journal_opened", kw_only=True):
    """First line of every journal."""

    schema: int
    run_id: str
    provenance: Provenance
    attempt: int = 1
    """How often its run had been taken up by then: what orders the outcomes of a run that was cut
    off, since clocks go back."""


class TestStarted(Event, frozen=True, tag="test_started", kw_only=True):
    """Written before the test's first own line runs."""

    __test__ = False
    identity: Identity
    nodeid: str
    """As pytest takes it, device parameter included; how to run it again."""
    pid: int
    attempt: int = 1
    """How often its run had been taken up by then, see `JournalOpened`."""
    entry: str = ""
    """As a list names it, without size and device; empty where an older version wrote it."""


class TestDescribed(Event, frozen=True, tag="test_described", kw_only=True):
    """What the tester knows that the test's id does not say."""

    __test__ = False
    key: str
    model_name: str
    """The name people read, e.g. `google/vit-base-patch16-224`."""
    model_group: str = "generality"
    mode: str = ""
    """What its testers run in, ` + ` between where they differ; empty where an older version
    wrote it: then what the id says."""
    depth: str = ""
    """CompileDepth asked for."""
    parameters: int | None = None
    seed: int | None = None
    assertions: dict[str, str] = msgspec.field(default_factory=dict)
    """Verification settings as given, e.g. `assert_pcc: false`."""
    notes: tuple[str, ...] = ()
    """Tracked issues and the like, e.g. the issue a disabled check refers to."""


class TestWarned(Event, frozen=True, tag="test_warned", kw_only=True):
    """Something around a test is not as it should be, and the test goes on without."""

    __test__ = False
    key: str
    warning: str
    """One sentence."""


class LeaseAwaited(Event, frozen=True, tag="lease_awaited", kw_only=True):
    """The test waits for a device that somebody else has, or has waited: time that its deadline
    does not count."""

    key: str
    device: str
    waited_s: float | None = None
    """None: it begins to wait."""


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
    tester: str = ""
    """Whose stage it is, where a test makes testers; a name no other tester of the test has."""


class OutputsChecked(Event, frozen=True, tag="outputs_checked", kw_only=True):
    """The verdict's evidence, on disk before any mismatch is raised."""

    key: str
    outputs: tuple[OutputCheck, ...]
    tester: str = ""
    """As in `StageEnded`. Of several testers in a test, paths get their names in front."""


class TestEnded(Event, frozen=True, tag="test_ended", kw_only=True):
    """The terminal event, written by the process that ran the test."""

    __test__ = False
    key: str
    outcome: Outcome
    failure: Failure | None = None
    seconds: float | None = None
    """Since its start, on a clock that nobody sets and that stands still while the machine sleeps,
    less what it waited for a lease; None where an older version wrote it."""
    at_most: Status = Status.EXECUTED
    """Its stages say nothing of its own device beyond this: another device executed."""


class TestStopped(Event, frozen=True, tag="test_stopped", kw_only=True):
    """The terminal event, written by the supervisor for a test whose process cannot."""

    __test__ = False
    key: str
    outcome: Outcome
    failure: Failure
    nodeid: str = ""
    entry: str = ""
    identity: Identity | None = None
    """None where an older version wrote it: then what the key says."""
    attempt: int = 0
    """How often its run had been taken up by then; 0 where an older version wrote it: then the
    outcome is for the attempt that was open at its time."""


AnyEvent = (
    JournalOpened
    | TestStarted
    | TestDescribed
    | TestWarned
    | LeaseAwaited
    | StageStarted
    | StageEnded
    | OpsFound
    | OpStarted
    | OpEnded
    | OpRepeated
    | OpsFollowed
    | OutputsChecked
    | OutputsShown
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
    entry: str = ""
    """As a list names it, without size and device; empty where an older version wrote it."""
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
    seconds: float | None = None
    """As in `TestEnded`; None where it was stopped from outside, or by an older version."""
    attempt: int = 1
    stages: tuple[StageResult, ...] = ()
    outputs: tuple[OutputCheck, ...] = ()
    shown: tuple[Shown, ...] = ()
    """What the test's function made of the outputs: its task's metric, texts, pictures."""
    failure: Failure | None = None
    only_op: int | None = None
    """Op by op: the index of the one op that was asked for; None when all were."""
    assertions: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """Of what it went on without, e.g. the verdict cache: a sentence each."""
    provenance: str = ""
    """Key into `RunHeader.provenances`."""
    ops_found: int = 0
    """Of an op-by-op test: unique ops that the model was split into, begun or not; 0 when it was
    not split, or by a version that did not say."""
    followed: Followed | None = None
    """Of an op-by-op test: what its ops came to fed the device's own values; None where they were
    fed golden ones alone."""

    @property
    def wall_s(self) -> float | None:
        """Seconds from start to end, when they are known; never less than none.

        What its own process counted; else by the clock of the day, which may have been set.
        """
        if self.seconds is not None:
            return self.seconds
        if self.started is None or self.ended is None:
            return None
        return max(self.ended - self.started, 0.0)

    @property
    def peak_rss(self) -> int | None:
        """Bytes: the largest stage peak."""
        return max((s.peak_rss for s in self.stages if s.peak_rss is not None), default=None)

    def metric(self, name: str) -> Metric | None:
        """The worst `name` that the outputs' checks assert; see `metrics.worst`."""
        return worst((check for output in self.outputs for check in output.checks), name)

    @property
    def estimate(self) -> Estimate | None:
        """What its program would take on its device; of several the one that needs most memory."""
        found = [stage.estimate for stage in self.stages if stage.estimate is not None]
        return max(found, key=lambda one: one.memory.needed, default=None)

    @property
    def pcc(self) -> Metric | None:
        """The worst PCC among outputs that it was asserted of; of all, where of none."""
        return self.metric("pcc")

    @property
    def atol(self) -> Metric | None:
        """The worst maximum absolute difference, likewise."""
        return self.metric("atol")


class PlannedTest(msgspec.Struct, frozen=True):
    """A test somebody asked for; it must end with a terminal record."""

    identity: Identity
    nodeid: str
    list_name: str = ""
    """The list that names it; empty when selected by hand."""
    estimate_s: float | None = None
    """Expected seconds, None when nothing is known."""
    estimate_bytes: int | None = None
    """Expected peak of resident memory, None when nothing is known."""
    estimate_device_s: float | None = None
    """How long of `estimate_s` it is expected to hold a leased device; None where nobody knows."""
    estimate_front_s: float | None = None
    """Expected until it asks for its device, where it loads its model itself; None likewise."""
    environment: dict[str, str] = {}
    """Set for this test only, e.g. `TT_TORCH_COMPILE_DEPTH: TTNN_IR`."""
    entry: str = ""
    """As a list names it, without size and device; empty where an older version wrote it."""
    expectation: Expectation | None = None
    """What its list's entry says beside its name; None where it says nothing."""
    needs: DeclaredNeeds = DeclaredNeeds()
    again: RunAgain = RunAgain()
    """Of a shard's test, for a shard knows no history."""
    turn: Turn | None = None
    """None in a run that has the time for all."""


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
    chosen: dict[str, tuple[str, ...]] = {}
    """The options that chose the tests, e.g. `size: [tiny]`; whoever resumes must mean the same."""
    resumed: float = 0.0
    """Seconds since the epoch when it was last taken up again; 0 when it never was."""
    attempt: int = 1
    """How often it was taken up, its begin included. What was stopped in an earlier attempt, or
    never ran, is run again."""
    whole: str = ""
    """The hash of the plan of all shards (`SharedPlan.digest`); shards of one plan have the same.
    Empty where an older version planned."""
    devices: dict[str, DeviceState] = {}
    """How far a model gets on each device of the machine that carried the plan out; by it a list
    says what it promises there. Empty where an older version planned, or nobody has run it."""
    elsewhere: dict[str, str] = {}
    """The other shards' tests, key to list entry, as this shard knows them: by them a merge names
    what nobody ran."""
    started_by: str = "nox"
    """How a person starts a command on it: `nox` or `bringup`, and the options that name places
    (`harness.records.advice`). Every older version's was nox."""
    more_s: float | None = None
    """Seconds for further attempts at what may go up. None: what is to be run again is not planned
    but judged by the history of the machine that carries the plan out."""
    budget_s: float | None = None
    """Seconds that the run, or this shard of it, may take; None: as long as it takes."""


class RunHeader(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json` of a merged run directory."""

    schema: int = SCHEMA_VERSION
    run_id: str
    session: str
    created: float
    shards: tuple[tuple[int, int], ...] = ()
    """The shards that were merged."""
    provenances: dict[str, Provenance] = {}
    started_by: str = "nox"
    """As its plans have it."""
    resumed: float = 0.0
    """Seconds since the epoch; 0 for a run that was not taken up again."""
    planned: int = 0
    """Tests planned over all shards, including shards that never reported."""
    missing: tuple[str, ...] = ()
    """Sentences: shards or journals that are absent or were torn, tests that nobody ran."""
    unrun: tuple[str, ...] = ()
    """Keys of the planned tests that nobody ran: `missing` has the sentence `nobody_ran` of them.
    Empty where an older version merged."""
    whole: str = ""
    """The hash of the plan that all shards carried out; empty when they had different ones, or
    none."""
