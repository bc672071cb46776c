# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A made year: which test truly does what on which night. The same seed gives the same year.

Of the tests most are good; some always fail, some fail at random at a rate of their own, some
regress on a night and are fixed on a later one, some become slower or less exact. The machine has
nights on which nearly all of a device's tests fail, and single tests that end INFRA. The commit
changes every night and the compiler every week, so a regression lies between two commits.
"""

import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bringup.harness.records.schema import Identity

START = 1_764_000_000.0
"""Of the first night, in seconds since the epoch."""
DAY = 86_400.0
DEVICES = ("cpu", "n150", "n300", "p150")
GOOD, BAD, INFRA = "P", "F", "N"
"""The letters of `TestTruth.nights`."""

CAUSES: tuple[tuple[str, str], ...] = (
    ("compile", "failed to legalize operation 'stablehlo.fft' with shape {}x{}"),
    ("compile", "error: 'ttir.conv2d' op requires padding of {} but got {}"),
    ("compile", "Not enough space to allocate {} B L1 buffer across {} banks"),
    ("compile", "'ttnn.reshape' op failed to verify: volume {} != {}"),
    ("compile", "Out of Memory: Not enough space to allocate {} B DRAM buffer; largest is {} B"),
    ("compile", 'loc("custom-call.{}"): unsupported custom call target @Sharding_{}'),
    ("compile", "error: type of return operand {} does not match function result type {}"),
    ("compile", "Could not apply propagated tensor shapes to tensor {} of {}"),
    ("execute", "TT_FATAL @ /proj_{}/dispatch.cpp:{}: kernel binary too large"),
    ("execute", "TT_THROW @ device_{}.cpp:{}: Timeout waiting for physical cores to finish"),
    ("execute", "Expected a grid of {} cores and found {} usable ones"),
    ("execute", "bad optional access in op {} at 0x7f{:08x}"),
    ("execute", "TT_FATAL: Statically allocated circular buffers grow to {} B beyond max of {} B"),
    ("verify", "PCC comparison failed. Calculated: pcc=0.{}. Required: pcc=0.99 ({})"),
    ("verify", "Atol comparison failed. Calculated: atol={}.{}. Required: atol=0.16"),
    ("export", "Data-dependent expression Eq(u{}, {}) cannot be guarded on"),
    ("torch_backend_ir", "failed to legalize operation 'torch.aten.unfold' index {} of {}"),
    ("stablehlo", "'stablehlo.gather' op slice size {} exceeds operand dimension {}"),
    ("load", "KeyError: 'encoder.block.{}.layer.{}.weight'"),
    ("golden", "RuntimeError: mat1 and mat2 shapes cannot be multiplied ({}x{})"),
)
"""Stage and message of each cause; what differs from night to night stands in braces."""


class Kind(enum.StrEnum):
    """What a test is like."""

    GOOD = "good"
    ALWAYS_BAD = "always bad"
    FLAKY = "flaky"
    REGRESSED = "regressed"
    SLOWER = "slower"
    LESS_EXACT = "less exact"


@dataclass(frozen=True)
class TestTruth:
    """One test on one device."""

    __test__ = False
    identity: Identity
    kind: Kind
    cause: int
    """Index into `CAUSES` of its failures, but for those of the machine."""
    rate: float
    """At which it fails at random."""
    onset: int
    """The first night of the regression, or on which it is slower or less exact; -1: never."""
    fixed: int
    """The first night on which that is over; the number of nights: not within the year."""
    nights: str
    """A letter for each night."""
    seconds: float
    memory: int


@dataclass(frozen=True)
class Year:
    """The whole year's truth."""

    tests: int = 2000
    ops: int = 50_000
    """Op results a night."""
    nights: int = 365
    seed: int = 11
    outages: int = 6
    """Nights on which a device fails most of its tests."""
    infra_rate: float = 0.004
    shares: dict[Kind, float] = field(
        default_factory=lambda: {
            Kind.ALWAYS_BAD: 0.12,
            Kind.FLAKY: 0.06,
            Kind.REGRESSED: 0.06,
            Kind.SLOWER: 0.02,
            Kind.LESS_EXACT: 0.02,
        }
    )

    @cached_property
    def outage_nights(self) -> dict[int, str]:
        """The device that is out, by night."""
        drawn = random.Random(f"outages {self.seed}")
        nights = drawn.sample(range(5, max(self.nights, 6)), min(self.outages, self.nights // 6))
        return {night: drawn.choice(DEVICES) for night in nights}

    @cached_property
    def truths(self) -> Sequence[TestTruth]:
        """Every test, by its key."""
        drawn = random.Random(self.seed)
        made = [self._test(i, drawn) for i in range(self.tests)]
        return sorted(made, key=lambda t: t.identity.key)

    def _test(self, i: int, drawn: random.Random) -> TestTruth:
        flow = "op_by_op_torch" if i % 2 else "full"
        identity = Identity(f"model{i // 8:03}", flow=flow, device=DEVICES[i // 2 % 4])
        kinds = list(self.shares)
        left = 1 - sum(self.shares.values())
        kind = drawn.choices([Kind.GOOD, *kinds], [left, *self.shares.values()])[0]
        rate = {Kind.FLAKY: drawn.choice((0.05, 0.1, 0.2))}.get(kind, 0.0005)
        onset, fixed = -1, self.nights
        if kind in (Kind.REGRESSED, Kind.SLOWER, Kind.LESS_EXACT):
            onset = drawn.randrange(min(20, self.nights // 2), max(self.nights - 3, 2))
            if drawn.random() < 0.7:
                fixed = min(self.nights, onset + drawn.randrange(3, 60))
        bad = {Kind.ALWAYS_BAD: range(self.nights), Kind.REGRESSED: range(onset, fixed)}
        nights = []
        for night in range(self.nights):
            out = self.outage_nights.get(night) == identity.device and drawn.random() < 0.93
            if drawn.random() < self.infra_rate:
                nights.append(INFRA)
            else:
                fails = out or night in bad.get(kind, ()) or drawn.random() < rate
                nights.append(BAD if fails else GOOD)
        return TestTruth(
            identity=identity,
            kind=kind,
            cause=drawn.randrange(len(CAUSES)),
            rate=rate,
            onset=onset,
            fixed=fixed,
            nights="".join(nights),
            seconds=drawn.lognormvariate(3, 1),
            memory=int(drawn.lognormvariate(21, 0.7)),
        )
