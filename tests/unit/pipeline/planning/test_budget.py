# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--budget`: what fits into the time, in which order, and that nothing gets lost on the way."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bringup.harness.errors import HarnessError
from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import Expect, Expectation, Outcome, PlannedTest, Turn
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.option_values import parse_budget, span_text
from bringup.pipeline.planning.budget import (
    Allowance,
    fitting,
    seconds_for_tests,
    why_left_out,
    with_turns,
)
from bringup.pipeline.planning.budget_texts import after_the_run, before_the_run
from bringup.pipeline.planning.informative import Known, Past, Reason, pasts, ranked
from bringup.pipeline.planning.work import group_of


def a_test(
    model: str, device: str = "cpu", seconds: float | None = 10.0, flow: str = "full", **more: str
) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[{flow}-eval]"
    return PlannedTest(
        identity=identity_of(entry, device),
        nodeid=nodeid_on(entry, device),
        estimate_s=seconds,
        entry=entry,
        **more,
    )


TESTS = st.lists(
    st.builds(
        a_test,
        st.sampled_from("abcdefghij"),
        st.sampled_from(["cpu", "n150"]),
        st.none() | st.floats(0, 300),
        st.sampled_from(["full", "op_by_op_torch"]),
    ),
    max_size=25,
    unique_by=lambda test: test.identity.key,
)
ALLOWANCES = st.builds(
    Allowance, st.floats(1, 900), st.integers(1, 4), st.sampled_from([{}, {"n150": 1}])
)
GOOD, BAD = (Past(1.0, good, 3, 0) for good in (True, False))


def keys(tests: Sequence[PlannedTest]) -> list[str]:
    return [test.identity.key for test in tests]


def known_of(tests: Sequence[PlannedTest], data: st.DataObject) -> Known:
    some = st.lists(st.sampled_from(keys(tests)), unique=True) if tests else st.just([])
    past = data.draw(some)
    return Known(
        {key: data.draw(st.sampled_from([GOOD, BAD, Past(2.0, True, 1, 2)])) for key in past},
        frozenset(data.draw(some)),
        dict.fromkeys(data.draw(some), "1 more good attempt to full"),
        {group_of(t.identity): data.draw(st.frozensets(st.sampled_from("123456"))) for t in tests},
    )


# --- which tell most -------------------------------------------------------------------------


@settings(deadline=None)
@given(TESTS, st.data())
def test_every_test_has_one_place_whatever_order_they_come_in(
    tests: list[PlannedTest], data: st.DataObject
) -> None:
    known = known_of(tests, data)
    found = ranked(tests, known)
    assert sorted(keys([one.test for one in found])) == sorted(keys(tests))
    assert ranked(random.Random(7).sample(tests, len(tests)), known) == found
    order = list(Reason)
    places = [order.index(one.reason) for one in found]
    assert places == sorted(places), "a reason that comes later goes before none"
    assert all(one.says for one in found)


def test_the_reasons_in_their_order() -> None:
    tests = [a_test(name) for name in ("steady", "ops", "broke", "near", "changed", "new")]
    steady, ops, broke, near, changed, _ = keys(tests)
    known = Known(
        {key: GOOD for key in (steady, ops, near, changed)} | {broke: Past(1.0, True, 2, 1)},
        {changed},
        {near: "1 more good attempt to full"},
        {group_of(tests[1].identity): {"fft", "sort"}},
    )
    found = ranked(tests, known)
    assert [one.test.identity.model for one in found] == [
        *("new", "changed", "near", "broke", "ops", "steady")
    ]
    assert [one.reason for one in found] == list(Reason)
    assert found[4].says == "its model has 2 ops that no test before it has"
    assert found[3].says == "it broke once in the runs that are remembered"
    assert found[5].says == "good in its last 3 runs"


