# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import msgspec
import pytest

from bringup.harness.records.night import Judgement
from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.confirmation import (
    Control,
    Suspect,
    confirmed,
    decide,
    plan,
    suspects_of,
)
from bringup.pipeline.history.judge.verdict import Tonight, judge
from tests.unit.pipeline.history.judge.made_series import TEST, nights

LETTERS = {".": Outcome.PASSED, "F": Outcome.FAILED, "i": Outcome.INFRA, "k": Outcome.KILLED}
LETTERS |= {"u": Outcome.UNVERIFIED, "T": Outcome.TIMEOUT, "n": Outcome.NOT_RUN}


def reruns(text: str) -> list[tuple[str, Outcome]]:
    """`c.` the control is good, `tF` the test fails, `xF` another test does."""
    return [(word[0], LETTERS[word[1]]) for word in text.split()]


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ("c. tF c. tF c.", Judgement.REGRESSION),
        ("c. tT c. tF c.", Judgement.REGRESSION),
        ("c. tF xF c. tF xF c.", Judgement.REGRESSION),
        ("c. t. c. tF c.", Judgement.FLAKE),
        ("c. tF c. t. c.", Judgement.FLAKE),
        ("c. tF cF tF c.", Judgement.DEVICE),
        ("cF t. c. tF c.", Judgement.DEVICE),
        ("c. ti c. tF c.", Judgement.DEVICE),
        ("c. tk c. tF c.", None),
        ("c. tF c. tF", None),
        ("c. tF c. tF ck", None),
        ("c. tF cn tn cn", None),
        ("c. tF ck tF c.", Judgement.REGRESSION),
        ("tF c. tF c.", None),
        ("c. tF c.", None),
        ("tF tF", None),
        ("c. tu c. tu c.", None),
        ("", None),
    ],
)
def test_interleaved_reruns_say_whose_it_is(text: str, judgement: Judgement | None) -> None:
    assert decide(reruns(text), "t", "c") is judgement


def test_failures_of_a_device_share_a_control_that_does_not_flip() -> None:
    suspects = [Suspect("a@d", "d", 10.0), Suspect("b@d", "d", 20.0), Suspect("a@e", "e", 5.0)]
    controls = [
        Control("x@d", "d", 1.0, flips=2),
        Control("y@d", "d", 3.0),
        Control("z@d", "d", 9.0),
    ]
    made = plan(suspects, [*controls, Control("x@e", "e", 1.0)], budget=600.0)
    first, second = made.confirmations
    assert first.order == ("y@d", "a@d", "b@d", "y@d", "a@d", "b@d", "y@d")
    assert (first.seconds, second.seconds, made.left_out) == (69.0, 13.0, {})


def test_the_budget_holds_and_what_does_not_fit_is_named() -> None:
    suspects = [Suspect(f"{name}@d", "d", s) for name, s in (("a", 10.0), ("b", 99.0), ("c", 4.0))]
    made = plan(suspects, [Control("x@d", "d", 1.0)], budget=32.0)
    (one,) = made.confirmations
    assert one.tests == ("a@d", "c@d") and one.seconds == 31.0
    assert made.left_out == {"b@d": "198 s more do not fit into 32 s"}
    alone = plan(suspects[:1], [Control("a@d", "d", 1.0)], budget=99.0)
    assert alone.confirmations == () and "nothing else was good on d" in alone.left_out["a@d"]


def test_a_nights_open_failures_are_planned_run_and_settled() -> None:
    settled, flaky = "t5[full-eval]@n150", "vit[full-eval]@n150"
    samples = [*nights("." * 9 + "F"), *nights("." * 9 + "F", flaky), *nights("F" * 10, settled)]
    columns = columns_of(samples)
    seconds = {TEST: 10.0, flaky: 3.0, settled: 1.0}
    suspects = suspects_of(judge(columns, Tonight(run="n9")), seconds)
    assert [s.test for s in suspects] == [TEST, flaky], "what is known is not run again"
    made = plan(suspects, [Control("c@n150", "n150", 1.0)], budget=60.0)
    (one,) = made.confirmations
    bad = {TEST: Outcome.FAILED, flaky: Outcome.PASSED, "c@n150": Outcome.PASSED}
    words = confirmed(made, {"n150": [(key, bad[key]) for key in one.order]})
    assert words == {TEST: Judgement.REGRESSION, flaky: Judgement.FLAKE}
    verdict = judge(columns, Tonight(run="n9", confirmed=words))
    assert verdict.head == f"1 new, 1 known, 1 flaky; first: {TEST}, regression"
    assert suspects_of(verdict, seconds) == [] and confirmed(made, {}) == {}


@pytest.mark.parametrize(("program", "again"), [("other", [TEST]), ("", [])])
def test_who_failed_by_turns_is_run_again_if_something_is_another_now(
    program: str, again: list[str]
) -> None:
    """A bug that comes back with a commit is no flake, though the nights look like one."""
    past = nights("....F.F.F..F")
    changed = [*past[:-1], msgspec.structs.replace(past[-1], ir_hash=program)]
    columns = columns_of([msgspec.structs.replace(s, ir_hash=s.ir_hash or "one") for s in changed])
    verdict = judge(columns, Tonight(run="n11"))
    assert [t.judgement for t in verdict.tests] == [Judgement.FLAKE]
    assert [s.test for s in suspects_of(verdict, {TEST: 1.0})] == again
    words = {TEST: Judgement.REGRESSION}
    (one,) = judge(columns, Tonight(run="n11", confirmed=words)).tests
    assert (one.judgement, one.settled) == (Judgement.REGRESSION, True)
