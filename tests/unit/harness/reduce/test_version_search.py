# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A change among many versions is found in few probes, past those that say nothing."""

from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.reduce.version_search import Probed, Says, most_probes, search

SAYS = st.sampled_from(Says)


def _found(says: list[Says]) -> tuple[int | None, int | None, int]:
    names = [str(place) for place in range(len(says))]
    found = search(names, lambda name: Probed(name, says[int(name)]))
    asked = [one.version for one in found.probes]
    assert len(set(asked)) == len(asked)
    before, after = (int(one.version) if one else None for one in (found.before, found.after))
    return before, after, len(asked)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_the_first_bad_one_is_found_within_the_bound(drawn: tuple[int, int]) -> None:
    many, good = drawn
    before, after, asked = _found([Says.GOOD] * good + [Says.BAD] * (many - good))
    inside = 0 < good < many
    assert (before, after) == ((good - 1, good) if inside else (None, None))
    assert asked <= most_probes(many)


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))
def test_the_oldest_that_say_nothing_are_passed_over(silent: int, good: int, bad: int) -> None:
    says = [Says.NOTHING] * silent + [Says.GOOD] * good + [Says.BAD] * bad
    before, after, asked = _found(says)
    assert (before, after) == (silent + good - 1, silent + good)
    assert asked <= 2 * most_probes(len(says))


@given(st.lists(SAYS, min_size=1, max_size=30))
def test_whatever_they_say_both_sides_of_a_boundary_said_it(says: list[Says]) -> None:
    before, after, _ = _found(says)
    if before is not None and after is not None:
        assert before < after and {says[before], says[after]} == {Says.GOOD, Says.BAD}


def test_what_is_between_and_says_nothing_is_named() -> None:
    says = [Says.GOOD, Says.NOTHING, Says.NOTHING, Says.BAD]
    found = search("abcd", lambda name: Probed(name, says["abcd".index(name)]))
    assert found.between == ("b", "c") and found.after == Probed("d", Says.BAD)
    assert search("a", lambda name: Probed(name, Says.BAD)).before is None
    assert search("", lambda name: Probed(name, Says.BAD)).probes == ()


def test_bounds() -> None:
    assert [most_probes(n) for n in (1, 2, 14, 16, 17)] == [2, 3, 6, 6, 7]
