# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How near the bound nights are scheduled, and what planning costs.

makespan_ratio      mean over seeds: our queue against the bound: 784 tests with noisy estimates, a
                    fifth without one, and of 16 devices one lost half way
makespan_ratio_p95  the 95th percentile of the same
shard_ratio         the longest of 16 static shards, likewise without a lost device
loads_per_model     60 models on three devices, 8 workers: how often a model is loaded
board_ratio         60 models on cpu and an n150, and an n300 too, in 4 and in 8 slots, boards held
                    for compile and execute alone, tests that wait for one without a slot: the
                    worst of four means, against the bound
board_loads         how often a model is loaded in the worst of the four
pairs_ratio         measured durations with wrong estimates: ours against the best of all
                    algorithms, the worst pair; static shards have no part in it
held_pairs_ratio    the same of `--truth FILE [--estimates FILE]`, durations by pytest id
plan_seconds        a static plan for 64 runners of 5 kinds and 10,000 tests; the best of 3
pull_ms             from a test's end to the choice of the next, 10,000 waiting, 64 workers; median
lost_tests          of all those nights: tests that no worker ran
second_night_share  a night of a few models that is run twice: the second against the first; this
                    one is run, for some minutes, with what devices there are
first_test_seconds  from its command to its first test, on the second night
cold_test_seconds   the same on the first, when nothing is kept: devices are opened, tests collected

Seeds are fixed, and of all others nothing is timed but planning and pulling, and nothing is run: an
hour is a number.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median

import numpy as np

from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.planning.planners import AFFINITY
from bringup.pipeline.planning.slots import processes_for
from bringup.pipeline.planning.work import Runner, WorkUnit, units_of
from bringup.pipeline.planning.work_queue import WorkQueue
from tests.benchmarks.figures import Figure
from tests.benchmarks.scheduling.nights import Night, boarded, made, measured
from tests.benchmarks.scheduling.second_night import bare_imports, two_nights
from tests.benchmarks.scheduling.simulate import OTHERS, board_bound, bound, on_boards, pulled

