# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each kind of accelerator makes of the programs, at what cost; a kind that is done is kept.

All kinds take an hour or two on two cores, so what a kind made of the programs is written as soon
as it is known, and the next start goes on behind it.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import Ended, OpJob
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import DeviceFailure, HostCrash, HostTimeout
from bringup.harness.devices.wire import Analysis
from bringup.harness.errors import DeviceError
from bringup.harness.estimate.roofline import estimate
from bringup.harness.estimate.stablehlo_work import work_of
from bringup.harness.mlir import TorchMlir, read
from tests.benchmarks.devices import programs
from tests.benchmarks.figures import Figure

_DEADLINE_S = 1800.0
_LINE = 160


class Tried(msgspec.Struct, frozen=True):
    """What a kind made of the programs."""

    kind: str
    opened_s: float
    first: bool
    """Was it the first that this process opened, which pays for all?"""
    compiled: tuple[str, ...]
    refused: Mapping[str, str]
    """Programs that ended in the compiler's own diagnostic, with its first line."""
    lost: Mapping[str, str]
    """Programs whose compilation ended otherwise, and how."""
    seconds: Mapping[str, float]
    """Of each program, on the wall."""
    op_s: tuple[float, ...]
    """Of each op that compiled."""
    peak_rss: int
    """Bytes."""
    differs: int
    """Estimates whose memory is not the compiler's."""


def measure(lowered: Mapping[str, bytes], kinds: Sequence[str], work: Path) -> list[Figure]:
    """The figures of all kinds; those kept below `work` are not tried again."""
    tried = [one for one in _all(lowered, kinds, work) if one is not None]
    in_all = len(tried) * len(lowered) or 1
    compiled = sum(len(one.compiled) for one in tried)
    orderly = compiled + sum(len(one.refused) for one in tried)
    whole = sum(len(one.compiled) + len(one.refused) == len(lowered) for one in tried)
    ops = [statistics.median(one.op_s) for one in tried if one.op_s]
    text = f"{len(tried)} of {len(kinds)} kinds, {len(lowered)} programs"
    slowest = max((one.opened_s for one in tried if not one.first), default=0.0)
    peak = max((one.peak_rss for one in tried), default=0)
    return [
        Figure("kinds", whole, "", ">= 12", f"{text}; those that end all in order"),
        Figure("fleet_compiled_share", compiled / in_all, "", "", text),
        Figure("fleet_ended_share", orderly / in_all, "", "== 1", text),
        Figure("open_seconds", slowest, "s", "<= 3", "the slowest kind after the first"),
        Figure("op_seconds", max(ops, default=0.0), "s", "<= 0.5", "median op, slowest kind"),
        Figure("peak_gib", peak / (1 << 30), "GiB", "<= 8", text),
        Figure("memory_differs", sum(one.differs for one in tried), "", "== 0", text),
    ]


def _all(lowered: Mapping[str, bytes], kinds: Sequence[str], work: Path) -> Iterator[Tried | None]:
    first = True
    for kind in kinds:
        kept = work / f"kind-{kind}.json"
        if kept.exists():
            one = msgspec.json.decode(kept.read_bytes(), type=Tried)
            known = {*one.compiled, *one.refused, *one.lost}
            if known == set(lowered):
                print(f"{_said(one)} (kept)", flush=True)
                yield one
                continue
        tried = _try(kind, lowered, first=first)
        if tried is not None:
            first = False
            kept.write_bytes(msgspec.json.format(msgspec.json.encode(tried)))
            print(_said(tried), flush=True)
        yield tried


def _said(one: Tried) -> str:
    op = statistics.median(one.op_s) if one.op_s else 0.0
    said = f"{one.kind}: opened in {one.opened_s:.2f} s, {len(one.compiled)} compiled in"
    said += f" {sum(one.seconds.values()):.0f} s, {len(one.refused)} refused in the compiler's"
    said += f" words, an op {op:.2f} s, {one.peak_rss / (1 << 30):.1f} GiB"
    return said + "".join(f"; lost: {name}: {how}" for name, how in one.lost.items())


def _try(kind: str, lowered: Mapping[str, bytes], *, first: bool) -> Tried | None:
    device, started = Device(kind), time.perf_counter()
    try:
        device.open()
    except DeviceError as error:
        print(f"left out: {kind}: {error}")
        return None
    opened_s = time.perf_counter() - started
    try:
        return _compiled(device, lowered, opened_s, first=first)
    finally:
        device.close()


def _compiled(
    device: Device, lowered: Mapping[str, bytes], opened_s: float, *, first: bool
) -> Tried:
    compiled: list[str] = []
    refused: dict[str, str] = {}
    lost: dict[str, str] = {}
    seconds: dict[str, float] = {}
    differs = peak = 0
    runs = [device.run_op(OpJob(stablehlo=text.encode())) for text in programs.OPS]
    for name, artifact in lowered.items():
        began = time.perf_counter()
        try:
            binary = device.compile(artifact, {}, timeout=_DEADLINE_S)
        except (HostCrash, HostTimeout) as error:
            lost[name] = str(error).partition("\n")[0][:_LINE]
            continue
        except DeviceFailure as error:
            refused[name] = str(error).partition("\n")[0][:_LINE]
            print(f"{device.name}: {name}: {refused[name]}", flush=True)
            continue
        finally:
            seconds[name] = round(time.perf_counter() - began, 2)
        compiled.append(name)
        peak = max(peak, binary.usage.peak_rss)
        differs += _differs(device.name, artifact, binary.analysis)
        binary.release()
    return Tried(
        kind=device.name,
        opened_s=opened_s,
        first=first,
        compiled=tuple(compiled),
        refused=refused,
        lost=lost,
        seconds=seconds,
        op_s=tuple(run.wall_s for run in runs if run.ended is Ended.DONE),
        peak_rss=peak,
        differs=differs,
    )


def _differs(kind: str, artifact: bytes, said: Analysis) -> bool:
    """Is an estimate's memory another than the compiler says, where it says all of it?"""
    figures = kind_of(kind).figures
    if figures is None:
        return False
    mlir = TorchMlir()
    with mlir.context:
        work = work_of(read(mlir, artifact))
    memory = estimate(work, said, figures).memory
    ours = (memory.arguments, memory.outputs, memory.temporaries)
    theirs = (said.arguments, said.outputs, said.temporaries)
    return None not in theirs and ours != theirs
