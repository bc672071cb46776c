# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks run, whatever their figures say."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.figures import Figure

ROOT = Path(__file__).parents[2]
EXACT = {"bystanders": 0, "lost_records": 0, "orphans": 0, "mistaken_faults": 0, "wrong_hits": 0}
EXACT |= {"missed_hits": 0, "hit_rate": 1, "reproducers_share": 1, "same_fingerprint_share": 1}
"""Figures that are counts and not times: these hold on any machine."""


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_op_by_op_is_rehearsed_whole(tmp_path: Path) -> None:
    pytest.importorskip("jax_plugins.libtt", reason="the package jax-tt-plugin is not installed")
    done = bench(tmp_path, "op_by_op", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "results" / "benchmarks" / "op_by_op.json").read_bytes()
    values = {f.figure: f.value for f in msgspec.json.decode(written, type=list[Figure])}
    assert {name: values[name] for name in EXACT} == EXACT, done.stdout
    assert values["faults"] >= 20
    speeds = ("cold_speedup_cpu", "cold_speedup_n150", "warm_speedup", "overhead_ms", "recovery_ms")
    assert all(values[name] > 0 for name in speeds)


def test_causes_and_breaks_are_found_as_well_as_is_promised(tmp_path: Path) -> None:
    done = bench(tmp_path, "history", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "results" / "benchmarks" / "history.json").read_bytes()
    values = {f.figure: f.value for f in msgspec.json.decode(written, type=list[Figure])}
    assert values["cluster_purity"] >= 0.97 and values["clusters"] <= 24, done.stdout
    assert values["regressions_named"] == 1 and values["ranges_hold_the_night"] >= 0.99
    assert {
        "add_seconds",
        "year_mb",
        "explain_ms",
        "verdict_seconds",
        "merge_seconds",
    } <= values.keys()
    assert values["false_breaks"] <= 0.002, "10,000 test-months; 100,000 have 0.00075"


def test_nights_are_scheduled_as_near_the_bound_as_is_promised(tmp_path: Path) -> None:
    """Their hours are numbers: whoever plays them gets the same figures."""
    done = bench(tmp_path, "scheduling", "--quick", "--simulated")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "results" / "benchmarks" / "scheduling.json").read_bytes()
    values = {f.figure: f.value for f in msgspec.json.decode(written, type=list[Figure])}
    assert values["makespan_ratio"] <= 1.02 and values["makespan_ratio_p95"] <= 1.06, done.stdout
    assert values["pairs_ratio"] <= 1.05 and values["lost_tests"] == 0, done.stdout


@pytest.mark.slow
def test_accelerators_take_programs_or_refuse_them_in_their_own_words(tmp_path: Path) -> None:
    pytest.importorskip("iree.compiler", reason="the package iree-base-compiler is not installed")
    done = bench(tmp_path, "devices", "--quick", "--kinds", "mi300x,apple-metal,rdna3-vulkan")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "results" / "benchmarks" / "devices.json").read_bytes()
    values = {f.figure: f.value for f in msgspec.json.decode(written, type=list[Figure])}
    assert values["kinds"] == 3 and values["fleet_ended_share"] == 1, done.stdout
    assert values["memory_differs"] == 0 and values["roofline_ratio"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("op_by_opp",), "did you mean op_by_op"),
        (("op_by_op", "--only", "sped"), "no part 'sped'"),
    ],
)
def test_a_benchmark_that_is_not_there_is_named(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = bench(tmp_path, *arguments)
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr


def test_lists_move_in_a_made_year_as_a_careful_person_would_move_them(tmp_path: Path) -> None:
    done = bench(tmp_path, "promotion", "--quick", "--world", "usual")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (tmp_path / "results" / "benchmarks" / "promotion.json").read_bytes()
    values = {f.figure: f.value for f in msgspec.json.decode(written, type=list[Figure])}
    assert values["wrong_promotions.usual"] == values["wrong_demotions.usual"] == 0, done.stdout
    assert values["infrastructure_edits.usual"] == 0 and values["recovered_share.usual"] == 1
    assert values["median_nights_to_promote.usual"] == 2
    assert values["moves_made_share.usual"] >= 0.97 and values["nights_to_demote.usual"] < 1
    assert values["demoted_same_night.usual"] >= 0.5  # 20 tests a device, and no control ran
    assert values["replayed_alike"] == 1
