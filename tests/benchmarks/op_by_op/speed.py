# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How much faster a first and an unchanged second night are than a process for every op."""

import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import OpLine
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import ROOT, Night, child_environment, run_night
from tests.benchmarks.op_by_op.process_per_op import Sample

SEED = 3
BASELINE = "tests.benchmarks.op_by_op.process_per_op"


@dataclass(frozen=True)
class Nights:
    """Both sides on one device."""

    cold: Night
    warm: Night
    baseline_s: float
    """All ops of all models by the baseline, front end aside."""
    timed: int
    """Ops that were timed for that."""

    @property
    def cold_speedup(self) -> float:
        """Whole commands, front end on both sides."""
        return (self.cold.front_s + self.baseline_s) / self.cold.wall_s

    @property
    def warm_speedup(self) -> float:
        """The ops alone: what comes after loading, exporting and decomposing."""
        return self.baseline_s / self.warm.ops_s

    @property
    def warm_speedup_whole(self) -> float:
        """Whole commands, front end on both sides."""
        return (self.warm.front_s + self.baseline_s) / self.warm.wall_s


def measure(
    folder: Path, devices: Sequence[str], models: Sequence[str], size: str, ops: int | None
) -> list[Figure]:
    """Speed-ups and `hit_rate`; `ops` a device are timed for the baseline, None for all."""
    nights = {}
    for device in devices:
        cache = folder / f"cache-{device}"
        given = [*models, "--device", device, "--size", size]
        cold = run_night(folder / f"cold-{device}", cache, given)
        warm = run_night(folder / f"warm-{device}", cache, given)
        seconds, timed = baseline_seconds(folder / f"baseline-{device}", device, cold, ops)
        nights[device] = Nights(cold, warm, seconds, timed)
    return _figures(nights)


def baseline_seconds(folder: Path, device: str, night: Night, ops: int | None) -> tuple[float, int]:
    """Seconds the baseline takes for every op of a night, from a stratified sample of them.

    Returns the estimate and how many ops were timed.
    """
    chosen = _chosen(night.ops, ops)
    rows = [(test, sample) for test, lines in chosen.items() for sample in _samples(night, lines)]
    folder.mkdir()
    (folder / "ops.json").write_bytes(msgspec.json.encode([sample for _, sample in rows]))
    done = subprocess.run(
        [sys.executable, "-m", BASELINE, str(folder), device],
        cwd=ROOT,
        env=child_environment(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    times: defaultdict[str, list[float]] = defaultdict(list)
    for (test, _), seconds in zip(rows, json.loads(done.stdout.splitlines()[-1]), strict=True):
        times[test].append(seconds)
    count = _per_test(night.ops)
    whole = sum(count[test] * sum(t) / len(t) for test, t in times.items())
    return whole, len(rows)


def _chosen(lines: Sequence[OpLine], ops: int | None) -> dict[str, list[OpLine]]:
    """A seeded random sample of each test's ops, in proportion; at least one of each."""
    by_test: defaultdict[str, list[OpLine]] = defaultdict(list)
    for line in lines:
        if line.result.verdict.stages:
            by_test[line.test].append(line)
    if ops is None:
        return dict(by_test)
    rng = random.Random(SEED)
    share = min(ops / len(lines), 1.0)
    return {test: rng.sample(of, max(1, round(len(of) * share))) for test, of in by_test.items()}


def _samples(night: Night, lines: Sequence[OpLine]) -> list[Sample]:
    artifacts = ArtifactStore(night.directory)
    found = []
    for line in lines:
        verdict = line.result.verdict
        kept = {a.level: a for stage in verdict.stages for a in stage.artifacts}
        text = artifacts.get(kept["torch_ir"]).decode()
        found.append(Sample(text, [(i.dtype, i.shape) for i in verdict.op.inputs]))
    return found


def _per_test(lines: Sequence[OpLine]) -> dict[str, int]:
    count: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        count[line.test] += 1
    return count


def _figures(nights: Mapping[str, Nights]) -> list[Figure]:
    figures = []
    for name, goal, against in (
        ("cold_speedup", ">= 10", _against_cold),
        ("warm_speedup", ">= 100", _against_warm),
    ):
        values = {device: getattr(n, name) for device, n in nights.items()}
        figures += [
            Figure(f"{name}_{device}", value, "x", goal, against(nights[device]))
            for device, value in values.items()
        ]
        figures.append(Figure(name, min(values.values()), "x", goal, "the slower device's"))
    figures += [
        Figure(f"warm_speedup_whole_{device}", n.warm_speedup_whole, "x", "", _against_whole(n))
        for device, n in nights.items()
    ]
    lines = [line.result for n in nights.values() for line in n.warm.ops]
    hits = sum(line.hit for line in lines)
    text = f"an unchanged rerun: {hits} of {len(lines)} ops answered by the cache"
    return [*figures, Figure("hit_rate", hits / len(lines), "", "== 1", text)]


def _procedure(n: Nights) -> str:
    count = len(n.cold.ops)
    return (
        f"a new process to compile each op and one to run them, serial, unique per model: {count} "
        f"ops at {n.baseline_s / count:.2f} s, mean of {n.timed} timed"
    )


def _against_cold(n: Nights) -> str:
    return (
        f"{_procedure(n)}, after the same {n.cold.front_s:.0f} s of loading, exporting and "
        f"decomposing; ours is the whole command, {n.cold.wall_s:.0f} s with an empty cache"
    )


def _against_warm(n: Nights) -> str:
    return (
        f"{_procedure(n)}; ours is what a second night's tests do after loading, exporting and "
        f"decomposing, which both sides need: {n.warm.ops_s:.1f} s, one test after the other"
    )


def _against_whole(n: Nights) -> str:
    return (
        f"{_procedure(n)}, after the same {n.warm.front_s:.0f} s of loading, exporting and "
        f"decomposing; ours is the whole command of a second night, {n.warm.wall_s:.0f} s"
    )
