# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from typing import Any

import msgspec
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.night import DriftKind, Judgement, TestVerdict
from bringup.harness.records.values import Outcome, Stage
from bringup.pipeline.history.judge.changes import changes
from bringup.pipeline.history.judge.columns import columns_of, ordered
from bringup.pipeline.history.judge.verdict import Tonight, judge
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.expectations import Promise, promise_of
from tests.unit.pipeline.history.judge.made_series import TEST, nights

XFAIL = Expectation(
    expect=Expect.XFAIL, stage=Stage.COMPILE, fingerprint="1|compile||no lowering", reason="known"
)


def judged(samples: list[Sample], **fields: Any) -> dict[str, TestVerdict]:
    newest = max(samples, key=lambda s: s.at).run
    verdict = judge(columns_of(samples), Tonight(**{"run": newest, **fields}))
    return {one.test: one for one in verdict.tests}


def word(letters: str, **fields: Any) -> tuple[Judgement, bool]:
    one = judged(nights(letters), **fields)
    return (one[TEST].judgement, one[TEST].settled) if one else (Judgement.GOOD, False)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("." * 20, (Judgement.GOOD, False)),
        ("." * 20 + "F", (Judgement.SUSPECTED, False)),
        ("." * 20 + "C", (Judgement.REGRESSION, True)),
        ("." * 20 + "FF", (Judgement.KNOWN, True)),
        ("." * 3 + "F", (Judgement.SUSPECTED, False)),
        ("F", (Judgement.NEW, False)),
        ("FFFF", (Judgement.KNOWN, False)),
        ("F" * 20 + ".", (Judgement.FIXED, False)),
        ("F" * 20 + "...", (Judgement.GOOD, False)),
        ("." * 20 + "F" * 8 + ".", (Judgement.FIXED, False)),
        ("." * 20 + "F.", (Judgement.FLAKE, False)),
        ("." * 9 + "FF.", (Judgement.FIXED, False)),
        ("." * 9 + "F....F", (Judgement.FLAKE, False)),
        ("." * 9 + "F.F.F", (Judgement.FLAKE, False)),
        ("." * 20 + "m", (Judgement.FLAKE, True)),
        ("." * 20 + "i", (Judgement.DEVICE, False)),
        ("." * 20 + "M", (Judgement.DEVICE, False)),
        ("." * 20 + "u", (Judgement.NO_EVIDENCE, False)),
        ("." * 20 + "c", (Judgement.GOOD, False)),
        ("." * 20 + "n", (Judgement.MISSING, False)),
        ("." * 20 + "iF", (Judgement.SUSPECTED, False)),
        ("F" * 9 + "iF", (Judgement.KNOWN, False)),
    ],
)
def test_each_night_has_one_word(letters: str, expected: tuple[Judgement, bool]) -> None:
    assert word(letters) == expected


def test_a_confirmation_gives_the_word_that_one_night_cannot() -> None:
    for confirmed in (Judgement.REGRESSION, Judgement.FLAKE, Judgement.DEVICE):
        assert word("." * 9 + "F", confirmed={TEST: confirmed}) == (confirmed, True)


def test_the_same_program_that_was_good_and_is_bad_is_a_flake() -> None:
    samples = nights("." * 20 + "F", artifact_hash="a", versions="v")
    assert judged(samples)[TEST].judgement is Judgement.FLAKE
    samples[-1] = msgspec.structs.replace(samples[-1], versions="w")
    assert judged(samples)[TEST].judgement is Judgement.SUSPECTED


def test_first_bad_last_good_streak_and_flips_are_told_with_what_did_not_count() -> None:
    one = judged(nights("...F..." + "i" + "." * 9 + "iFFF"))[TEST]
    assert one.first_bad is not None and one.first_bad.run == "n18"
    assert one.last_good is not None and one.last_good.run == "n16"
    assert (one.streak, one.flips, one.counted) == (3, 3, 19)
    assert one.uncounted == {"machine": 2} and one.recent == "...F...x.........xFFF"
    assert (
        one.command
        == "nox -s run -- 'tests/models/m/test_m.py::test_bert[full-eval]' --device n150"
    )


