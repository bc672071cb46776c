# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`nox -s bench -- promotion [--quick]`: made years held against their truth, and what it costs.

The policy's values were chosen by looking at seeds 1 to 21 and 500 tests; what is measured here are
others, and worlds that are otherwise: rougher, sicker, with fixed reruns, other flakes and sizes.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.columns import OUTCOMES, Columns, Words
from bringup.pipeline.promotion.decide import propose
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import default_policy
from bringup.pipeline.promotion.weighing import Place
from tests.benchmarks.figures import Figure
from tests.benchmarks.made_columns import made_columns
from tests.benchmarks.promotion.simulate import Tally, replay
from tests.benchmarks.promotion.world import Rates, Year

USUAL = Rates()
WORLDS = {
    "usual": (USUAL, (501, 502, 503)),
    "rough": (
        replace(
            USUAL,
            flakes=(0.0, 0.03, 0.08, 0.2),
            shares=(0.5, 0.2, 0.15, 0.15),
            breaks=0.006,
            fixes=0.08,
            sick=0.03,
            sick_share=0.9,
            sick_nights=4,
            lost=0.03,
            partial=0.1,
            noise=0.03,
            renamed=0.001,
        ),
        (601,),
    ),
    "mildly sick": (
        replace(USUAL, tests=400, devices=8, compile_only=2, sick=0.03, sick_share=0.3),
        (701,),
    ),
    "two reruns": (replace(USUAL, reruns=2), (801,)),
    "few tests": (replace(USUAL, tests=60, devices=6, breaks=0.01, coins=6, drifting=6), (901,)),
}
"""What none of the policy's values was looked at with, each with its seeds."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--quick` and `--world`."""
    parser.add_argument("--quick", action="store_true", help="100 tests in 60 nights")
    parser.add_argument("--world", choices=WORLDS, default="", help="only this one")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures."""
    figures = []
    for name, (rates, seeds) in WORLDS.items():
        if options.world in ("", name):
            figures += _world(name, rates, seeds, quick=options.quick)
    return [*figures, _replayed(quick=options.quick), _decided(200 if options.quick else 2000)]


def _world(name: str, rates: Rates, seeds: tuple[int, ...], *, quick: bool) -> list[Figure]:
    if quick:
        rates = replace(rates, tests=min(rates.tests, 100), nights=60)
    years = [replay(Year(rates, seed), default_policy()) for seed in seeds]
    nights = [n for y in years for n in y.up_nights]
    down = [n for y in years for n in y.down_nights]
    against = f"{name}: {rates.tests} tests, {rates.nights} nights, seeds {seeds}"

    def share(top: str, *below: str) -> float:
        whole = sum(_count(y, each) for y in years for each in below)
        return sum(_count(y, top) for y in years) / max(whole, 1)

    back = [b for y in years for b in y.back]
    word = name.replace(" ", "_")
    wanted = [
        ("wrong_promotions", share("wrong_promotions", "promotions"), "share", "<= 0.005"),
        ("wrong_demotions", share("wrong_demotions", "demotions"), "share", "<= 0.005"),
        ("median_nights_to_promote", float(np.median(nights)), "nights", "<= 2"),
        ("nights_to_demote", float(np.mean(down)), "nights later", ""),
        ("demoted_same_night", share("same_night", "hard"), "share", ""),
        ("infrastructure_edits", float(sum(y.infrastructure for y in years)), "edits", "== 0"),
        ("recovered_share", float(np.mean(back)) if back else 1.0, "share", ">= 0.98"),
        ("moves_made_share", share("made", "due"), "share", ">= 0.97"),
    ]
    moves = sum(y.promotions + y.demotions for y in years)
    return [
        Figure(f"{figure}.{word}", value, unit, goal, f"{against}; {moves} moves")
        for figure, value, unit, goal in wanted
    ]


def _count(tally: Tally, name: str) -> int:
    found = getattr(tally, name)
    return int(found)


def _replayed(*, quick: bool) -> Figure:
    rates = replace(USUAL, tests=100, nights=60 if quick else 180)
    digests = {replay(Year(rates, 5), default_policy()).digest for _ in range(2)}
    same = float(len(digests) == 1)
    return Figure("replayed_alike", same, "share", "== 1", "every move and reason, twice")


def _decided(tests: int) -> Figure:
    columns, places = _whole_year(tests, 5, 365)
    start = time.perf_counter()
    steps = propose(columns, places)
    spent = time.perf_counter() - start
    against = f"{tests} tests on 5 devices, 365 nights in memory; {len(steps)} moves"
    return Figure("decide_seconds", spent, "s", "<= 3" if tests == 2000 else "", against)


def _whole_year(tests: int, devices: int, nights: int) -> tuple[Columns, dict[str, Place]]:
    rng = np.random.default_rng(31)
    names = [f"d{i}" for i in range(devices)]
    keys = tuple(sorted(f"m{i:04}[full-eval]@{d}" for i in range(tests) for d in names))
    series, rows = len(keys), len(keys) * nights
    bad = rng.random((series, nights)) < rng.choice((0.0, 0.02, 0.05), size=(series, 1))
    bad[::25, -1] = True
    bad = bad.ravel()
    night = np.tile(np.arange(nights, dtype=np.int32), series)
    device = np.array([names.index(key.rpartition("@")[2]) for key in keys], np.int32)
    ends = np.array([OUTCOMES.index(Outcome.PASSED), OUTCOMES.index(Outcome.FAILED)], np.int32)
    columns = made_columns(
        rows,
        test=Words(np.repeat(np.arange(series, dtype=np.int32), nights), keys),
        run=Words(night, tuple(f"n{i}" for i in range(nights))),
        at=night.astype(np.float64),
        device=Words(np.repeat(device, nights), tuple(names)),
        outcome=ends[bad.astype(int)],
        passed=(~bad).astype(np.int32),
        failed=3 * bad.astype(np.int32),
    )
    places = {
        key: Place(Standing.FULL if i % 10 else Standing.OP_BY_OP) for i, key in enumerate(keys)
    }
    return columns, places
