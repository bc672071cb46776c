# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which full flows a night looks at beside its lists."""

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.expectations import promised
from bringup.pipeline.lists.specs import PROBE
from bringup.pipeline.promotion.policy import default_policy
from bringup.pipeline.promotion.probes import FIRST_IN_TURN, candidates, planned_before, probes
from bringup.pipeline.promotion.standings import listed_tests
from tests.unit.pipeline.promotion.made_nights import (
    E2E,
    FULL,
    OPS,
    T5,
    T5_OPS,
    WEEKLY,
    lists,
    with_policy,
)

POLICY = default_policy()
MANY = [f"tests/models/m/test_m{i}.py::test_m{i}[op_by_op_torch-eval]" for i in range(30)]
LISTED = list(listed_tests(lists(*((OPS, test) for test in MANY))).values())
HERE = {"cpu": DeviceState.EXECUTES, "n150": DeviceState.COMPILES}


def looked_at(*entries: tuple[str, str], device: str = "cpu") -> list[str]:
    found = listed_tests(lists(*entries, device=device)).values()
    return [one.test for one in candidates(found, HERE, POLICY)]


def test_what_is_not_at_the_top_is_looked_at() -> None:
    assert looked_at((OPS, T5_OPS)) == [T5]
    assert looked_at((WEEKLY, T5_OPS)) == [T5]
    assert looked_at((OPS, T5_OPS), (E2E, T5)) == [T5]
    assert looked_at((E2E, T5)) == [T5]
    assert looked_at((FULL, T5), (WEEKLY, T5_OPS)) == []
    assert looked_at((E2E, T5), device="n150") == []  # the top of a device that only compiles
    assert looked_at((OPS, T5_OPS), device="n150") == [T5]
    assert looked_at((OPS, T5_OPS), device="p150") == []  # it is not here


def test_a_pinned_test_is_left_alone() -> None:
    pinned = type(POLICY)(
        **{n: getattr(POLICY, n) for n in POLICY.__struct_fields__ if n != "pins"},
        pins=type(POLICY.pins)(("m1*",)),
    )
    assert len(candidates(LISTED, HERE, pinned)) == 30 - 11


def test_the_cheapest_within_the_budget_and_each_first_once_a_week() -> None:
    costs = {one.key: float(i + 1) for i, one in enumerate(LISTED)}
    policy = with_policy(probe={"budget_s": 40.0})
    seen: set[str] = set()
    for night in range(FIRST_IN_TURN):
        tonight = probes(LISTED, night, costs.__getitem__, policy)
        assert tonight == probes(LISTED[::-1], night, costs.__getitem__, policy)
        assert 0 < sum(costs[p.key] for p in tonight) <= 40.0
        seen |= {p.key for p in tonight}
    cheapest = {one.key for one in LISTED[:3]}
    assert cheapest <= seen and len(seen) > 15
    assert len(probes(LISTED, 0, costs.__getitem__, POLICY)) == 30
    assert probes(LISTED, 0, lambda _: None, with_policy(probe={"budget_s": 120.0}))[2:] == []


def test_at_the_policys_rate() -> None:
    rare = with_policy(probe={"every": 4})
    nights = [{p.key for p in probes(LISTED, n, lambda _: 1.0, rare)} for n in range(4)]
    assert set.union(*nights) == {one.key for one in LISTED}
    assert sum(map(len, nights)) == 30
    never = with_policy(probe={"every": 0})
    assert probes(LISTED, 0, lambda _: 1.0, never) == []
    both = list(listed_tests(lists((OPS, T5_OPS), (E2E, T5))).values())
    ran = [len(probes(both, n, lambda _: 1.0, POLICY)) for n in range(6)]
    assert sum(ran) == 2  # every third night, in the place of its compiling


def test_a_plan_that_is_taken_up_again_has_the_probes_that_it_had() -> None:
    keys = {LISTED[3].key, LISTED[4].key, "gone[full-eval]@cpu"}
    assert [p.key for p in planned_before(LISTED, keys)] == sorted(keys - {"gone[full-eval]@cpu"})


def test_a_probe_promises_nothing() -> None:
    assert promised(PROBE, DeviceState.EXECUTES) == set(Outcome)