def test_what_changed_is_between_the_last_good_night_and_the_first_bad_one() -> None:
    table = {
        "old": {"packages": {"torch": "2.12", "iree": "1"}, "commits": {"bringup": "aa"}},
        "new": {
            "packages": {"torch": "2.13"},
            "commits": {"bringup": "aa"},
            "chips": {"n150": "x"},
        },
    }
    samples = nights("." * 9, versions="old", ir_hash="1")
    samples += [
        msgspec.structs.replace(s, versions="new", ir_hash="2") for s in nights(" " * 9 + "FF")
    ]
    found = judged(samples, versions=table)[TEST].changes
    assert [(c.kind, c.name, c.before, c.after) for c in found] == [
        ("model", "what the compiler was given", "1", "2"),
        ("chips", "n150", "", "x"),
        ("packages", "iree", "1", ""),
        ("packages", "torch", "2.12", "2.13"),
    ]
    assert changes(table["old"], table["old"]) == ()


def test_planned_tests_that_nobody_reported_are_missing() -> None:
    other = "t5[full-eval]@cpu"
    found = judged(nights("." * 9), planned={TEST: "", other: "nightly"}, gating=("nightly",))
    assert found[other].judgement is Judgement.MISSING and found[other].gating
    assert found[other].device == "cpu" and TEST not in found


def test_a_test_of_the_baseline_that_is_gone_is_missing_where_nothing_was_planned() -> None:
    samples = [*nights("." * 9), *nights("." * 8 + " ", "t5[full-eval]@cpu")]
    assert judged(samples)["t5[full-eval]@cpu"].judgement is Judgement.MISSING
    assert judged(samples, planned={TEST: ""}) == {}


def test_a_good_end_that_its_list_does_not_promise_is_unexpected() -> None:
    stops, runs = Promise(frozenset({Outcome.REACHED})), Promise(frozenset({Outcome.PASSED}))
    assert word("." * 9, promises={TEST: stops}) == (Judgement.UNEXPECTED_PASS, False)
    assert word("." * 9, promises={TEST: runs}) == (Judgement.GOOD, False)


def test_the_failure_that_an_entry_expects_is_known_and_another_is_news() -> None:
    def tonight(mark: str, letters: str = "....FF") -> Judgement:
        samples = nights(letters)
        samples[-1] = msgspec.structs.replace(samples[-1], fingerprint=mark)
        promises = {TEST: promise_of("", DeviceState.EXECUTES, XFAIL)}
        return judged(samples, promises=promises)[TEST].judgement

    assert tonight(XFAIL.fingerprint) is Judgement.KNOWN
    assert tonight(XFAIL.fingerprint, "F") is Judgement.KNOWN, "the first night there is"
    assert tonight("1|compile||other") is Judgement.NEW
    assert tonight("1|compile||no room", "....F.") is Judgement.UNEXPECTED_PASS
    assert tonight("1|compile||other", ".....i") is Judgement.DEVICE


def test_a_bad_test_that_is_good_on_another_device_says_so() -> None:
    samples = [*nights("....F"), *nights(".....", "bert[full-eval]@cpu")]
    samples += nights("....F", "bert[full-eval]@p150")
    assert judged(samples)[TEST].works_elsewhere == ("cpu",)


@pytest.mark.parametrize(
    ("column", "usual", "within", "beyond", "kind"),
    [
        ("pcc", 0.999, 0.9988, 0.995, DriftKind.PCC),
        ("seconds", 10.0, 11.0, 20.0, DriftKind.SECONDS),
        ("memory", 1 << 30, (1 << 30) + (20 << 20), 2 << 30, DriftKind.MEMORY),
    ],
)
def test_numbers_are_held_to_the_tests_own_noise(
    column: str, usual: float, within: float, beyond: float, kind: DriftKind
) -> None:
    samples = nights("." * 10, **{column: usual})

    def tonight(value: float) -> list[Sample]:
        return [*samples[:-1], msgspec.structs.replace(samples[-1], **{column: value})]

    assert judged(tonight(within)) == {}
    (drift,) = judged(tonight(beyond))[TEST].drifts
    assert (drift.kind, drift.before, drift.now) == (kind, usual, beyond)
    noisy = [
        msgspec.structs.replace(s, **{column: usual + (i % 5 - 2) * (beyond - usual) / 4})
        for i, s in enumerate(samples[:-1])
    ]
    assert judged([*noisy, tonight(beyond)[-1]]) == {}
    assert judged([*samples[:3], tonight(beyond)[-1]]) == {}, "three nights are no noise"


