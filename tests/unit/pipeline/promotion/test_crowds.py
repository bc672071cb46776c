# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests that begin to fail together, too few for the night to be suspect, wait for another one."""

import math

import pytest

from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.promotion.account import account_of
from bringup.pipeline.promotion.crowds import at_least
from bringup.pipeline.promotion.decide import held_back, propose
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import default_policy
from bringup.pipeline.promotion.weighing import Place
from tests.unit.pipeline.promotion.made_nights import sample, with_policy

TESTS = [f"m{i:02}[full-eval]@n150" for i in range(50)]
PLACES = {test: Place(Standing.FULL) for test in TESTS}


def night(at: int, bad: int, control: bool = False) -> list[Sample]:
    """A night of a device with fifty tests; the first `bad` fail at every attempt, and the last was
    run between them."""
    failing = [sample(at, "failed", test=t, device="n150", failed=3) for t in TESTS[:bad]]
    good = [sample(at, test=t, device="n150") for t in TESTS[bad:-1]]
    last = sample(at, test=TESTS[-1], device="n150", passed=4 if control else 1)
    return [*failing, *good, last]


GOOD = [s for n in range(40) for s in night(n, 0)]


@pytest.mark.parametrize("at_once", [1, 2])
def test_one_or_two_go_down_the_same_night(at_once: int) -> None:
    assert len(propose([*GOOD, *night(40, at_once)], PLACES)) == at_once


def test_four_at_once_wait_for_another_night_and_say_so() -> None:
    seen = [*GOOD, *night(40, 4)]
    assert propose(seen, PLACES) == []
    assert held_back(columns_of(seen), PLACES, default_policy()) == TESTS[:4]
    [blocked] = account_of(seen, TESTS[0], PLACES).blocked
    assert "more tests of n150 began to fail than chance explains" in blocked
    assert propose([*seen, *night(41, 0)], PLACES) == [], "the device was ill for a night"
    assert len(propose([*seen, *night(41, 4)], PLACES)) == 4


def test_a_control_between_the_failures_tells_at_once() -> None:
    assert len(propose([*GOOD, *night(40, 4, control=True)], PLACES)) == 4


def test_a_device_on_which_that_many_break_every_night_is_no_crowd() -> None:
    """Fifty tests of which three break by chance every fourth night, and are good the next."""
    shaky = [s for n in range(40) for s in night(n, 3 if n % 4 == 0 else 0)]
    assert held_back(columns_of([*shaky, *night(41, 3)]), PLACES, default_policy()) == []
    assert propose([*GOOD, *night(40, 4)], PLACES, with_policy(demote={"crowd_error_rate": 1e-9}))


def test_the_tail_of_poisson() -> None:
    assert at_least(0, 0.3) == 1.0
    assert at_least(1, 0.3) == pytest.approx(1 - math.exp(-0.3))
    assert at_least(3, 0.3) == pytest.approx(1 - math.exp(-0.3) * (1 + 0.3 + 0.045))
    assert 0 <= at_least(500, 2.0) < 1e-12
