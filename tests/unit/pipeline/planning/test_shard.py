# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A static plan: every test once, whole groups where balance allows, the same for everybody."""

import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.options import parse_shard
from bringup.pipeline.planning.groups import group_of
from bringup.pipeline.planning.shard import SLACK, partition


def planned(model: str, seconds: float | None = None, **parts: str) -> PlannedTest:
    identity = Identity(model=model, **parts)
    return PlannedTest(identity, f"tests/{model}.py::test_{identity.name}", estimate_s=seconds)


def random_fleet(chance: random.Random) -> list[PlannedTest]:
    return [
        planned(
            f"m{model}",
            chance.choice([None, chance.lognormvariate(3, 1.2)]),
            flow=flow,
            device=device,
        )
        for model in range(chance.randint(0, 40))
        for flow in ("full", "op_by_op_torch")
        for device in ("cpu", "n150", "p150")
        if chance.random() < 0.6
    ]


def lengths(shards: list[list[PlannedTest]], tests: list[PlannedTest]) -> list[float]:
    known = [t.estimate_s for t in tests if t.estimate_s is not None]
    typical = median(known) if known else 1.0
    return [sum(t.estimate_s or typical for t in shard) for shard in shards]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("n", [1, 2, 5, 16, 300])
def test_every_test_is_in_exactly_one_shard(seed: int, n: int) -> None:
    tests = random_fleet(random.Random(seed))
    shards = partition(tests, n)
    assert len(shards) == n
    assert sorted(t.identity for shard in shards for t in shard) == sorted(
        t.identity for t in tests
    )


@pytest.mark.parametrize("seed", range(40))
def test_launcher_and_splitter_agree_whatever_order_they_see(seed: int) -> None:
    chance = random.Random(seed)
    tests = random_fleet(chance)
    assert partition(tests, 4) == partition(chance.sample(tests, len(tests)), 4)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("n", [2, 4, 16])
def test_the_longest_shard_is_near_the_lower_bound(seed: int, n: int) -> None:
    tests = random_fleet(random.Random(seed))
    if not tests:
        return
    found = lengths(partition(tests, n), tests)
    single = max(lengths([[t] for t in tests], tests))
    bound = max(sum(found) / n, single)
    assert max(found) <= SLACK * 4 / 3 * bound


def test_a_models_devices_and_flows_stay_together() -> None:
    tests = [
        planned(f"m{i}", 10.0, flow=flow, device=device)
        for i in range(12)
        for flow in ("full", "op_by_op_torch")
        for device in ("cpu", "n150")
    ]
    homes: dict[object, set[int]] = {}
    for i, shard in enumerate(partition(tests, 4)):
        for test in shard:
            homes.setdefault(group_of(test.identity), set()).add(i)
    assert all(len(shards) == 1 for shards in homes.values())


def test_a_group_heavier_than_a_shard_is_cut() -> None:
    tests = [planned("huge", 100.0, device=f"d{i}") for i in range(8)] + [planned("tiny", 1.0)]
    assert max(lengths(partition(tests, 4), tests)) <= 201.0


def test_an_unknown_test_weighs_a_median_and_not_the_longest() -> None:
    tests = [planned(f"m{i}", 10.0) for i in range(9)]
    tests += [planned("monster", 14_400.0), planned("new"), planned("newer")]
    shards = partition(tests, 2)
    (alone,) = (shard for shard in shards if any(t.identity.model == "monster" for t in shard))
    assert len(alone) == 1


def test_without_any_estimate_the_counts_are_even() -> None:
    tests = [planned(f"m{i}") for i in range(21)]
    assert sorted(map(len, partition(tests, 4))) == [5, 5, 5, 6]


def test_more_shards_than_tests_leaves_empty_ones() -> None:
    shards = partition([planned("a"), planned("b")], 5)
    assert sorted(map(len, shards)) == [0, 0, 0, 1, 1]
    assert partition([], 3) == [[], [], []]


def test_no_shards_are_refused() -> None:
    with pytest.raises(PipelineError, match="at least 1"):
        partition([], 0)


def test_a_shard_is_written_i_of_n() -> None:
    assert parse_shard("2/5") == (2, 5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no shard"),
        ("2", "is no shard"),
        ("2 / 5", "is no shard"),
        ("-1/5", "is no shard"),
        ("a/b", "is no shard"),
        ("0/5", "there is no shard 0 of 5"),
        ("6/5", "there is no shard 6 of 5"),
        ("1/0", "there is no shard 1 of 0"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PipelineError, match=sentence):
        parse_shard(text)


def test_groups_are_cut_where_keeping_them_whole_costs_more_than_a_tenth() -> None:
    """Three models of 10 s on two shards: 20 s whole, 15 s with one model cut."""
    tests = [planned(f"m{i}", 5.0, device=device) for i in range(3) for device in ("cpu", "n150")]
    assert sorted(lengths(partition(tests, 2), tests)) == [15.0, 15.0]


def test_groups_stay_whole_where_that_costs_less_than_a_tenth() -> None:
    """21 models of 2 s and one of 2.2 s on two shards: 22.2 s whole, a twentieth above the best."""
    tests = [planned(f"m{i}", 1.0, device=d) for i in range(21) for d in ("cpu", "n150")]
    shards = partition(tests, 2)
    assert sorted(lengths(shards, tests)) == [20.0, 22.0]
    homes = [{group_of(t.identity) for t in shard} for shard in shards]
    assert not homes[0] & homes[1]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(("full", "op_by_op_torch")),
            st.sampled_from(("cpu", "n150")),
            st.none() | st.floats(0.01, 1e5),
        ),
        max_size=60,
        unique_by=lambda each: each[:3],
    ),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_any_tests_are_divided(
    fleet: list[tuple[int, str, str, float | None]], n: int, chance: random.Random
) -> None:
    tests = [planned(f"m{i}", seconds, flow=flow, device=d) for i, flow, d, seconds in fleet]
    shards = partition(tests, n)
    assert len(shards) == n
    assert sorted(t.identity.key for shard in shards for t in shard) == sorted(
        t.identity.key for t in tests
    )
    assert shards == partition(chance.sample(tests, len(tests)), n)
    if tests:
        single = max(lengths([[t] for t in tests], tests))
        bound = sum(lengths(shards, tests)) / n + single  # what dealing out singly never exceeds
        assert max(lengths(shards, tests)) <= 1.1 * bound * (1 + 1e-9)
