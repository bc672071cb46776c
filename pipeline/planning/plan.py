# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From what should hold to what will run: a pure function of lists, devices and estimates."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from bringup.harness.records.naming import identity_of, listed_as, nodeid_on, same_test
from bringup.harness.records.schema import (
    DeclaredNeeds,
    Expect,
    Expectation,
    Identity,
    PlannedTest,
)
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.lists import Entry, Lists
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
    """The tests that `specs` hold for `devices`; a test on two lists runs for the first, and one
    that any of them excludes not at all.

    Raises:
        PipelineError: two entries are one test to the records.
    """
    entries = [e for spec in specs for e in lists.of(spec) if e.device in devices]
    gone = {identify(e.test, e.device) for e in entries if is_excluded(e)}
    found = _distinct(
        planned(e.test, e.device, estimate, e.list.name, e.list.environment, identify)
        for e in entries
    )
    said = {(e.list.name, e.device, e.test): e.expectation for e in entries}
    return [
        _expecting(test, said[test.list_name, test.identity.device, listed_as(test)])
        for test in found
        if test.identity not in gone
    ]


def is_excluded(entry: Entry) -> bool:
    """Does it say that the test is not to be planned?"""
    return entry.expectation is not None and entry.expectation.expect is Expect.EXCLUDE


def expecting(
    tests: Iterable[PlannedTest], lists: Lists, identify: Identify = identity_of
) -> tuple[list[PlannedTest], list[Entry]]:
    """Tests that somebody named, with what lists expect of them; and the entries that exclude some
    of them, which are left out.

    A list that sets variables says what comes of its test with those, and not of one by itself.
    """
    known: dict[Identity, Entry] = {}
    for entry in lists.entries:
        if entry.expectation is not None and not entry.list.environment:
            known.setdefault(identify(entry.test, entry.device), entry)
    kept, gone = [], []
    for test in tests:
        listed = known.get(test.identity)
        if listed is not None and is_excluded(listed):
            gone.append(listed)
        else:
            kept.append(_expecting(test, listed.expectation if listed else None))
    return kept, gone


def _expecting(test: PlannedTest, expectation: Expectation | None) -> PlannedTest:
    return msgspec.structs.replace(test, expectation=expectation) if expectation else test


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


def with_phases(
    tests: Iterable[PlannedTest], on_device: Estimate, front: Estimate
) -> list[PlannedTest]:
    """The same tests, with the seconds that each is expected to hold its device, and those until
    it asks for it."""
    return [
        msgspec.structs.replace(
            t, estimate_device_s=on_device(t.identity), estimate_front_s=front(t.identity)
        )
        for t in tests
    ]


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