def test_ops_that_newly_fail_and_a_cause_that_is_another_are_told_of_a_known_failure() -> None:
    samples = nights("FFFF", fingerprint="a")
    samples[-1] = msgspec.structs.replace(samples[-1], fingerprint="b", status=2)
    ops = {"failing_ops": {TEST: {"k1": "add", "k2": "mul"}}}
    found = judged(samples, failing_ops_before={TEST: {"k1": "add"}}, **ops)[TEST]
    assert [d.kind for d in found.drifts] == [DriftKind.OPS, DriftKind.STATUS, DriftKind.CAUSE]
    assert found.drifts[0].names == ("mul",) and found.drifts[2].names == ("a",)
    assert [d.kind for d in judged(samples, **ops)[TEST].drifts] == [
        DriftKind.STATUS,
        DriftKind.CAUSE,
    ], "nobody looked at its ops before"


def test_the_baseline_is_the_last_night_of_the_session_with_enough_evidence() -> None:
    tests = [f"m{i}[full-eval]@n150" for i in range(6)]
    samples = [s for t in tests for s in nights("...iF", t)] + nights("...i.", "a[full-eval]@cpu")
    tonight = Tonight(run="n4", session="nightly", sessions={"n2": "weekly"})
    verdict = judge(columns_of(samples), tonight)
    assert verdict.baseline is not None and verdict.baseline.run == "n1"
    assert verdict.head.startswith("6 new, 0 known; first: m0[full-eval]@n150, suspected")
    assert verdict.counts == {Judgement.SUSPECTED: 6, Judgement.GOOD: 1}
    assert [m.run for m in verdict.nights] == ["n0", "n1", "n3", "n4"]
    assert judge(columns_of(nights("F")), Tonight(run="n0")).baseline is None


def test_a_run_by_name_is_compared_with_and_nothing_stands_in_for_it() -> None:
    samples = [*nights("F..F"), *nights(" ..F", "t5[full-eval]@cpu")]
    found = judged(samples, baseline="n0")
    assert (
        found[TEST].judgement is Judgement.KNOWN
        and found["t5[full-eval]@cpu"].judgement is Judgement.NEW
    )
    assert judged(samples)[TEST].judgement is Judgement.SUSPECTED


def test_later_nights_do_not_change_the_verdict_of_an_earlier_one() -> None:
    samples = nights("." * 20 + "FFF..F")
    early = judge(columns_of(samples), Tonight(run="n20"))
    assert early == judge(columns_of(samples[:21]), Tonight(run="n20"))


def test_the_order_of_samples_says_nothing() -> None:
    samples = [*nights("..F"), *nights("F..", "t5[full-eval]@cpu")]
    whole = columns_of(samples)
    shuffled = ordered(whole.take([4, 0, 2, 5, 1, 3]))
    assert judge(shuffled, Tonight(run="n2")) == judge(whole, Tonight(run="n2"))
    assert [whole.sample(i) for i in range(len(whole))] == samples


def test_a_gate_stops_for_what_is_new_and_for_nothing_else() -> None:
    def regressed(letters: str, gating: tuple[str, ...] = ("gate",)) -> bool:
        columns = columns_of(nights(letters, list_name="gate"))
        return judge(columns, Tonight(run=f"n{len(letters) - 1}", gating=gating)).regressed

    assert regressed("." * 20 + "F") and regressed("." * 20 + "C")
    assert not regressed("." * 20 + "F", ())
    assert not any(map(regressed, ("FFF", "...i", "." * 20 + "m", "F" * 9 + ".")))


def test_no_samples_are_a_night_without_tests() -> None:
    verdict = judge(columns_of([]), Tonight(run="n0", planned={TEST: ""}))
    assert verdict.counts == {Judgement.MISSING: 1}
    assert verdict.head == "0 new, 0 known, 1 missing"


def test_a_night_may_be_held_against_a_later_one() -> None:
    samples = nights("..FF")
    columns = columns_of(samples)
    (one,) = judge(columns, Tonight(run="n1", baseline="n3")).tests
    assert (one.judgement, one.baseline, one.outcome) == (
        Judgement.FIXED,
        Outcome.FAILED,
        Outcome.PASSED,
    )
    assert one.recent == ".." and one.streak == 2  # what came later is no part of its past
    found = judge(columns, Tonight(run="n1", baseline="n3"))
    assert found.baseline is not None and found.baseline.at > found.at
    (bad,) = judge(columns_of(nights("FF..")), Tonight(run="n1", baseline="n2")).tests
    assert bad.judgement in (Judgement.SUSPECTED, Judgement.REGRESSION)
