# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Accelerators that are not here: how many there are, how much of the fleet they take, at what
cost; estimates against executions on the CPU; what is to blame, and what is to be expected.

`--quick` takes two small programs instead of the seven models, installs no release and predicts
nothing. Whatever is lowered is lowered once, on the CPU; each kind then compiles the artifacts in a
host of its own.

The whole takes hours on two cores. With `--work DIR` it can be stopped and started again: what is
lowered, and what each kind and each walk made, is kept there and taken from there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bringup.harness.devices.backends.accelerator_file import shipped
from tests.benchmarks.devices import fleet, pass_cases, predictions, programs, releases, roofline
from tests.benchmarks.figures import Figure

PARTS = ("fleet", "roofline", "passes", "versions", "predict")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    names = ",".join(one.name for one in shipped())
    parser.add_argument("--quick", action="store_true", help="two small programs, no model")
    parser.add_argument("--kinds", default=names, help="accelerators, with commas")
    parser.add_argument(
        "--predict-on", default="cpu,n150,mi300x", help="devices to predict, with commas"
    )
    parser.add_argument("--only", default="", help=f"parts: {','.join(PARTS)} (default: all)")
    parser.add_argument(
        "--work", type=Path, help="a folder that keeps what was done (default: one that goes)"
    )


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    quick = ("fleet", "roofline", "passes")
    parts = options.only.split(",") if options.only else (quick if options.quick else PARTS)
    if unknown := sorted(set(parts) - set(PARTS)):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    if options.work is None:
        with TemporaryDirectory(prefix="bringup-bench-") as name:
            return _measured(options, parts, Path(name))
    work = options.work.absolute() / ("quick" if options.quick else "whole")
    work.mkdir(parents=True, exist_ok=True)
    return _measured(options, parts, work)


def _measured(options: argparse.Namespace, parts: Sequence[str], work: Path) -> list[Figure]:
    figures: list[Figure] = []
    lowered = {}
    if {"fleet", "roofline"} & set(parts):
        lowered = programs.small() if options.quick else programs.base_models(work)
    if "fleet" in parts:
        figures += fleet.measure(lowered, options.kinds.split(","), work)
    if "roofline" in parts:
        figures += roofline.measure(lowered)
    if "passes" in parts:
        figures += pass_cases.measure()
    if "versions" in parts:
        figures += releases.measure(work / "versions")
    if "predict" in parts:
        figures += predictions.measure(work, options.predict_on.split(","))
    return figures
