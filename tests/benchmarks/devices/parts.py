# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Accelerators that are not here: how many there are, how much of the fleet they take, at what
cost; estimates against executions on the CPU; what is to blame, and what is to be expected.

`--quick` takes two small programs instead of the seven models, installs no release and predicts
nothing. Whatever is lowered is lowered once,
on the CPU; each kind then compiles the artifacts in a host of its own.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import Ended, OpJob
from bringup.harness.devices.backends.accelerator_file import shipped
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import DeviceFailure, HostCrash, HostTimeout
from bringup.harness.errors import DeviceError
from bringup.harness.estimate.roofline import estimate
from bringup.harness.estimate.stablehlo_work import work_of
from bringup.harness.mlir import TorchMlir, read
from tests.benchmarks.devices import pass_cases, predictions, programs, releases, roofline
from tests.benchmarks.figures import Figure

PARTS = ("fleet", "roofline", "passes", "versions", "predict")
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Tried:
    """What a kind made of the programs."""

    kind: str
    opened_s: float
    compiled: int
    refused: int
    """By the compiler's own diagnostic."""
    lost: tuple[str, ...]
    """Programs whose compilation ended otherwise, and how."""
    op_s: tuple[float, ...]
    """Of each op that compiled."""
    peak_rss: int
    differs: int
    """Estimates whose memory is not the compiler's."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    names = ",".join(one.name for one in shipped())
    parser.add_argument("--quick", action="store_true", help="two small programs, no model")
    parser.add_argument("--kinds", default=names, help="accelerators, with commas")
    parser.add_argument(
        "--predict-on", default="n150,h100", help="devices that only compile, with commas"
    )
    parser.add_argument("--only", default="", help=f"parts: {','.join(PARTS)} (default: all)")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    quick = ("fleet", "roofline", "passes")
    parts = options.only.split(",") if options.only else (quick if options.quick else PARTS)
    if unknown := sorted(set(parts) - set(PARTS)):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="bringup-bench-") as name:
        folder = Path(name)
        lowered = {}
        if {"fleet", "roofline"} & set(parts):
            lowered = programs.small() if options.quick else programs.base_models(folder)
        if "fleet" in parts:
            figures += _fleet(lowered, options.kinds.split(","))
        if "roofline" in parts:
            figures += roofline.measure(lowered)
        if "passes" in parts:
            figures += pass_cases.measure()
        if "versions" in parts:
            figures += releases.measure(folder / "versions")
        if "predict" in parts:
            figures += predictions.measure(folder, options.predict_on.split(","))
    return figures


def _fleet(lowered: dict[str, bytes], kinds: Sequence[str]) -> list[Figure]:
    tried: list[Tried] = []
    for one in _tried(lowered, kinds):
        tried.append(one)
        said = f"{one.compiled} compiled, {one.refused} refused in the compiler's words"
        op = statistics.median(one.op_s) if one.op_s else 0.0
        print(
            f"{one.kind}: opened in {one.opened_s:.2f} s, {said}, an op {op:.2f} s; {one.lost}",
            flush=True,
        )
    programs_in_all = len(tried) * len(lowered) or 1
    compiled = sum(one.compiled for one in tried)
    orderly = compiled + sum(one.refused for one in tried)
    ops = [statistics.median(one.op_s) for one in tried if one.op_s]
    text = f"{len(tried)} of {len(kinds)} kinds, {len(lowered)} programs"
    slowest = max((one.opened_s for one in tried[1:]), default=0.0)
    peak = max((one.peak_rss for one in tried), default=0)
    return [
        Figure("kinds", len(tried), "", ">= 12", "accelerators that open here"),
        Figure("fleet_compiled_share", compiled / programs_in_all, "", "", text),
        Figure("fleet_ended_share", orderly / programs_in_all, "", "== 1", text),
        Figure("open_seconds", slowest, "s", "<= 3", "the slowest kind after the first"),
        Figure("op_seconds", max(ops, default=0.0), "s", "<= 0.5", "median op, slowest kind"),
        Figure("peak_gib", peak / (1 << 30), "GiB", "<= 8", text),
        Figure("memory_differs", sum(one.differs for one in tried), "", "== 0", text),
    ]


def _tried(lowered: dict[str, bytes], kinds: Sequence[str]) -> Iterator[Tried]:
    for kind in kinds:
        device, started = Device(kind), time.perf_counter()
        try:
            device.open()
        except DeviceError as error:
            print(f"left out: {kind}: {error}")
            continue
        opened_s = time.perf_counter() - started
        try:
            yield _compiled(device, lowered, opened_s)
        finally:
            device.close()


def _compiled(device: Device, lowered: dict[str, bytes], opened_s: float) -> Tried:
    compiled = refused = differs = peak = 0
    lost: list[str] = []
    for name, artifact in lowered.items():
        try:
            binary = device.compile(artifact, {}, timeout=_DEADLINE_S)
        except (HostCrash, HostTimeout) as error:
            lost.append(f"{name}: {error}")
            continue
        except DeviceFailure as error:
            refused += 1
            print(f"{device.name}: {name}: {str(error).splitlines()[0][:160]}")
            continue
        compiled, peak = compiled + 1, max(peak, binary.usage.peak_rss)
        said, figures = binary.analysis, kind_of(device.name).figures
        mlir = TorchMlir()
        with mlir.context:
            work = work_of(read(mlir, artifact))
        if figures is not None:
            memory = estimate(work, said, figures).memory
            ours = (memory.arguments, memory.outputs, memory.temporaries)
            theirs = (said.arguments, said.outputs, said.temporaries)
            differs += None not in theirs and ours != theirs
        binary.release()
    runs = [device.run_op(OpJob(stablehlo=text.encode())) for text in programs.OPS]
    return Tried(
        kind=device.name,
        opened_s=opened_s,
        compiled=compiled,
        refused=refused,
        lost=tuple(lost),
        op_s=tuple(run.wall_s for run in runs if run.ended is Ended.DONE),
        peak_rss=peak,
        differs=differs,
    )
