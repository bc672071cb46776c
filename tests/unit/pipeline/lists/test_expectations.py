# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test makes of its promise, whatever its list and its entry say."""

import msgspec
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import (
    Check,
    Expect,
    Expectation,
    Metric,
    Outcome,
    PlannedTest,
    Stage,
    TestRecord,
)
from bringup.pipeline.lists.expectations import Kept, end_of, kept, same_failure
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, NIGHTLY_FULL
from tests.unit import run_builder as made

TEST = made.identity("t5")
ISSUE = "https://example.com/issues/7"
FFT = made.record(TEST, Outcome.FAILED)
"""Fails in compile, on stablehlo.fft."""
XFAIL = Expectation(
    expect=Expect.XFAIL,
    stage=Stage.COMPILE,
    fingerprint=end_of(FFT).fingerprint,
    reason="no fft yet",
)
RUNS, COMPILES = DeviceState.EXECUTES, DeviceState.COMPILES


def of(
    record: TestRecord,
    expectation: Expectation | None = None,
    state: DeviceState = RUNS,
    list_name: str = NIGHTLY_FULL.name,
) -> Kept:
    test = PlannedTest(TEST, record.nodeid, list_name, expectation=expectation)
    read = msgspec.json.decode(msgspec.json.encode(test), type=PlannedTest)
    assert read == test, "what is expected goes with the plan"
    return kept(read, record, state)


def ended(outcome: Outcome, message: str = "", stage: Stage | None = None) -> TestRecord:
    return made.record(TEST, outcome, message=message, stage=stage)


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (FFT, Kept.EXPECTED_FAILURE),
        (ended(Outcome.FAILED, "failed to legalize operation 'stablehlo.rng'", Stage.COMPILE),
         Kept.OTHERWISE),
        (ended(Outcome.FAILED, "failed to legalize operation 'stablehlo.fft'", Stage.STABLEHLO),
         Kept.OTHERWISE),
        (ended(Outcome.CRASHED, "killed by SIGSEGV", Stage.COMPILE), Kept.OTHERWISE),
        (ended(Outcome.INFRA, "the device is gone", Stage.COMPILE), Kept.BROKEN),
        (ended(Outcome.NOT_RUN), Kept.BROKEN),
        (made.record(TEST), Kept.UNEXPECTED_PASS),
    ],
)  # fmt: skip
def test_only_the_failure_that_is_named_is_expected(record: TestRecord, word: Kept) -> None:
    assert of(record, XFAIL) is word
    assert of(record, XFAIL).holds is (word is Kept.EXPECTED_FAILURE)


def test_a_device_that_only_compiles_is_not_held_to_a_failure_while_executing() -> None:
    hangs = ended(Outcome.FAILED, "buffer of 12 is too small", Stage.EXECUTE)
    mark = end_of(hangs).fingerprint
    expected = msgspec.structs.replace(XFAIL, stage=Stage.EXECUTE, fingerprint=mark)
    reached = made.record(TEST, Outcome.REACHED)
    assert of(reached, expected, COMPILES) is Kept.KEPT
    assert of(hangs, expected) is Kept.EXPECTED_FAILURE
    assert of(reached, XFAIL, COMPILES) is Kept.UNEXPECTED_PASS, "compile is where it had to fail"


def incorrect(*failing: str) -> TestRecord:
    checks = tuple(Check(name, Metric.of(0.4), 0.99, False, True, "") for name in failing)
    output = msgspec.structs.replace(made.output(), checks=checks)
    return made.record(TEST, Outcome.INCORRECT, outputs=(output,))


def test_a_check_that_is_disabled_does_not_count_and_no_other_is() -> None:
    off = Expectation(disabled="pcc, atol", issue=ISSUE)
    assert of(incorrect("pcc"), off) is Kept.EXPECTED_FAILURE
    assert of(incorrect("pcc", "atol"), off) is Kept.EXPECTED_FAILURE
    assert of(incorrect("pcc", "nonfinite"), off) is Kept.BROKEN
    assert of(incorrect("pcc")) is Kept.BROKEN
    assert of(incorrect(), off) is Kept.BROKEN, "nothing says which check it was"
    assert of(made.record(TEST), off) is Kept.KEPT
    assert of(FFT, off) is Kept.BROKEN


def test_what_is_skipped_is_skipped_and_nothing_else() -> None:
    skip = Expectation(expect=Expect.SKIP, reason="kills the card", issue=ISSUE)
    assert of(ended(Outcome.SKIPPED, "kills the card"), skip) is Kept.SKIPPED
    assert of(made.record(TEST), skip) is Kept.UNEXPECTED_PASS
    assert of(ended(Outcome.SKIPPED, "no licence")) is Kept.BROKEN, "its list promises a run"


def test_without_an_entrys_word_the_list_decides() -> None:
    assert of(made.record(TEST)) is Kept.KEPT
    assert of(made.record(TEST), list_name=NIGHTLY_E2E_COMPILE.name) is Kept.UNEXPECTED_PASS
    assert of(FFT) is Kept.BROKEN
    assert kept(PlannedTest(TEST, "x"), None, RUNS) is Kept.BROKEN


def test_another_versions_fingerprint_is_compared_by_stage_and_op() -> None:
    assert same_failure("0|compile|stablehlo.fft|said otherwise", XFAIL.fingerprint)
    assert not same_failure("0|execute|stablehlo.fft|said otherwise", XFAIL.fingerprint)
    assert not same_failure("0|compile||x", "")
