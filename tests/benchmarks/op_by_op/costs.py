# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a healthy op costs besides compiler and device, and how soon a worker is back."""

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.variable_names import (
    CACHE_VARIABLE,
    OP_WORKERS_VARIABLE,
    RUN_DIR_VARIABLE,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import ROOT, child_environment


class Cost(msgspec.Struct):
    """Seconds of one op, from being taken up to being on record."""

    whole: float
    imported: float
    """torch-mlir's importer, in the walk's own process."""
    stages: float
    """Lowering, compiling and running, as the device host measured them."""
    healthy: bool

    @property
    def overhead(self) -> float:
        """What is neither compiler nor device: cache, transport, comparison, records."""
        return self.whole - self.imported - self.stages


class Recovery(msgspec.Struct):
    """Seconds a worker was away."""

    taken: float
    """From the fault to the next op's being handed to a host."""
    opening: float
    """Of which the device took to open."""


_FIRST = 3
"""Ops that pay for the worker's start."""


def measure_overhead(folder: Path, devices: Sequence[str], models: Sequence[str]) -> list[Figure]:
    """`overhead_ms` per device and the larger of them; `serial_overhead_ms` beside them."""
    figures, medians = [], []
    for device in devices:
        walk = [c for model in models for c in _costs(folder, model, device, "walk")]
        overheads = sorted(1e3 * cost.overhead for cost in walk)
        medians.append(statistics.median(overheads))
        p95 = overheads[int(0.95 * len(overheads))]
        stages = 1e3 * statistics.median(cost.stages for cost in walk)
        beside = (
            f"{len(walk)} healthy ops of {', '.join(models)}: what each kept its worker from the "
            f"next beyond lowering, compiling and running it ({stages:.0f} ms)"
        )
        figures += [
            Figure(f"overhead_ms_{device}", medians[-1], "ms", "< 2", f"median of {beside}"),
            Figure(f"overhead_p95_ms_{device}", p95, "ms", "", f"95th percentile of {beside}"),
            _serial_figure([c for m in models for c in _costs(folder, m, device)], device),
        ]
    return [*figures, Figure("overhead_ms", max(medians), "ms", "< 2", "the slower device's")]


def _serial_figure(costs: Sequence[Cost], device: str) -> Figure:
    overhead = 1e3 * statistics.median(cost.overhead for cost in costs)
    imported = 1e3 * statistics.median(cost.imported for cost in costs)
    text = (
        f"median of {len(costs)} healthy ops with nothing side by side: from being taken up to "
        "being on record, with cache, transport, comparison and records, less its stages and "
        f"torch-mlir's importer ({imported:.0f} ms)"
    )
    return Figure(f"serial_overhead_ms_{device}", overhead, "ms", "", text)


def _costs(folder: Path, model: str, device: str, *how: str) -> list[Cost]:
    own = folder / "-".join(("overhead", model, device, *how))
    module = "tests.benchmarks.op_by_op.one_by_one"
    output = _run(
        [module, model, device, *how],
        **{
            RUN_DIR_VARIABLE: str(own),
            CACHE_VARIABLE: str(own / "cache" / "verdicts.sqlite"),
            OP_WORKERS_VARIABLE: "1",
            "BRINGUP_SIZE": "tiny",
            "OMP_NUM_THREADS": "1",  # as a night's workers have it where there are as many as cores
        },
    )
    costs = msgspec.json.decode(output, type=list[Cost])
    return [cost for cost in costs[_FIRST:] if cost.healthy]


def measure_recovery(folder: Path, devices: Sequence[str], crashes: int) -> list[Figure]:
    """`recovery_ms` per device, and the larger of them."""
    figures, medians = [], []
    for device in devices:
        plan = folder / f"recovery-{device}.json"
        module = "tests.benchmarks.op_by_op.recovery"
        output = _run([module, device, str(crashes), str(plan)])
        found = msgspec.json.decode(output, type=list[Recovery])
        own = [1e3 * (r.taken - r.opening) for r in found]
        medians.append(statistics.median(own))
        opening = 1e3 * statistics.median(r.opening for r in found)
        text = (
            f"a real SIGSEGV until the next op is in a worker, median of {len(own)}, with the "
            f"probe of the device and less its opening in between ({opening:.0f} ms)"
        )
        figures.append(Figure(f"recovery_ms_{device}", medians[-1], "ms", "< 100", text))
    return [*figures, Figure("recovery_ms", max(medians), "ms", "< 100", "the slower device's")]


def _run(command: Sequence[str], **environment: str) -> bytes:
    """A module's last line of output."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=child_environment(**environment),
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.splitlines()[-1]
