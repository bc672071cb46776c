# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Did each test do what its list promises? And what does that make of the run?"""

import enum
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.advice import Advice
from bringup.harness.records.aliases import renamed
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.fingerprint import fingerprint, is_current, parts
from bringup.harness.records.naming import run_again
from bringup.harness.records.outcomes import is_left_out
from bringup.harness.records.schema import (
    GOOD,
    NOT_EVIDENCE,
    UNSETTLED,
    Expect,
    Expectation,
    Outcome,
    Plan,
    PlannedTest,
    Stage,
    TestRecord,
)
from bringup.pipeline.lists.entries import checks
from bringup.pipeline.lists.specs import PROBE, list_specs


def promised(list_name: str, state: DeviceState) -> frozenset[Outcome]:
    """The outcomes that keep a list's promise on a device; of no list, as good as it can; any of a
    probe, which promises nothing."""
    if list_name == PROBE:
        return frozenset(Outcome)
    spec = list_specs().get(list_name)
    return spec.promise(state) if spec else GOOD


class Kept(enum.Enum):
    """What a test made of its promise."""

    KEPT = "as promised"
    EXPECTED_FAILURE = "expected failure"
    """It fails as its entry says, or by nothing but a check that its entry disables."""
    SKIPPED = "skipped"
    """Its entry says that it is not run."""
    UNEXPECTED_PASS = "unexpected pass"
    """Good, and its list or its entry promises something else."""
    LEFT_OUT = "left out"
    """Its run's budget had no time for it: nobody knows."""
    OTHERWISE = "failed otherwise"
    """It was expected to fail, and not so."""
    BROKEN = "broken"

    @property
    def holds(self) -> bool:
        """Did it do what was promised?"""
        return self in (Kept.KEPT, Kept.EXPECTED_FAILURE, Kept.SKIPPED, Kept.LEFT_OUT)


@dataclass(frozen=True)
class End:
    """What a test came to, as far as promises know."""

    outcome: Outcome
    fingerprint: str = ""
    failing: frozenset[str] | None = None
    """The asserted checks that do not hold; None: nobody kept which."""


_NOTHING = Expectation()


@dataclass(frozen=True)
class Promise:
    """What is promised of one test on one device."""

    outcomes: frozenset[Outcome]
    """Those that keep it by themselves."""
    expectation: Expectation = _NOTHING

    def judge(self, end: End) -> Kept:
        """What an end makes of it."""
        expected = self.expectation
        if end.outcome in self.outcomes:
            skipped = expected.expect is Expect.SKIP
            return Kept.SKIPPED if skipped else Kept.KEPT
        if end.outcome in GOOD:
            return Kept.UNEXPECTED_PASS
        if self.expects(end):
            return Kept.EXPECTED_FAILURE
        settled = end.outcome not in NOT_EVIDENCE
        fails = expected.expect is Expect.XFAIL and settled
        return Kept.OTHERWISE if fails else Kept.BROKEN

    def expects(self, end: End) -> bool:
        """Is it the failure that the entry names?"""
        expected = self.expectation
        if end.outcome in NOT_EVIDENCE:
            return False
        if (
            expected.expect is Expect.XFAIL and not expected.fingerprint
        ):  # a loader's: any, or there
            return expected.stage in (None, parts(end.fingerprint)[0])
        if expected.expect is Expect.XFAIL:
            return same_failure(expected.fingerprint, end.fingerprint)
        if not expected.disabled or end.outcome is not Outcome.INCORRECT:
            return False
        return end.failing is None or set() < end.failing <= set(checks(expected.disabled))


def same_failure(listed: str, found: str) -> bool:
    """Is a failure the one that is listed? What another version of the fingerprint wrote can be
    compared by its stage and op alone."""
    if is_current(listed) and is_current(found):
        return listed == found
    return bool(found) and parts(listed)[:2] == parts(found)[:2]