def test_ops_that_a_test_before_it_has_make_it_no_more_than_steady() -> None:
    one, two, more = a_test("one", seconds=1.0), a_test("two"), a_test("more", seconds=100.0)
    known = Known(
        dict.fromkeys(keys([one, two, more]), GOOD),
        ops={
            group_of(one.identity): {"add"},
            group_of(two.identity): {"add"},
            group_of(more.identity): {"add", "fft"},
        },
    )
    found = ranked([one, two, more], known)
    assert [(r.test.identity.model, r.reason) for r in found] == [
        ("one", Reason.OPS),
        ("more", Reason.OPS),
        ("two", Reason.STEADY),
    ]
    assert found[1].says == "its model has 1 op that no test before it has"


def test_a_test_too_long_for_the_budget_covers_nothing() -> None:
    long, short = a_test("long", seconds=1000.0), a_test("short")
    known = Known(
        dict.fromkeys(keys([long, short]), GOOD),
        ops={group_of(long.identity): {"fft", "add"}, group_of(short.identity): {"fft"}},
    )
    assert [r.test.identity.model for r in ranked([long, short], known, 900.0)] == ["short", "long"]


def test_without_a_history_models_flows_and_devices_take_turns() -> None:
    tests = [a_test(m, d, 10.0, f) for m in "abc" for d in ("cpu", "n150") for f in ("full", "op")]
    found = [one.test.identity for one in ranked(tests)]
    assert {one.model for one in found[:3]} == set("abc"), "every model before any has two"
    assert len({(one.flow, one.device) for one in found[:4]}) > 1


def test_steady_tests_come_in_the_order_in_which_they_were_not_run() -> None:
    tests = [a_test(name) for name in "abc"]
    past = {
        key: Past(last, True, 1, 0) for key, last in zip(keys(tests), (3.0, 1.0, 2.0), strict=True)
    }
    assert [one.test.identity.model for one in ranked(tests, Known(past))] == ["b", "c", "a"]


def test_what_a_test_came_to_counts_evidence_alone() -> None:
    def sample(at: float, outcome: Outcome, excluded: Excluded = Excluded.NONE) -> Sample:
        return Sample(run=f"r{at}", at=at, test="t@cpu", device="cpu", outcome=outcome,
                      excluded=excluded)  # fmt: skip

    good, bad = Outcome.PASSED, Outcome.FAILED
    rows = [sample(5, good), sample(1, good), sample(2, bad), sample(3, bad), sample(4, good)]
    lost = sample(6, Outcome.INFRA, Excluded.MACHINE)
    assert pasts([*rows, lost]) == {"t@cpu": Past(5, True, 2, 1)}
    assert pasts([lost]) == {}, "of a test that never ran nothing is known"
    cached = sample(7, good, Excluded.CACHED)
    assert pasts([*rows, cached])["t@cpu"] == Past(7, True, 3, 1), "it is as well known as any"
    skipped = sample(8, Outcome.SKIPPED, Excluded.SKIPPED)
    assert pasts([*rows, skipped])["t@cpu"].skipped
    (only,) = ranked([a_test("t")], Known({a_test("t").identity.key: Past(8, False, 1, 0, True)}))
    assert (only.reason, only.says) == (Reason.STEADY, "skipped in its last run")


# --- what fits -------------------------------------------------------------------------------


@given(TESTS, ALLOWANCES)
def test_what_is_taken_can_be_run_in_time(tests: list[PlannedTest], allowed: Allowance) -> None:
    seconds = {t.identity.key: t.estimate_s or 0.0 for t in tests}
    taken = fitting(tests, seconds, allowed)
    work = sum(seconds[key] for key in taken)
    assert work <= allowed.slots * allowed.seconds + 1e-6
    assert all(seconds[key] <= allowed.seconds for key in taken)
    for device, most in allowed.capacities.items():
        own = sum(seconds[key] for key in taken if key.endswith(f"@{device}"))
        assert own <= most * allowed.seconds + 1e-6
    if tests and seconds[keys(tests)[0]] <= allowed.seconds:
        assert keys(tests)[0] in taken, "the first runs, if it can at all"


