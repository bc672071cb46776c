# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`night.json`: what a run came to beside the runs before it, and the history that its pages show.

The pipeline writes it into the run directory once, from its history; reports read it there, so a
night can be shown again as it was, wherever the history went. Only tests of which there is
something to say are in it; `counts` has all.

Version history
    1   first version
"""

import enum
from pathlib import Path

import msgspec

from bringup.harness.records.values import Outcome, Stage
from bringup.harness.records.versions import decode_versioned
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import read_bytes
from bringup.harness.storage.writable import encoded

NIGHT_NAME = "night.json"
NIGHT_SCHEMA = 1


class Judgement(enum.StrEnum):
    """What a test is tonight, beside its baseline. Every test has exactly one."""

    REGRESSION = "regression"
    """It was good and is bad, and the evidence is enough: nights, or a confirmation."""
    SUSPECTED = "suspected"
    """It was good and is bad; one night cannot settle whether it stays so."""
    NEW = "new"
    """Bad, and never seen before."""
    KNOWN = "known"
    """Bad as at the baseline."""
    FLAKE = "flake"
    """Good and bad in turn, without a change that explains it."""
    DEVICE = "device trouble"
    """The device or the machine failed; nothing is said of the test."""
    FIXED = "fixed"
    """It was bad and is good."""
    UNEXPECTED_PASS = "unexpected pass"
    """Good, and its list promises something else."""
    MISSING = "missing"
    """Planned or at the baseline, and nobody ran it."""
    NO_EVIDENCE = "no evidence"
    """It ran, and what it came to says nothing: nothing was compared, or it was skipped."""
    GOOD = "good"
    """As it should be."""


NEW_FAILURES = (Judgement.REGRESSION, Judgement.SUSPECTED, Judgement.NEW)
"""What the head sentence counts as new, the surest first."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A run, and when it was."""

    run: str
    at: float
    """Seconds since the epoch."""


