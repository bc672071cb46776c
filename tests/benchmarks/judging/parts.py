# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`nox -s bench -- judging [--quick]`: causes, breaks, ranges, and a night of a whole year.

Seeds are other than those that the rules were looked at with.
"""

import time
from collections import Counter, defaultdict

import numpy as np

from bringup.harness.records.night import Judgement
from bringup.harness.records.values import Outcome
from bringup.pipeline.history.causes.clusters import cluster
from bringup.pipeline.history.judge.change_points import segments
from bringup.pipeline.history.judge.columns import OUTCOMES, Columns, Words, columns_of
from bringup.pipeline.history.judge.explain import explain
from bringup.pipeline.history.judge.series import Attempts, Series
from bringup.pipeline.history.judge.verdict import Tonight, judge
from bringup.pipeline.history.samples import Excluded, Sample
from tests.benchmarks.figures import Figure
from tests.benchmarks.judging.failures import CAUSES, injected
from tests.benchmarks.made_columns import made_columns

FLAKE = 0.05
NIGHTS = 30


def measure(*, quick: bool) -> list[Figure]:
    """All figures."""
    less = 10 if quick else 1
    return [
        *clusters(),
        *false_breaks(100_000 // less),
        *named_regressions(5_000 // less),
        *whole_year(2_000 // less),
    ]


def clusters() -> list[Figure]:
    """300 failures of 20 causes; a failure is well placed where most of its cluster is its own."""
    worst_purity, most, seeds = 1.0, 0, (101, 202, 303)
    for seed in seeds:
        made = injected(300, seed)
        found = cluster(failing for _, failing in made)
        causes: dict[str, Counter[int]] = defaultdict(Counter)
        for (cause, _), home in zip(made, found.of, strict=True):
            causes[home][cause] += 1
        pure = sum(counts.most_common(1)[0][1] for counts in causes.values())
        worst_purity = min(worst_purity, pure / len(made))
        most = max(most, len(causes))
    against = f"300 failures of {len(CAUSES)} causes in words the masks do not know; {seeds}"
    return [
        Figure("cluster_purity", worst_purity, "share", ">= 0.97", against),
        Figure("clusters", most, "clusters", "<= 24", against),
    ]


def false_breaks(series: int) -> list[Figure]:
    """Series of 30 nights of a test that fails by chance and never changes."""
    rng = np.random.default_rng(4711)
    once = np.ones(NIGHTS, np.int64)
    broken = confirmed = 0
    for _ in range(series):
        bad = (rng.random(NIGHTS) < FLAKE).astype(np.int64)
        broken += len(segments(bad, once)) > 1
        again = bad * (rng.random((2, NIGHTS)) < FLAKE).all(axis=0)
        confirmed += len(segments(3 * again, 1 + 2 * again)) > 1
    against = f"{series} test-months at {FLAKE:.0%} flake"
    return [
        Figure("false_breaks", broken / series, "a test-month", "<= 0.001", against),
        Figure(
            "false_breaks_confirmed",
            confirmed / series,
            "a test-month",
            "<= 0.001",
            f"{against}, every failure run again twice",
        ),
    ]


def named_regressions(series: int) -> list[Figure]:
    """Series that turn bad for good at a known night, with flakes, lost nights and confirmation."""
    rng = np.random.default_rng(815)
    named = held = 0
    delays = []
    for _ in range(series):
        length = int(rng.integers(60, 365))
        true = int(rng.integers(14, length - 6))
        samples = _turning_bad(rng, length, true)
        columns = columns_of(samples)
        whole = Series(columns, Attempts.of(columns), 0, len(columns))
        found = [whole.range_of(s) for s in whole.segments[1:] if s.rate > FLAKE * 2]
        named += bool(found)
        held += any((r.after.at if r.after else -1.0) < true <= r.until.at for r in found)
        first = next(s for s in samples if s.at >= true and not s.excluded)
        verdict = judge(columns, Tonight(run=first.run))
        delays.append(bool(verdict.tests) and verdict.tests[0].judgement is Judgement.REGRESSION)
    against = f"{series} series with 1 % flakes and 3 % lost nights, seeded"
    return [
        Figure("regressions_named", named / series, "share", "== 1", against),
        Figure("ranges_hold_the_night", held / series, "share", ">= 0.99", against),
        Figure(
            "found_first_night",
            sum(delays) / series,
            "share",
            ">= 0.95",
            f"{against}, confirmed three of three in the night",
        ),
    ]


def _turning_bad(rng: np.random.Generator, length: int, true: int) -> list[Sample]:
    bad = rng.random(length) < 0.01
    bad[true:] = True
    lost = rng.random(length) < 0.03
    found = []
    for night in range(length):
        hard = night >= true
        outcome = Outcome.INFRA if lost[night] else Outcome.FAILED if bad[night] else Outcome.PASSED
        failed, passed = (3, 0) if hard else (1, 2) if bad[night] else (0, 0)
        found.append(
            Sample(
                run=f"n{night}",
                at=float(night),
                test="m[full-eval]@n150",
                device="n150",
                outcome=outcome,
                excluded=Excluded.MACHINE if lost[night] else Excluded.NONE,
                failed=0 if lost[night] else failed,
                passed=0 if lost[night] else passed,
            )
        )
    return found


def whole_year(tests: int) -> list[Figure]:
    """A night's verdict over a year of `tests` tests on five devices, its samples in memory."""
    columns = _year(tests, 5, 365)
    start = time.perf_counter()
    verdict = judge(columns, Tonight(run="n364"))
    judged = time.perf_counter() - start
    name = verdict.tests[0].test
    alone = columns.take(columns.test.codes == columns.test.code(name))
    start = time.perf_counter()
    explain(alone, name, Tonight(run="n364"))
    told = time.perf_counter() - start
    against = f"{tests} tests on 5 devices in 365 nights, {len(verdict.tests)} to tell of"
    return [
        Figure("judge_seconds", judged, "s", "<= 2" if tests == 2000 else "", against),
        Figure("judge_test_ms", 1000 * told, "ms", "<= 100", "one test's 365 samples in memory"),
    ]


def _year(tests: int, devices: int, nights: int) -> Columns:
    rng = np.random.default_rng(31)
    names = [f"d{i}" for i in range(devices)]
    keys = tuple(sorted(f"m{i:04}[full-eval]@{d}" for i in range(tests) for d in names))
    series, rows = len(keys), len(keys) * nights
    rates = rng.choice((0.0, 0.02, FLAKE), size=series, p=(0.7, 0.2, 0.1))
    bad = rng.random((series, nights)) < rates[:, None]
    for one in range(0, series, 25):
        bad[one, rng.integers(10, nights) :] = True
    night = np.tile(np.arange(nights, dtype=np.int32), series)
    device = np.array([names.index(key.rpartition("@")[2]) for key in keys], np.int32)
    none = np.zeros(rows, np.int32)
    ends = [OUTCOMES.index(Outcome.PASSED), OUTCOMES.index(Outcome.FAILED)]
    return made_columns(
        rows,
        test=Words(np.repeat(np.arange(series, dtype=np.int32), nights), keys),
        run=Words(night, tuple(f"n{i}" for i in range(nights))),
        at=night.astype(np.float64),
        device=Words(np.repeat(device, nights), tuple(names)),
        outcome=np.array(ends, np.int32)[bad.ravel().astype(int)],
        status=none + 7,
        pcc=0.999 + rng.normal(0, 1e-5, rows),
        seconds=rng.lognormal(2, 0.05, rows),
        memory=rng.normal(1e9, 1e7, rows),
    )
