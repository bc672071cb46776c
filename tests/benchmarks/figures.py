# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Figures of a benchmark: one line each on the terminal, all of them in one JSON file."""

from pathlib import Path

import msgspec

RESULTS = Path("results/benchmarks")


class Figure(msgspec.Struct, frozen=True):
    """One measured number."""

    figure: str
    value: float
    unit: str
    goal: str
    """e.g. `<= 1.05`; empty when there is none."""
    baseline: str
    """What it was measured against."""


def write_figures(name: str, figures: list[Figure]) -> Path:
    """Print each figure and write `results/benchmarks/NAME.json`."""
    for f in figures:
        goal = f"  (goal {f.goal})" if f.goal else ""
        print(f"{f.figure} = {f.value:.4g} {f.unit}{goal}  against {f.baseline}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    print(f"written {path}")
    return path