class Range(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where something began, with 99 % certainty: behind `after`, at the latest in `until`."""

    until: Moment
    after: Moment | None = None
    """None: it may have begun with the first night there is."""


class Change(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is another in one run than in an earlier one."""

    kind: str
    """`packages`, `commits`, `chips` ... as the versions are sorted; `model` of what the compiler
    was given."""
    name: str
    before: str = ""
    """Empty where it was not there."""
    after: str = ""


class DriftKind(enum.StrEnum):
    """A number, or a state that is not the outcome, that is worse than a test's own noise."""

    PCC = "pcc"
    """Lower correlation."""
    SECONDS = "seconds"
    """Slower."""
    MEMORY = "memory"
    """Larger, in bytes."""
    STATUS = "status"
    """It does not get as far (`Status`)."""
    OPS = "ops"
    """More of its ops fail; `names` has those that are new."""
    CAUSE = "cause"
    """Still bad, and for another cause; `names` has the cause before."""


class Drift(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One number of a test beyond its noise."""

    kind: DriftKind
    before: float = 0.0
    """The median of its good nights."""
    now: float = 0.0
    noise: float = 0.0
    """What it may differ from the median by chance; in the same unit."""
    names: tuple[str, ...] = ()


class TestVerdict(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One test on one device tonight, beside its past."""

    __test__ = False
    test: str
    """`Identity.key`."""
    device: str
    judgement: Judgement
    outcome: Outcome | None = None
    """None where nobody ran it."""
    stage: Stage | None = None
    baseline: Outcome | None = None
    """What it came to then; None where it was not there."""
    settled: bool = False
    """True: the judgement rests on a change point or a confirmation, not on one night."""
    since: Range | None = None
    """Where the segment that tonight belongs to began; None where the series has no break."""
    first_bad: Moment | None = None
    """Of the nights in a row that it is bad."""
    last_good: Moment | None = None
    streak: int = 0
    """Nights of evidence in a row with tonight's end, good or bad."""
    flips: int = 0
    """Changes between good and bad in the last 30 nights of evidence."""
    counted: int = 0
    """Nights of evidence that the verdict rests on."""
    uncounted: dict[str, int] = {}
    """Nights that are no evidence, by why (`Excluded`)."""
    recent: str = ""
    """The last 30 nights, the newest last: `.` good, `F` bad, `x` no evidence, ` ` not run."""
    drifts: tuple[Drift, ...] = ()
    works_elsewhere: tuple[str, ...] = ()
    """Devices on which the same test is good tonight."""
    changes: tuple[Change, ...] = ()
    """Between the last good night and the first bad one."""
    fingerprint: str = ""
    cluster: str = ""
    """`Cluster.id`."""
    list_name: str = ""
    gating: bool = False
    """It stands on a list whose tests must be good."""
    command: str = ""
    """The shell line that runs it again."""


class Cluster(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Failures of tests and of ops that have one cause."""

    id: str
    """Stable from night to night: of a rule its name, else a digest of its first fingerprint."""
    name: str
    """One line."""
    stage: str = ""
    op: str = ""
    tests: tuple[str, ...] = ()
    """Keys of the tests that it hits tonight."""
    ops: int = 0
    """Ops that it hits tonight."""
    models: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    first_seen: Moment | None = None
    example: str = ""
    """One diagnostic in its own words, cut at 2,000 characters."""
    command: str = ""
    """The shell line that shows the example again."""
    issue: str = ""
    owner: str = ""


class Fix(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Causes to fix together, in the order in which to fix them."""

    causes: tuple[str, ...]
    """`Cluster.id`; more than one where none of them alone gets a test any further."""
    advances: tuple[str, ...] = ()
    """Tests that get to their next stage, or through, once these and those before are fixed."""
    frees: int = 0
    """How many of them have no blocker left that is known."""


class FixList(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What to fix first."""

    device: str = ""
    """Empty: over all devices."""
    fixes: tuple[Fix, ...] = ()
    blocked: int = 0
    """Tests that some known cause holds back."""


class NightVerdict(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a run came to beside its baseline."""

    schema: int
    run: str
    at: float
    session: str = ""
    baseline: Moment | None = None
    """None: there was no night to compare with."""
    head: str = ""
    """One sentence: what is new, known, fixed and flaky."""
    counts: dict[Judgement, int] = {}
    """Tests by judgement; those that no test has are left out."""
    regressed: bool = False
    """True: a test of a gating list was good at the baseline and is bad."""
    mass_failures: tuple[str, ...] = ()
    """Devices on which nearly all failed: nothing of them is evidence."""
    nights: tuple[Moment, ...] = ()
    """The runs that `TestVerdict.recent` shows, the newest last."""
    tests: tuple[TestVerdict, ...] = ()
    """Those of which there is something to say, the most urgent first."""
    clusters: tuple[Cluster, ...] = ()
    fix_first: tuple[FixList, ...] = ()

    def is_new(self, cluster: Cluster) -> bool:
        """Was a cause seen in this run for the first time?"""
        return cluster.first_seen is not None and cluster.first_seen.run == self.run


def write_night(run_dir: Path, verdict: NightVerdict) -> Path:
    """Write the verdict into its run's directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(run_dir / NIGHT_NAME, msgspec.json.format(encoded(verdict)) + b"\n")


def read_night(run_dir: Path) -> NightVerdict | None:
    """Read a run's verdict; None where nobody judged it.

    Raises:
        RecordError: it cannot be read, has a newer schema, or is no verdict.
    """
    path = run_dir / NIGHT_NAME
    if not path.exists():
        return None
    return decode_night(read_bytes(path), path)


def decode_night(data: bytes, where: object) -> NightVerdict:
    """A run's verdict out of its JSON.

    Raises:
        RecordError: it has a newer schema, or is no verdict.
    """
    return decode_versioned(data, NightVerdict, where, "a night's verdict", NIGHT_SCHEMA, "night")