def promise_of(
    list_name: str, state: DeviceState, expectation: Expectation | None = None
) -> Promise:
    """What is promised of a test of a list on a device in some state.

    A failure on the device, or in what it computes, is not expected of a device that only
    compiles: there the list's own promise holds.
    """
    own = promised(list_name, state)
    if expectation is None or expectation.expect in (Expect.PASS, Expect.EXCLUDE):
        return Promise(own, expectation or _NOTHING)
    if expectation.expect is Expect.SKIP:
        return Promise(frozenset({Outcome.SKIPPED}), expectation)
    beyond = state is not DeviceState.EXECUTES and expectation.stage in _ON_THE_DEVICE
    return Promise(own if beyond else frozenset(), expectation)


_ON_THE_DEVICE = (Stage.EXECUTE, Stage.VERIFY)


def promises_of(plans: Iterable[Plan], aliases: Mapping[str, str]) -> dict[str, Promise]:
    """By key of today, what is promised of each listed test where its shard ran.

    Two shards' machines may have the same device in different states. Of a test whose plan does
    not say in which state its device was, nothing is known.
    """
    return {
        renamed(test.identity.key, aliases): promise_of(
            test.list_name, plan.devices[test.identity.device], test.expectation
        )
        for plan in plans
        for test in plan.tests
        if (test.list_name or test.expectation) and test.identity.device in plan.devices
    }


def end_of(record: TestRecord) -> End:
    """What a record came to."""
    failure = record.failure
    failing = (c.metric for o in record.outputs for c in o.checks if c.asserted and not c.ok)
    mark = fingerprint(failure.stage or "", "", failure.message) if failure else ""
    return End(record.outcome, mark, frozenset(failing))


def kept(test: PlannedTest, record: TestRecord | None, state: DeviceState) -> Kept:
    """What a test made of its promise; broken without a record."""
    if record is None:
        return Kept.BROKEN
    if is_left_out(record):
        return Kept.LEFT_OUT
    return promise_of(test.list_name, state, test.expectation).judge(end_of(record))


def broken(
    tests: Iterable[PlannedTest],
    records: Mapping[str, TestRecord],
    states: Mapping[str, DeviceState],
) -> list[tuple[PlannedTest, TestRecord | None]]:
    """The tests that did not keep their promise, with their records; `records` are by key."""
    found = []
    for test in tests:
        record = records.get(test.identity.key)
        if not kept(test, record, states.get(test.identity.device, DeviceState.EXECUTES)).holds:
            found.append((test, record))
    return found


def made_of_promises(
    plans: Iterable[Plan], records: Mapping[str, TestRecord]
) -> dict[str, tuple[PlannedTest, Kept]]:
    """By key, each planned test with what it made of its promise; `records` are by key too. Of a
    test whose plan does not say in which state its device was, nothing is known."""
    return {
        test.identity.key: (test, kept(test, records.get(test.identity.key), state))
        for plan in plans
        for test in plan.tests
        if (state := plan.devices.get(test.identity.device)) is not None
    }


def in_words(test: PlannedTest, end: Kept) -> str:
    """What was promised otherwise, for a test that is not simply good or bad; else nothing."""
    expected = test.expectation
    if end is Kept.UNEXPECTED_PASS:
        if expected is None or expected.expect is not Expect.XFAIL:
            return f"{test.list_name or 'its list'} promises something else"
        return f"expected to fail{_in_stage(expected)}: {expected.why}"
    if expected is None:
        return ""
    if end is Kept.OTHERWISE:
        text = parts(expected.fingerprint)[2] or expected.why
        return f"another failure than the expected one{_in_stage(expected)}: {text}"
    if end is Kept.EXPECTED_FAILURE and expected.disabled:
        return f"{expected.disabled} is disabled: {expected.why}"
    return expected.why


def _in_stage(expected: Expectation) -> str:
    return f" in {expected.stage}" if expected.stage else ""


def exit_code(unkept: Iterable[tuple[PlannedTest, TestRecord | None]]) -> ExitCode:
    """The code of a run that came to its end."""
    outcomes = {record.outcome if record else Outcome.NOT_RUN for _, record in unkept}
    if outcomes & UNSETTLED:
        return ExitCode.INFRASTRUCTURE
    return ExitCode.BROKEN if outcomes else ExitCode.KEPT


def reproduce(test: PlannedTest, advice: Advice | None = None) -> str:
    """The shell command that runs one test again, by itself."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in test.environment.items()]
    return " ".join([*variables, run_again(test.nodeid, test.identity, test.entry, advice)])
