# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from hypothesis import given
from hypothesis import strategies as st

from bringup.pipeline.history.causes.clusters import Failing, cluster
from bringup.pipeline.history.causes.fix_first import Blocked, blocked_by, fix_first

CAUSES = st.frozensets(st.sampled_from("abcdef"), max_size=3)
TESTS = st.lists(
    st.builds(
        Blocked, st.uuids().map(str), st.sampled_from(("cpu", "n150")), st.tuples(CAUSES, CAUSES)
    ),
    max_size=12,
)


def blocked(test: str, *stages: str, device: str = "cpu") -> Blocked:
    return Blocked(test, device, tuple(frozenset(s) for s in stages))


def test_the_cause_that_gets_most_tests_on_comes_first() -> None:
    tests = [blocked("1", "a"), blocked("2", "a"), blocked("3", "b"), blocked("4", "abc")]
    (everywhere, cpu) = fix_first(tests)
    assert [(f.causes, f.advances, f.frees) for f in everywhere.fixes] == [
        (("a",), ("1", "2"), 2),
        (("b",), ("3",), 1),
        (("c",), ("4",), 1),
    ]
    assert (cpu.device, cpu.fixes, cpu.blocked) == ("cpu", everywhere.fixes, 4)


def test_what_waits_behind_a_cause_is_known() -> None:
    tests = [blocked("1", "a", "b"), blocked("2", "a", "b"), blocked("3", "b")]
    first, second = fix_first(tests)[0].fixes
    assert (first.causes, first.advances, first.frees) == (("a",), ("1", "2"), 0)
    assert (second.causes, second.frees) == (("b",), 3)


def test_causes_that_only_together_get_anybody_on_are_told_together() -> None:
    (fix,) = fix_first([blocked("1", "ab"), blocked("2", "ab")])[0].fixes
    assert fix.causes == ("a", "b") and fix.frees == 2


def test_each_device_has_its_own_order() -> None:
    tests = [blocked("1", "a"), blocked("2", "b", device="n150"), blocked("3", "b", device="n150")]
    lists = {one.device: [f.causes for f in one.fixes] for one in fix_first(tests)}
    assert lists == {"": [("b",), ("a",)], "cpu": [("a",)], "n150": [("b",)]}


def test_what_blocks_a_test_is_read_off_its_ops_by_their_stages() -> None:
    failures = [
        Failing("1", "cpu", "execute", "hang of the engine", op="aten.b"),
        Failing("1", "cpu", "compile", "no such tile", op="aten.a"),
        Failing("1", "cpu", "compile", "the whole model says so"),
        Failing("2", "cpu", "compile", "another thing altogether"),
    ]
    found = cluster(failures)
    first, second = blocked_by(failures, found)
    assert [set(s) for s in first.stages] == [{found.of[1]}, {found.of[0]}]
    assert [set(s) for s in second.stages] == [{found.of[3]}]


@given(TESTS, st.randoms(use_true_random=False))
def test_the_order_given_says_nothing_and_every_blocked_test_gets_through(tests, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(tests)
    random.shuffle(shuffled)
    lists = fix_first(tests)
    assert fix_first(shuffled) == lists
    held = {t.test for t in tests if any(t.stages)}
    assert lists[0].blocked == len(held) == sum(f.frees for f in lists[0].fixes)
    assert {t for f in lists[0].fixes for t in f.advances} == held
    fixed = [c for f in lists[0].fixes for c in f.causes]
    assert len(fixed) == len(set(fixed))
