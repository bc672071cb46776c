# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What entries expect decides where a test stands, and goes when the evidence says otherwise."""

from dataclasses import replace
from pathlib import Path

import msgspec

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Check, Metric, Outcome, Stage
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.lists import Lists
from bringup.pipeline.promotion.decision import Decision, decide, situation_of
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import default_policy
from bringup.pipeline.promotion.probes import candidates
from bringup.pipeline.promotion.standings import listed_tests
from bringup.pipeline.results.list_change import checks_off
from tests.unit import run_builder as made
from tests.unit.pipeline.promotion.made_nights import (
    FULL,
    IN_FULL,
    OPS,
    T5,
    T5_OPS,
    WEEKLY,
    lists,
    nights,
    probed,
)

ISSUE = "https://example.com/issues/7"
OFF = Expectation(disabled="pcc", issue=ISSUE)
XFAIL = Expectation(
    expect=Expect.XFAIL, stage=Stage.COMPILE, fingerprint="1|compile||a", reason="known"
)
SKIP = Expectation(expect=Expect.SKIP, reason="kills the card", issue=ISSUE)
OWNED = Expectation(owner="@ada")
KEY = "t5[full-t5-large-eval]@cpu"


def saying(given: Lists, said: Expectation) -> Lists:
    """The lists, their first entry with something beside its test."""
    first, *rest = given.entries
    return replace(given, entries=(replace(first, expectation=said), *rest))


def decided(samples: list[Sample], given: Lists, off: Expectation | None = None) -> Decision:
    situation = situation_of(samples, given, default_policy())
    return decide(situation, None, {KEY: off} if off else {})


def edits(decision: Decision) -> list[tuple[str, str, Expectation | None]]:
    return [(m.move, m.list, m.expectation) for m in decision.moves]


WRONG = [*nights(9, "passed"), *nights(8, "incorrect", start=9)]


def test_what_is_incorrect_is_listed_with_its_check_off_or_not_at_all() -> None:
    without = decided(WRONG, lists(*IN_FULL))
    assert without.moves == () and [s.test for s in without.to_disable] == [KEY]
    found = decided(WRONG, lists(*IN_FULL), OFF)
    assert edits(found) == [("add", FULL, OFF)] and found.to_disable == ()
    again = decided(WRONG, saying(lists(*IN_FULL), OFF), OFF)
    assert again.moves == (), "made once, it is made"


def test_a_test_that_rises_to_incorrect_brings_its_check_and_issue_along() -> None:
    rises = [probed(n, outcome=Outcome.INCORRECT, passed=0, failed=10) for n in range(3)]
    assert edits(decided(rises, lists((OPS, T5_OPS)))) == []
    assert edits(decided(rises, lists((OPS, T5_OPS)), OFF)) == [
        ("add", FULL, OFF),
        ("add", WEEKLY, None),
        ("remove", OPS, None),
    ]


def test_a_check_comes_on_again_when_it_holds() -> None:
    holds = [probed(n) for n in range(3)]
    assert edits(decided(holds, saying(lists(*IN_FULL), OFF))) == [("add", FULL, Expectation())]


def test_an_unexpected_pass_is_evidence_and_the_expected_failure_is_none() -> None:
    given = saying(lists(*IN_FULL), XFAIL)
    assert decided(nights(20, "failed"), given).moves == ()
    rises = decided([*nights(5, "failed"), *(probed(n) for n in range(5, 9))], given)
    assert edits(rises) == [("add", FULL, Expectation())]


def test_what_is_skipped_stands_still() -> None:
    given = saying(lists(*IN_FULL), SKIP)
    situation = situation_of(nights(20, "failed"), given, default_policy())
    assert situation.places[KEY].standing is Standing.SKIPPED
    assert decide(situation).moves == ()
    states = {"cpu": DeviceState.EXECUTES}
    for said, probed_too in ((SKIP, False), (OWNED, True)):
        listed = listed_tests(saying(lists((OPS, T5_OPS)), said)).values()
        assert bool(candidates(listed, states, default_policy())) is probed_too


def test_the_checks_of_a_run_can_be_disabled_once_an_issue_is_known(tmp_path: Path) -> None:
    identity = made.identity("t5")
    failing = (
        Check("pcc", Metric.of(0.7), 0.99, False, True, ""),
        Check("atol", Metric.of(3.0), 0.1, False, False, ""),
    )
    output = msgspec.structs.replace(made.output(), checks=failing)
    wrong = made.record(identity, Outcome.INCORRECT, outputs=(output,))
    run_dir = made.write_run(tmp_path / "run", [wrong, made.record(made.identity("bert"))])
    assert checks_off(run_dir, {identity.key: ISSUE}) == {identity.key: OFF}
    assert checks_off(run_dir, {}) == {} == checks_off(None, {identity.key: ISSUE})


def test_a_move_says_what_its_entry_is_to_say() -> None:
    [move] = decided(WRONG, lists(*IN_FULL), OFF).moves
    assert isinstance(move, Move) and move.test == T5 and move.to == Standing.INCORRECT
