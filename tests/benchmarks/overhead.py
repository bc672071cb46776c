# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the harness costs: a whole test against a bare script of the same stages.

Both sides are processes of their own, run in turn, whole process against whole process. Ours is
the pytest test of the fleet, with records, kept IR and verification; the bare script loads, runs
eager, exports, decomposes, lowers, compiles, executes and correlates, and keeps nothing.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from tests.benchmarks.figures import Figure

MODELS = {
    "resnet50": "tests/models/resnet/test_resnet.py::test_resnet[full-eval]",
    "bert": "tests/models/bert/test_bert.py::test_bert[full-eval]",
}


BARE_ENVIRONMENT = {"JAX_PLATFORMS": "cpu"}
"""Plugins register themselves with jax otherwise, and one without hardware raises."""


@dataclass(frozen=True)
class Pair:
    """Seconds of one run of each side."""

    ours: float
    bare: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument("--pairs", type=int, default=5, help="runs of each side, in turn")


def measure(options: argparse.Namespace) -> list[Figure]:
    """`ratio_MODEL` for every model: the median over pairs of ours / bare."""
    figures = []
    for model, test in MODELS.items():
        timed(bare_command(model), **BARE_ENVIRONMENT)  # both sides read the same files from now on
        runs = [run_pair(model, test) for _ in range(options.pairs)]
        ratio = statistics.median(p.ours / p.bare for p in runs)
        bare = statistics.median(p.bare for p in runs)
        figures.append(
            Figure(
                f"ratio_{model}",
                ratio,
                "x",
                "<= 1.05",
                f"a bare script of the same stages, {bare:.1f} s median of {options.pairs}",
            )
        )
    return figures


def run_pair(model: str, test: str) -> Pair:
    """One run of each side, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        ours = timed(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
            BRINGUP_RUN_DIR=folder,
        )
    return Pair(ours, timed(bare_command(model), **BARE_ENVIRONMENT))


def bare_command(model: str) -> list[str]:
    """The bare script's command line."""
    return [sys.executable, "-m", "tests.benchmarks.bare_flow", model]


def timed(command: list[str], **environment: str) -> float:
    """Wall seconds of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | environment, capture_output=True)
    return time.perf_counter() - started
