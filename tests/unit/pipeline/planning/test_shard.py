# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A static plan: every test once, whole groups where balance allows, the same for everybody."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.cli import options_of
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.option_values import parse_shard
from bringup.pipeline.planning.planners import AFFINITY, Planner, planner_of, planners
from bringup.pipeline.planning.quantiles import quantile
from bringup.pipeline.planning.shard import SLACK, partition
from bringup.pipeline.planning.work import TYPICAL, Needs, Runner, WorkUnit, group_of


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
    typical = quantile(known, TYPICAL) if known else 1.0
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


# --- runners that are not alike ---------------------------------------------------------------


def unit(model: str, kind: str, seconds: float, memory: int = 0) -> WorkUnit:
    identity = Identity(model=model, device=kind)
    return WorkUnit(
        identity.key, Needs(kind, least_memory=memory), seconds, seconds, group_of(identity)
    )


FLEET = (
    Runner("hosted", {"cpu": 2}, slots=2),
    Runner("boards", {"cpu": 1, "n150": 4}, slots=4),
    Runner("large", {"cpu": 1, "n300": 1}, memory=64),
)


@pytest.mark.parametrize("planner", planners().values(), ids=planners())
def test_units_go_only_where_they_can_run(planner: Planner) -> None:
    units = [unit(f"m{i}", ("cpu", "n150", "n300")[i % 3], 10.0) for i in range(30)]
    shards = planner.plan(units, FLEET)
    for runner, shard in zip(FLEET, shards, strict=True):
        assert shard and all(runner.takes(u.needs) for u in shard)


@pytest.mark.parametrize("planner", planners().values(), ids=planners())
def test_what_no_runner_has_is_named(planner: Planner) -> None:
    with pytest.raises(PipelineError, match=r"has p150; there are cpu, n150, n300"):
        planner.plan([unit("m", "p150", 1.0)], FLEET)
    with pytest.raises(PipelineError, match=r"with 1 of n300 has 8\.0 GiB"):
        planner.plan([unit("m", "n300", 1.0, memory=8 * 1024**3)], FLEET)


def test_a_runner_of_four_slots_gets_four_times_as_much() -> None:
    runners = [Runner("one"), Runner("four", slots=4)]
    shards = AFFINITY.plan([unit(f"m{i}", "cpu", 10.0) for i in range(50)], runners)
    assert [len(shard) for shard in shards] == [10, 40]


def test_what_is_slow_to_set_up_gets_less() -> None:
    runners = [Runner("slow", setup_s=100.0), Runner("fast")]
    shards = AFFINITY.plan([unit(f"m{i}", "cpu", 10.0) for i in range(30)], runners)
    assert [len(shard) for shard in shards] == [10, 20]


def test_work_of_any_runner_leaves_the_boards_to_those_that_need_them() -> None:
    runners = [Runner("a", {"cpu": 1}), Runner("b", {"cpu": 1, "n150": 1})]
    units = [unit(f"c{i}", "cpu", 30.0) for i in range(4)] + [unit("n", "n150", 100.0)]
    shards = AFFINITY.plan(units, runners)
    assert [sorted(u.needs.kind for u in shard) for shard in shards] == [["cpu"] * 4, ["n150"]]


def test_no_shard_is_empty_where_whole_groups_would_leave_one_so() -> None:
    tests = [planned("a", 1000.0)]
    tests += [planned(m, 1.0, device=f"d{i}") for m in "bc" for i in range(5)]
    assert all(partition(tests, 6))


def test_a_planner_that_loses_a_test_is_found_out() -> None:
    lossy = Planner("lossy", "", lambda units, runners: [list(units[1:])])
    with pytest.raises(UsageError, match="lossy does not deal out every test exactly once"):
        lossy.plan([unit("m", "cpu", 1.0)], [Runner("a")])


def test_a_planner_of_ones_own_is_named_and_an_unknown_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_planner.py").write_text(
        "from bringup.pipeline.planning.planners import AFFINITY, Planner\n"
        "PLANNERS = [Planner('own', 'mine', AFFINITY.deal)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("BRINGUP_PLANNERS", "own_planner")
    assert planner_of("own").says == "mine"
    with pytest.raises(UsageError, match=r"unknown planner 'owm'; known are .*own"):
        planner_of("owm")


def test_a_matrix_has_256_jobs_at_most() -> None:
    assert options_of("plan", ["--shards", "256"]).shards == 256
    with pytest.raises(PipelineError, match="--shards 257: a matrix of GitHub Actions"):
        options_of("plan", ["--shards", "257"])