@settings(deadline=None)  # drawing what is known takes its time
@given(TESTS, ALLOWANCES, st.integers(1, 3), st.data())
def test_every_shard_keeps_its_tests_and_each_has_its_own_turn(
    tests: list[PlannedTest], allowed: Allowance, shards: int, data: st.DataObject
) -> None:
    dealt = [tests[i::shards] for i in range(shards)]
    found = with_turns(dealt, [allowed] * shards, known_of(tests, data))
    assert [keys(own) for own in found] == [keys(own) for own in dealt]
    turns = [test.turn for own in found for test in own]
    assert sorted(turn.place for turn in turns if turn) == list(range(1, len(tests) + 1))
    assert all(turn and turn.why for turn in turns)


def test_time_for_all_leaves_nothing_out() -> None:
    tests = [a_test(name) for name in "abcd"]
    (found,) = with_turns([tests], [Allowance(20.0, slots=2)])
    assert all(test.turn and test.turn.in_time for test in found)
    (found,) = with_turns([tests], [Allowance(19.0, slots=2)])
    assert sum(bool(test.turn and test.turn.in_time) for test in found) == 2


def test_what_its_list_skips_takes_no_time() -> None:
    skipped = a_test("a", seconds=500.0, expectation=Expectation(expect=Expect.SKIP))  # type: ignore[arg-type]
    assert fitting([skipped], {skipped.identity.key: 500.0}, Allowance(1.0)) == {
        skipped.identity.key
    }


def test_a_budget_has_time_for_beginning_and_for_running_again() -> None:
    assert seconds_for_tests(900.0, 0.0) == 885.0
    assert seconds_for_tests(900.0, 600.0) == 795.0
    assert seconds_for_tests(900.0, 10.0) == 875.0
    assert seconds_for_tests(8.0, 0.0) == 6.0


# --- what is said ----------------------------------------------------------------------------


def test_what_is_left_out_says_why() -> None:
    later = Turn(9, False, 40.0, "steady: good in its last 3 runs")
    assert why_left_out(later, "15m") == (
        "left out by the budget of 15m: steady: good in its last 3 runs; about 40 s"
    )
    cut = Turn(2, True, 40.0, "new: nobody ran it")
    assert why_left_out(cut, "15m") == (
        "left out: too little of the budget of 15m was left for it, about 40 s"
    )


def test_a_person_is_told_what_fits_and_what_does_not() -> None:
    tests = [a_test(name, seconds=60.0) for name in "abcdefgh"]
    (found,) = with_turns([tests], [Allowance(60.0, slots=2)])
    told = list(before_the_run(900.0, found, 2))
    assert told[0] == "budget 15m: 2 of 8 tests fit in, about 2:00 of work, 2 at a time: 2 new"
    assert told[1] == "left out unless time is left: 6: 6 new"
    assert told[-1].strip() == "and 1 more; --dry-run names all"
    out = [test for test in found if test.turn and not test.turn.in_time]
    assert list(after_the_run(900.0, out, "bringup nightly --resume r")) == [
        "left out by the budget of 15m: 6: 6 new",
        "they are no evidence of anything; `bringup nightly --resume r` runs them",
    ]
    assert not list(after_the_run(900.0, [], "x"))


@pytest.mark.parametrize("text", ["15", "15x", "-3m", "0", "0m", "", "1e3s", "0.2s", "٣m", "m"])
def test_what_is_no_budget_is_one_sentence(text: str) -> None:
    with pytest.raises(HarnessError, match=r"^--budget .*(write 90s, 15m or 1h|is the least)$"):
        parse_budget(text)


@given(st.integers(1, 10**6))
def test_a_budget_is_written_as_it_is_read(seconds: int) -> None:
    assert parse_budget(span_text(seconds)) == seconds
    assert str(parse_budget("15m")) == "15m" and str(parse_budget("90s")) == "90s"
