# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is scheduled: units of work, what each needs, and the runners that offer it.

A unit is whatever is started by itself: a test. Only a part of it holds the device that it leases;
what comes before and after goes beside other tests' parts. Nothing here knows how a unit is run, so
the same plans serve one machine, a shared directory, a cluster and the jobs of a matrix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.planning.quantiles import quantile

UNKNOWN_S = 60.0
"""What a test is taken to last when no test of the run has an estimate."""
TYPICAL = 0.75
"""The quantile of what is known that an unknown test is taken to last: of times as skewed as
those of models it is close to their mean, and one monster among them does not move it."""
HEDGE = 0.95
"""The quantile that an unknown test is ordered by: started early, a long one delays nobody."""


class Group(NamedTuple):
    """Tests that load the same model the same way."""

    model: str
    variant: str
    framework: str
    mode: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What a unit occupies while it runs."""

    kind: str = ""
    """Of the device; empty for none."""
    memory: int = 0
    """Bytes of the host that it is expected to take."""
    chips: int = 1
    """Devices of the kind, at once."""
    least_memory: int = 0
    """Bytes that its host must have; what is expected is a guess, and forbids nothing."""
    exclusive: bool = False
    """Nothing else may run beside it in its host."""


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Something to be run, once, in one place."""

    key: str
    needs: Needs
    seconds: float
    """Expected."""
    long_s: float
    """What it may well last; whatever is started in order of length is ordered by this."""
    group: Group
    """Units of a group share loading: best one after the other in one place."""
    after: str = ""
    """The key of the unit that has to be done first; empty for none."""
    held: float = 1.0
    """Of its seconds, how large a part it holds its device: 0 to 1."""
    front_s: float = 0.0
    """Expected until it asks for its device, where its model is yet to be loaded; 0: unknown."""


@dataclass(frozen=True)
class Runner:
    """A place that runs units: a process pool on this machine, a host, a job of a matrix."""

    name: str
    kinds: Mapping[str, int] | None = None
    """How many units each kind of device takes at a time; None: any number of any kind."""
    slots: int = 1
    """Units at a time, of all kinds together."""
    memory: int | None = None
    """Bytes that its units may take together; None: unknown."""
    setup_s: float = 0.0
    """Seconds before its first unit starts."""
    labels: tuple[str, ...] = field(default=())
    """What a workflow asks for it by."""

    def takes(self, needs: Needs) -> bool:
        """Could a unit of such needs run here at all?"""
        fits = self.memory is None or needs.least_memory <= self.memory
        return fits and (
            not needs.kind or self.kinds is None or self.kinds.get(needs.kind, 0) >= needs.chips
        )


def group_of(identity: Identity) -> Group:
    """The group a test belongs to."""
    return Group(identity.model, identity.variant, identity.framework, identity.mode)


def fill_estimates(tests: Iterable[PlannedTest]) -> dict[str, float]:
    """Expected seconds by key; a test without an estimate lasts what most known ones do."""
    listed = list(tests)
    typical = _of_the_known(listed, TYPICAL)
    return {t.identity.key: typical if t.estimate_s is None else t.estimate_s for t in listed}


def units_of(tests: Iterable[PlannedTest], unknown_bytes: int = 0) -> list[WorkUnit]:
    """A unit for each test, in the order of the tests.

    A test of whose memory nothing is known is taken to need `unknown_bytes`.
    """
    listed = list(tests)
    typical, hedge = _of_the_known(listed, TYPICAL), _of_the_known(listed, HEDGE)
    return [_unit(t, typical, hedge, unknown_bytes) for t in listed]


def needs_of(test: PlannedTest, unknown_bytes: int = 0) -> Needs:
    """What a test occupies while it runs."""
    declared, peak = test.needs, test.estimate_bytes
    least = int(declared.memory_gib * 1024**3)
    return Needs(
        kind=test.identity.device,
        memory=max(least, unknown_bytes if peak is None else peak),
        chips=declared.chips,
        least_memory=least,
        exclusive=declared.exclusive,
    )


def _unit(test: PlannedTest, typical: float, hedge: float, unknown_bytes: int) -> WorkUnit:
    expected = test.estimate_s
    return WorkUnit(
        key=test.identity.key,
        needs=needs_of(test, unknown_bytes),
        seconds=typical if expected is None else expected,
        long_s=hedge if expected is None else expected,
        group=group_of(test.identity),
        held=_held(test),
        front_s=test.estimate_front_s or 0.0,
    )


def _held(test: PlannedTest) -> float:
    """The part of a test that goes on its device; all of one of which that is not known."""
    whole, part = test.estimate_s, test.estimate_device_s
    return min(max(part / whole, 0.0), 1.0) if whole and part is not None else 1.0


def _of_the_known(tests: Iterable[PlannedTest], q: float) -> float:
    known = [t.estimate_s for t in tests if t.estimate_s is not None]
    return quantile(known, q) if known else UNKNOWN_S
