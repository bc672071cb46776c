# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Op by op: its speed against a process for every op, what it survives, what its cache answers.

Every part uses the program as it is used at night, in processes of its own, below one scratch
folder. `--quick` is a rehearsal of all parts with two shortened models; its figures say little.
"""

import argparse
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op import costs, faults, keys, reproducers, speed
from tests.benchmarks.op_by_op.nights import BASE_MODELS, TINY_MODELS

PARTS = ("speed", "costs", "faults", "keys", "reproducers")


@dataclass(frozen=True)
class Amounts:
    """How much of everything."""

    models: tuple[str, ...] = BASE_MODELS
    size: str = "base"
    baseline_ops: int | None = 24
    """Ops of a device that the baseline is timed on; None for all."""
    overhead_models: tuple[str, ...] = ("bert", "resnet")
    crashes: int = 12
    faults: int = 500
    mutations: int = 10_000
    groups: tuple[str, ...] = ("unlowered", "endless", "wrong", "boards", "empty")


QUICK = Amounts(
    models=TINY_MODELS,
    size="tiny",
    baseline_ops=4,
    overhead_models=("bert",),
    crashes=2,
    faults=20,
    mutations=500,
    groups=("wrong",),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    add = parser.add_argument
    add("--quick", action="store_true", help="rehearse everything, with two models shortened")
    add("--full", action="store_true", help="time the baseline on every op: an hour a device")
    add("--ops", type=int, metavar="N", help="ops a device that the baseline is timed on")
    add("--faults", type=int, metavar="N", help="faults to inject at least")
    add("--device", default="cpu,n150", help="devices, the first and the second night's")
    add("--only", default=",".join(PARTS), help=f"parts: {','.join(PARTS)}")
    add("--scratch", type=Path, metavar="DIR", help="keep run directories there")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    amounts, devices = _amounts(options), tuple(options.device.split(","))
    parts = options.only.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    scratch = Path(tempfile.mkdtemp(prefix="bringup-bench-", dir=options.scratch))
    try:
        return [
            f for part in PARTS if part in parts for f in _part(part, scratch, amounts, devices)
        ]
    finally:
        if options.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)


def _part(part: str, scratch: Path, amounts: Amounts, devices: tuple[str, ...]) -> list[Figure]:
    folder = scratch / part
    folder.mkdir()
    print(f"{part} ...", flush=True)
    if part == "speed":
        return speed.measure(folder, devices, amounts.models, amounts.size, amounts.baseline_ops)
    if part == "costs":
        overhead = costs.measure_overhead(folder, devices, amounts.overhead_models)
        return overhead + costs.measure_recovery(folder, devices, amounts.crashes)
    if part == "faults":
        return faults.measure(folder, amounts.models, "tiny", amounts.faults)
    if part == "keys":
        return keys.measure(folder, amounts.mutations)
    return reproducers.measure(folder, amounts.groups)


def _amounts(options: argparse.Namespace) -> Amounts:
    amounts = QUICK if options.quick else Amounts()
    if options.full:
        amounts = replace(amounts, baseline_ops=None)
    if options.ops:
        amounts = replace(amounts, baseline_ops=options.ops)
    if options.faults:
        amounts = replace(amounts, faults=options.faults)
    return amounts
