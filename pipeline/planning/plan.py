# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From what should hold to what will run: a pure function of lists, devices and estimates."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from bringup.harness.records.naming import identity_of, listed_as, nodeid_on, same_test
from bringup.harness.records.schema import DeclaredNeeds, Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.lists import Lists
from bringup.pipeline.lists.specs import ListSpec

DEFAULT_TIMEOUT_S = 900.0
_LONGEST_S = 1e8
"""Three years: what timers take without overflow."""

Estimate = Callable[[Identity], float | None]
"""Expected seconds of a test; None when nothing is known."""
Identify = Callable[[str, str], Identity]
"""What an entry is on a device: what pytest says, or else the id alone."""


def deadline(estimate_s: float | None, timeout_s: float | None) -> float:
    """Seconds a test may run before it is ended.

    What `--timeout` says; without it 900 s, or three times the estimate for a test that is known
    to need long. An estimate never shortens it: it may be borrowed from other tests, and a
    false TIMEOUT costs more than the minutes of a hang.
    """
    return min(timeout_s or max(DEFAULT_TIMEOUT_S, 3 * (estimate_s or 0.0)), _LONGEST_S)


def from_lists(
    lists: Lists,
    specs: Sequence[ListSpec],
    devices: Collection[str],
    estimate: Estimate,
    identify: Identify = identity_of,
) -> list[PlannedTest]:
    """The tests that `specs` hold for `devices`; a test on two lists runs for the first.

    Raises:
        PipelineError: two entries are one test to the records.
    """
    return _distinct(
        planned(entry.test, entry.device, estimate, spec.name, spec.environment, identify)
        for spec in specs
        for entry in lists.of(spec)
        if entry.device in devices
    )


def from_entries(
    entries: Iterable[str],
    devices: Iterable[str],
    estimate: Estimate,
    identify: Identify = identity_of,
) -> list[PlannedTest]:
    """The tests that a person named, on every one of `devices`.

    Raises:
        PipelineError: two of them are one test to the records.
    """
    named = list(devices)
    return _distinct(
        planned(entry, device, estimate, identify=identify) for entry in entries for device in named
    )


def planned(
    entry: str,
    device: str,
    estimate: Estimate,
    list_name: str = "",
    environment: Mapping[str, str] | None = None,
    identify: Identify = identity_of,
) -> PlannedTest:
    """One entry on one device."""
    identity = identify(entry, device)
    return PlannedTest(
        identity=identity,
        nodeid=nodeid_on(entry, device),
        list_name=list_name,
        estimate_s=estimate(identity),
        environment=dict(environment or {}),
        entry=entry,
    )


def at_size(tests: Iterable[PlannedTest], size: str, estimate: Estimate) -> list[PlannedTest]:
    """The same tests as a run of another size calls them."""
    resized = []
    for test in tests:
        entry = listed_as(test)
        identity = msgspec.structs.replace(test.identity, size=size)
        nodeid, seconds = nodeid_on(entry, identity.device, size), estimate(identity)
        resized.append(
            msgspec.structs.replace(
                test, identity=identity, nodeid=nodeid, estimate_s=seconds, entry=entry
            )
        )
    return resized


def with_memory(
    tests: Iterable[PlannedTest], peak: Callable[[Identity], int | None]
) -> list[PlannedTest]:
    """The same tests, with the bytes that each is expected to need."""
    return [msgspec.structs.replace(t, estimate_bytes=peak(t.identity)) for t in tests]


def with_needs(
    tests: Iterable[PlannedTest], needs: Mapping[str, DeclaredNeeds]
) -> list[PlannedTest]:
    """The same tests, with what they say that they need; `needs` is by entry."""
    return [
        msgspec.structs.replace(t, needs=needs[listed_as(t)]) if listed_as(t) in needs else t
        for t in tests
    ]


def files_of(tests: Iterable[PlannedTest]) -> list[str]:
    """The test files that have to be collected, sorted."""
    return sorted({t.nodeid.partition("::")[0] for t in tests})


def _distinct(tests: Iterable[PlannedTest]) -> list[PlannedTest]:
    by_key: dict[str, PlannedTest] = {}
    for test in tests:
        first = by_key.setdefault(test.identity.key, test)
        if listed_as(first) != listed_as(test):
            raise PipelineError(same_test(listed_as(first), listed_as(test), test.identity.key))
    return list(by_key.values())