WORKERS = 16
ENOUGH = 1 << 50
"""Bytes that no night of these needs."""
NOISES = ((0.3, 0.1), (0.5, 0.2), (0.3, 0.3))
"""Of estimates in logarithm, and the share of tests without one."""
BEST_OF_ALL = "the best of LPT, xdist load, xdist worksteal, round robin and ours"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    add = parser.add_argument
    add("--quick", action="store_true", help="few seeds and a small plan")
    add("--simulated", action="store_true", help="leave out what runs models")
    add("--truth", type=Path, metavar="FILE", help="durations by pytest id that are the truth")
    add("--estimates", type=Path, metavar="FILE", help="those of an older night, for --truth")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures."""
    seeds = range(6 if options.quick else 100)
    figures = [*_of_made_nights(seeds), _loads(seeds), *_boards(seeds), _of_pairs(options, seeds)]
    figures += [_planning(options.quick), _pulling(options.quick)]
    return [*figures, *(() if options.simulated else _of_two_nights(options.quick))]


def _of_two_nights(quick: bool) -> Iterator[Figure]:
    first, second = two_nights(quick)
    share = second.seconds / first.seconds
    says = f"{first.seconds:.0f} s and {second.seconds:.0f} s, {second.hits} stages cached"
    yield Figure("second_night_share", share, "of the first", "<= 0.35", says)
    bare = f"a Python that imports torch and transformers: {bare_imports():.1f} s"
    for name, ran in (("first_test_seconds", second), ("cold_test_seconds", first)):
        says = f"{bare}; {ran.processor:.1f} s of processor time till then"
        yield Figure(name, ran.first, "s", "<= 5", says)


def _of_made_nights(seeds: range) -> Iterator[Figure]:
    ratios, shards, lost = [], [], 0
    for seed in seeds:
        night = made(seed)
        units = units_of(night.tests)
        half = bound(night.truth, WORKERS) / 2
        played = pulled(units, night.truth, WORKERS, half)
        lost += len(units) - played.ran
        ratios.append(played.seconds / bound(night.truth, WORKERS, half))
        dealt = AFFINITY.plan(units, [Runner(str(i)) for i in range(WORKERS)])
        longest = max(sum(night.truth[u.key] for u in shard) for shard in dealt)
        shards.append(longest / bound(night.truth, WORKERS))
    against = "the clairvoyant bound; 784 tests, 16 devices, noise 30 %, unknown 20 %"
    one_dies = f"{against}, one dies half way"
    yield Figure("makespan_ratio", fmean(ratios), "times", "<= 1.02", one_dies)
    p95 = float(np.quantile(ratios, 0.95))
    yield Figure("makespan_ratio_p95", p95, "times", "<= 1.06", one_dies)
    yield Figure("shard_ratio", fmean(shards), "times", "", against)
    yield Figure("lost_tests", lost, "tests", "0", "every test of the nights above")


def _loads(seeds: range) -> Figure:
    loads = []
    for seed in seeds:
        night = made(seed, tests=180, devices=3)
        loads.append(pulled(units_of(night.tests), night.truth, 8).loads / 60)
    return Figure(
        "loads_per_model", fmean(loads), "loads", "<= 1.1", "once; 60 models on 3 devices"
    )


def _boards(seeds: range) -> Iterator[Figure]:
    ratios, loads = [], []
    for kinds in (("cpu", "n150"), ("cpu", "n150", "n300")):
        for slots in (4, 8):
            played = [with_boards(seed, kinds, slots) for seed in seeds]
            ratios.append(fmean(ratio for ratio, _ in played))
            loads.append(fmean(load for _, load in played))
    says = "cpu + n150 (4, 8 slots), + n300 (4, 8): "
    yield Figure("board_ratio", max(ratios), "times", "<= 1.05", says + _listed(ratios))
    yield Figure("board_loads", max(loads), "loads", "<= 1.1", says + _listed(loads))


def _listed(figures: Sequence[float]) -> str:
    return ", ".join(f"{figure:.3f}" for figure in figures)


def with_boards(seed: int, kinds: Sequence[str], slots: int) -> tuple[float, float]:
    """A night against its bound, and how often a model was loaded in it."""
    tests, parts = boarded(seed, kinds)
    units, boards = units_of(tests), {kind: 1 for kind in kinds[1:]}
    processes = processes_for(slots, tests, boards, ENOUGH, 1)
    played = on_boards(units, parts, slots, boards, processes)
    assert played.ran == len(units)
    return played.seconds / board_bound(parts, units, slots), played.loads / 60


def _of_pairs(options: argparse.Namespace, seeds: range) -> Figure:
    if options.truth:
        night = measured(options.truth, 0, 0.3, 0.2, options.estimates)
        return Figure("held_pairs_ratio", _against_all(night), "times", "<= 1.05", BEST_OF_ALL)
    ratios = [
        _against_all(made(seed, noise=noise, unknown=unknown))
        for seed in seeds
        for noise, unknown in NOISES
    ]
    return Figure("pairs_ratio", max(ratios), "times", "<= 1.05", BEST_OF_ALL)


def _against_all(night: Night) -> float:
    units = units_of(night.tests)
    ours = pulled(units, night.truth, WORKERS).seconds
    return ours / min(ours, *(play(units, night.truth, WORKERS) for play in OTHERS.values()))


def _planning(quick: bool) -> Figure:
    units = large(1000 if quick else 10_000)
    kinds = ("cpu", "n150", "n300", "p150", "cuda")
    runners = [Runner(f"r{i}", {"cpu": 4, kinds[i % 5]: 4}, slots=4) for i in range(64)]
    took = []
    for _ in range(3):
        began = time.process_time()
        AFFINITY.plan(units, runners)
        took.append(time.process_time() - began)
    says = f"CPU time; {len(units)} tests, 64 runners of 5 kinds"
    return Figure("plan_seconds", min(took), "s", "<= 0.5", says)


def _pulling(quick: bool) -> Figure:
    units = large(1000 if quick else 10_000)
    queue, workers, took = WorkQueue(units, {"n150": 8, "cuda": 4}, ENOUGH), 64, []
    running: list[WorkUnit] = []
    while len(running) < workers and (unit := queue.take(None, workers)):
        running.append(unit)
    while running:
        ended = running.pop(0)
        began = time.perf_counter()
        queue.done(ended.key)
        unit = queue.take(ended.group, workers)
        took.append(time.perf_counter() - began)
        running += [unit] if unit else []
    assert not queue, "every test was given out"
    says = f"{len(units)} tests, {workers} workers; wall time"
    return Figure("pull_ms", 1000 * median(took), "ms", "<= 2", says)


def large(tests: int) -> list[WorkUnit]:
    """A fleet of so many tests, five to a model, one on each kind."""
    dice = np.random.default_rng(0)
    kinds = ("cpu", "n150", "n300", "p150", "cuda")
    return units_of(
        PlannedTest(
            Identity(model=f"m{i // 5}", device=kinds[i % 5]),
            "x",
            estimate_s=float(dice.lognormal(3, 1)),
            estimate_bytes=int(dice.lognormal(21, 1)),
        )
        for i in range(tests)
    )
