# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--budget 15m`: the tests that tell most and fit into the time, and what of the others.

Every test stays in the plan, with its turn. Those in time are run; then, as long as time is left
for them, the others, for an estimate may be too long. What never started ends NOT_RUN with the kind
`LEFT_OUT` and the reason: it is not missing, and it is no evidence. What has begun is let finish.

Pure functions: how time is kept is `pipeline.running`'s.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import msgspec

from bringup.harness.records.schema import Expect, PlannedTest, Turn
from bringup.pipeline.planning.informative import Known, Ranked, ranked
from bringup.pipeline.planning.work import fill_estimates

BEGIN_S = 15.0
"""Until a run's first test starts: devices are asked, tests collected, workers started."""
_MOST_BEGIN = 0.25
"""Of a budget, for the same: a short one is not all beginning."""
CONFIRM_SHARE = 0.1
"""Of a budget, for running again what newly fails, in a session that does so."""


@dataclass(frozen=True)
class Allowance:
    """What a run's tests can use."""

    seconds: float
    """From its first test's start to its last one's end."""
    slots: int = 1
    """Tests at a time."""
    capacities: Mapping[str, int] = field(default_factory=dict)
    """The most tests a device runs at a time; absent: any number."""


def seconds_for_tests(budget_s: float, confirm_s: float) -> float:
    """What of a budget is for tests: without the beginning, and what new failures may need that are
    run again, `confirm_s` at most."""
    begin = min(BEGIN_S, _MOST_BEGIN * budget_s)
    return budget_s - begin - min(confirm_s, CONFIRM_SHARE * budget_s)


def with_turns(
    shards: Sequence[Sequence[PlannedTest]],
    allowed: Sequence[Allowance],
    known: Known | None = None,
) -> tuple[tuple[PlannedTest, ...], ...]:
    """The tests of every shard, each with its turn; `allowed` are the shards'.

    Places count over all shards, for what one of them covers the others need not.
    """
    longest_s = max((one.seconds for one in allowed), default=0.0)
    order = ranked((test for own in shards for test in own), known, longest_s)
    places = {one.test.identity.key: (place, one) for place, one in enumerate(order, start=1)}
    expected = fill_estimates(one.test for one in order)

    def dealt(own: Sequence[PlannedTest], time: Allowance) -> tuple[PlannedTest, ...]:
        by_place = sorted(own, key=lambda test: places[test.identity.key][0])
        in_time = fitting(by_place, expected, time)
        keys = [test.identity.key for test in own]
        return tuple(
            _with_turn(test, *places[key], key in in_time, expected[key])
            for test, key in zip(own, keys, strict=True)
        )

    return tuple(dealt(own, time) for own, time in zip(shards, allowed, strict=True))


def _with_turn(
    test: PlannedTest, place: int, one: Ranked, in_time: bool, expected_s: float
) -> PlannedTest:
    turn = Turn(place, in_time, round(expected_s, 3), f"{one.reason.value}: {one.says}")
    return msgspec.structs.replace(test, turn=turn)


def fitting(
    tests: Iterable[PlannedTest], expected: Mapping[str, float], allowed: Allowance
) -> frozenset[str]:
    """Keys of the tests that can all be run in the time, the first ones first.

    A test is given to the slot with the least to do, and passed over where that has no time for it,
    or its device has none: so what is taken can be run as it was dealt out. What its list skips
    takes no time.
    """
    slots, busy = [0.0] * allowed.slots, defaultdict[str, float](float)
    taken = set()
    for test in tests:
        key, device = test.identity.key, test.identity.device
        seconds = 0.0 if _is_skipped(test) else expected[key]
        most = allowed.capacities.get(device, inf) * allowed.seconds
        free = min(range(allowed.slots), key=slots.__getitem__)
        if slots[free] + seconds <= allowed.seconds and busy[device] + seconds <= most:
            slots[free] += seconds
            busy[device] += seconds
            taken.add(key)
    return frozenset(taken)


def _is_skipped(test: PlannedTest) -> bool:
    return test.expectation is not None and test.expectation.expect is Expect.SKIP


def is_in_time(test: PlannedTest) -> bool:
    """Is it run whatever the others take?"""
    return test.turn is None or test.turn.in_time


def why_left_out(turn: Turn, budget: str) -> str:
    """The sentence on a test that a budget, as somebody would write it, left out."""
    about = f"about {turn.expected_s:.0f} s"
    if turn.in_time:
        return f"left out: too little of the budget of {budget} was left for it, {about}"
    return f"left out by the budget of {budget}: {turn.why}; {about}"
