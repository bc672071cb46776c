# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Delta debugging on predicates whose answer is known."""

import random
from collections.abc import Collection, Sequence

import pytest

from bringup.harness.reduce.minimise import minimise


class Asked:
    """Holds for what contains all culprits, and counts how often it was asked."""

    def __init__(self, culprits: Collection[int]) -> None:
        self.culprits = set(culprits)
        self.sequences: list[tuple[int, ...]] = []

    def __call__(self, items: Sequence[int]) -> bool:
        self.sequences.append(tuple(items))
        return self.culprits <= set(items)


@pytest.mark.parametrize("culprit", [0, 1, 499, 998, 999])
def test_one_culprit_is_found_by_bisection(culprit: int) -> None:
    asked = Asked([culprit])
    assert minimise(range(1000), asked) == [culprit]
    assert len(asked.sequences) <= 22  # twice the binary logarithm, and the last word


@pytest.mark.parametrize("seed", range(20))
def test_culprits_far_apart_are_all_that_is_left(seed: int) -> None:
    generator = random.Random(seed)
    culprits = sorted(generator.sample(range(200), generator.randint(2, 6)))
    asked = Asked(culprits)
    assert minimise(range(200), asked) == culprits
    assert len(asked.sequences) == len(set(asked.sequences)), "nothing is asked twice"


def test_all_may_be_needed() -> None:
    assert minimise(range(9), Asked(range(9))) == list(range(9))


@pytest.mark.parametrize("seed", range(10))
def test_without_monotony_what_is_left_fails_and_nothing_can_go(seed: int) -> None:
    """A predicate as compilers have them: more of the program may hide the failure."""
    generator = random.Random(seed)
    needed = set(generator.sample(range(40), 3))
    hides = set(generator.sample(sorted(set(range(40)) - needed), 4))

    def keeps(items: Sequence[int]) -> bool:
        inside = set(items)
        return needed <= inside and (hides <= inside or not hides & inside)

    left = minimise(range(40), keeps)
    assert keeps(left)
    assert not any(keeps([i for i in left if i != out]) for out in left)


def test_what_the_predicate_raises_ends_the_search() -> None:
    best: list[int] = []

    def until_spent(items: Sequence[int]) -> bool:
        if len(items) < 100:
            raise TimeoutError
        best[:] = items
        return True

    with pytest.raises(TimeoutError):
        minimise(range(1000), until_spent)
    assert 100 <= len(best) < 200


def test_a_single_item_is_not_asked_about() -> None:
    assert minimise(["only"], lambda items: pytest.fail("asked")) == ["only"]
