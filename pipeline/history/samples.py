# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One test in one run, as history keeps it and as every judgement reads it."""

import enum

import msgspec

from bringup.harness.records.values import GOOD, Outcome, Stage


class Excluded(enum.StrEnum):
    """Why a sample is no evidence for or against a test."""

    NONE = ""
    MACHINE = "machine"
    """INFRA, KILLED or NOT_RUN: the machine's doing."""
    SUSPECT_DEVICE = "suspect device"
    """A timeout on a device that was not probed since, or what ran on it after it hung."""
    MASS_FAILURE = "mass failure"
    """80 % or more of the device's tests failed that night."""
    UNCOMPARED = "nothing compared"
    SKIPPED = "skipped"
    PARTIAL = "partial"
    """A walk of one op, or another size or depth than the test's usual."""
    CACHED = "cached"
    """Every verdict came from the cache: nothing ran."""
    SUPERSEDED = "superseded"
    """An attempt that a later one of the same run replaced."""


class Sample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one test came to on one device in one run."""

    run: str
    """The run's id."""
    at: float
    """When the run was created, in seconds since the epoch; the axis of every series."""
    test: str
    """`Identity.key`, by its name of today (the alias map is applied when read)."""
    device: str
    outcome: Outcome
    """As shown: with the outcome of the worst op of a test that went op by op."""
    stage: Stage | None = None
    """Where it ended; None where it came to its end."""
    status: int = 0
    """How far it got (`harness.records.values.Status`)."""
    excluded: Excluded = Excluded.NONE
    passed: int = 0
    """Uncached attempts of the run that were good, confirmations included."""
    failed: int = 0
    """Uncached attempts that were not."""
    incorrect: int = 0
    """Those of `failed` that ran to their end and were INCORRECT; 0 as well where nobody counted
    them: then all are what `outcome` says."""
    pcc: float | None = None
    """The worst asserted PCC; None where nothing was asserted or it is no number."""
    seconds: float | None = None
    """Wall time of the attempt that counts."""
    memory: int | None = None
    """Peak resident memory in bytes."""
    fingerprint: str = ""
    """Of its failure (`harness/records/fingerprint.py`); empty where it is good."""
    ir_hash: str = ""
    """Of what the device's compiler was given: the model, its inputs, thresholds and golden."""
    artifact_hash: str = ""
    """Of what the compiler made; equal hashes mean that no change of the compiler counts."""
    versions: str = ""
    """A key into the store's table of versions (packages, commits, chip descriptors)."""
    list_name: str = ""
    nodeid: str = ""
    planned: bool = True
    """False: it ran without being planned, e.g. by plain pytest."""
    missing: bool = False
    """Planned, and no shard reported it."""
    failed_op: str = ""
    """The op that a test which went op by op is shown with; empty where it is its own failure."""
    kind: str = ""
    """The failure's type; empty where it is good."""
    message: str = ""
    """Of the failure, at most 2,000 characters; empty where it is good."""

    @property
    def good(self) -> bool:
        """Does it need nobody's attention?"""
        return self.outcome in GOOD


LOCAL = "local"
"""The session of a run that nobody planned: plain pytest's, or one whose plan is lost."""
AT_THE_DESK = ("run", LOCAL)
"""Sessions in which somebody tries things: what they come to is no evidence on nights."""


class OpSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One op of one test in one run."""

    run: str
    at: float
    """As in `Sample`."""
    test: str
    op_key: str
    name: str
    outcome: Outcome
    status: int = 0
    stage: Stage | None = None
    count: int = 1
    """How many times the model has it."""
    pcc: float | None = None
    fingerprint: str = ""
    """Of its failure; empty where it is good."""
    message: str = ""
    hit: bool = False
    """Its verdict came from the cache."""

    @property
    def good(self) -> bool:
        """Does it need nobody's attention?"""
        return self.outcome in GOOD
