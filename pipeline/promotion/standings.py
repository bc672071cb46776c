# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where tests stand by their lists, what history says of the same tests, and since when.

A test is known by `Identity.key` of its full flow, whichever of its flows a list or a run names.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from bringup.harness.records.naming import identity_of, identity_of_key, parts_of, places_of
from bringup.harness.records.schema import Expect, Identity
from bringup.harness.records.values import BASE_SIZE, Outcome, Stage, Status
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.lists import Entry, Lists
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    OP_BY_OP_FLOWS,
    SHIPPED,
    ListSpec,
)
from bringup.pipeline.promotion.ladder import Standing, standing_on
from bringup.pipeline.promotion.weighing import Place

Identify = Callable[[str, str], Identity]
FULL = "full"
SETTLED_NIGHTS = 10
"""A device with tests on nightly full that nights execute nothing is one without its driver; after
so many nights it is one that only compiles."""


@dataclass(frozen=True)
class Listed:
    """One test on one device, and its entries on the lists."""

    key: str
    test: str
    """The entry of its full flow."""
    device: str
    entries: tuple[Entry, ...]

    def on(self, spec: ListSpec) -> list[str]:
        """Its entries on a list."""
        return [e.test for e in self.entries if e.list is spec]

    def says(self, expect: Expect) -> bool:
        """Does one of its entries expect this?"""
        return any(
            e.expectation is not None and e.expectation.expect is expect for e in self.entries
        )

    @property
    def standing(self) -> Standing:
        """By its lists and what its entries say: what is expected to fail does not run yet."""
        if self.says(Expect.SKIP) or self.says(Expect.EXCLUDE):
            return Standing.SKIPPED
        if self.says(Expect.XFAIL):
            return Standing.OP_BY_OP
        standing = standing_on({e.list for e in self.entries})
        off = any(e.expectation is not None and e.expectation.disabled for e in self.entries)
        return Standing.INCORRECT if off and standing is Standing.FULL else standing


def with_flow(entry: str, flow: str) -> str | None:
    """The id of the same test in another flow; None when the id carries no flow to replace."""
    parts = parts_of(entry)
    words, place = parts.words, places_of(parts.words).flow
    if place is None or parts.params is None:
        return None
    words[place] = flow
    return f"{entry.removesuffix(f'[{parts.params}]')}[{'-'.join(words)}]"


def key_of(key: str) -> str:
    """The key of a test's full flow, by that of any of its flows; empty at another size."""
    identity = identity_of_key(key)
    if identity.size != BASE_SIZE:
        return ""
    return key if identity.flow == FULL else msgspec.structs.replace(identity, flow=FULL).key


def listed_tests(lists: Lists, identify: Identify = identity_of) -> dict[str, Listed]:
    """The tests on the shipped lists, by key."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in lists.entries:
        if entry.list in SHIPPED:
            identity = identify(entry.test, entry.device)
            entries[msgspec.structs.replace(identity, flow=FULL).key].append(entry)
    return {
        key: Listed(key, with_flow(own[0].test, FULL) or own[0].test, own[0].device, tuple(own))
        for key, own in sorted(entries.items())
    }


def tracked_in(listed: Mapping[str, Listed]) -> dict[str, str]:
    """By key, the issue that an entry of a test names."""
    return {
        key: entry.expectation.issue
        for key, one in listed.items()
        for entry in one.entries
        if entry.expectation is not None and entry.expectation.issue
    }


def places_of_tests(
    listed: Mapping[str, Listed],
    samples: Iterable[Sample],
    skipped: Collection[str] = (),
) -> dict[str, Place]:
    """Where listed tests stand, and by the lists that ran them, since when; `skipped` are keys of
    tests that somebody has said are not to be run."""
    ran: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.test in listed and not sample.missing:
            ran[sample.test].append(sample)
    found = {}
    for key, one in listed.items():
        standing = Standing.SKIPPED if key in skipped else one.standing
        since, fell = _times(standing, sorted(ran[key], key=lambda s: s.at))
        found[key] = Place(standing, since, fell)
    return found


def _times(standing: Standing, ran: Sequence[Sample]) -> tuple[float, float]:
    """Since when it stands there, and when it went down from nightly full, as far as is known."""
    named = [s for s in ran if s.list_name]
    since = fell = -math.inf
    for earlier, later in pairwise(named):
        if earlier.list_name != later.list_name:
            since = later.at
            if earlier.list_name == NIGHTLY_FULL.name and standing is not Standing.FULL:
                fell = earlier.at
    return since, fell


def full_flows(samples: Iterable[Sample]) -> list[Sample]:
    """Those of full flows at the published size."""
    return [s for s in samples if key_of(s.test) == s.test]


def walks(samples: Iterable[Sample]) -> dict[str, Sample]:
    """By the key of the full flow, the newest whole walk through a test's ops."""
    found: dict[str, Sample] = {}
    for sample in sorted(samples, key=lambda s: s.at):
        key = key_of(sample.test)
        if key and key != sample.test and not sample.excluded and _went_through(sample):
            found[key] = sample
    return found


def _went_through(sample: Sample) -> bool:
    """A failure or a crash of one op is a walk's finding; one of the walk itself has no op."""
    return sample.good or bool(sample.failed_op)


def ops_compile(samples: Iterable[Sample], newest: Mapping[str, Sample]) -> set[str]:
    """Tests of which every op compiles, and some op, or the whole model, does not execute.

    `newest` are the newest samples of full flows, by key.
    """
    found = set()
    for key, walk in walks(samples).items():
        full = newest.get(key)
        at_execute = full is not None and full.stage is Stage.EXECUTE
        executed = walk.status >= Status.EXECUTED and walk.outcome is not Outcome.REACHED
        if walk.status >= Status.CONVERTED_TO_TTNN and (not executed or at_execute):
            found.add(key)
    return found


def compile_only_of(samples: Sequence[Sample], places: Mapping[str, Place]) -> set[str]:
    """Devices on which nothing executes, and something compiles, as far as these samples say."""
    executes = {s.device for s in samples if s.status >= Status.EXECUTED}
    executes |= {s.device for s in samples if s.outcome in (Outcome.PASSED, Outcome.INCORRECT)}
    nights: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.outcome is Outcome.REACHED and sample.device not in executes:
            nights[sample.device].add(sample.run)
    full = {key.rpartition("@")[2] for key, p in places.items() if p.standing is Standing.FULL}
    return {d for d, runs in nights.items() if d not in full or len(runs) >= SETTLED_NIGHTS}


def compiling(samples: Iterable[Sample]) -> list[Sample]:
    """What nights of e2e compile say of tests on devices that execute."""
    return [s for s in samples if s.list_name == NIGHTLY_E2E_COMPILE.name]


def op_by_op_ids(one: Listed, walked: str = "") -> list[str]:
    """Its op-by-op ids: the listed ones, or the one that ran, or its framework's own."""
    if known := {e.test for e in one.entries if e.list.flows == OP_BY_OP_FLOWS}:
        return sorted(known)
    if walked:
        return [walked]
    onnx = identity_of(one.test, one.device).framework == "onnx"
    entry = with_flow(one.test, "op_by_op_stablehlo" if onnx else "op_by_op_torch")
    return [entry] if entry else []
