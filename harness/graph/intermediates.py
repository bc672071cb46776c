# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Intermediate values: the device's value of every node, against the golden one, in bounded memory.

A graph, of PyTorch or ONNX, is cut into windows of nodes. For each window the program is compiled
again with that window's values as its only outputs, run on the same inputs, and compared node by
node; golden values come from running the same graph by PyTorch or onnxruntime. Only one window's
values are ever held, and what `GoldenValues` keeps. A window that the device cannot do is halved,
down to the node it cannot give.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import OpJob
from bringup.harness.errors import DeviceError
from bringup.harness.graph.golden_values import GoldenError
from bringup.harness.graph.op_graph import OpGraph, Part
from bringup.harness.mlir import LoweringError, TorchMlir, serialized
from bringup.harness.verify import Tolerances, compare, mismatches

WINDOW_BYTES = 256 << 20
"""Values held at once, on either side."""
WINDOW_NODES = 200
DEADLINE = 600.0
"""Seconds to lower, compile and run the program of one window."""
WRONG_NODES = 100
"""Wrong nodes that are named; the rest are counted."""

Callback = Callable[[str, torch.Tensor, torch.Tensor], None]
"""Gets a node's name, the device's value and the golden value."""


@dataclass(frozen=True)
class NodeValue:
    """A node whose value left tolerance, or could not be had."""

    name: str
    target: str
    reason: str
    """Metric, measured and required, in a sentence; or why the device did not give it."""


@dataclass(frozen=True)
class IntermediateReport:
    """What a walk found."""

    nodes: int
    """Values that were compared."""
    first_wrong: NodeValue | None
    wrong: int = 0
    wrong_nodes: tuple[NodeValue, ...] = ()
    """The first of them, in order of execution."""
    missing: tuple[NodeValue, ...] = ()
    """Nodes whose value the device could not give."""

    def render(self) -> str:
        """For people."""
        missing = ""
        if self.missing:
            first = self.missing[0]
            missing = f"; {len(self.missing)} could not be had, the first {first.name}"
            missing += f" ({first.target}): {first.reason}"
        if self.first_wrong is None:
            return f"all {self.nodes} intermediate values agree{missing}"
        first = self.first_wrong
        return (
            f"{self.wrong} of {self.nodes} intermediate values leave tolerance; "
            f"the first is {first.name} ({first.target}): {first.reason}{missing}"
        )


@dataclass(frozen=True)
class Compared:
    """One value that was looked at."""

    name: str
    target: str
    """The op that computed it."""
    reason: str = ""
    """Why it is wrong; empty when it is right."""
    missing: str = ""
    """Why the device did not give it; empty when it did."""


@dataclass
class Tally:
    """What a walk found so far."""

    nodes: int = 0
    wrong: int = 0
    named: list[NodeValue] = field(default_factory=list)
    missing: list[NodeValue] = field(default_factory=list)

    def add(self, seen: Compared) -> None:
        """Count one more node."""
        name, target = seen.name, seen.target
        if seen.missing:
            self.missing.append(NodeValue(name, target, seen.missing))
            return
        self.nodes += 1
        self.wrong += bool(seen.reason)
        if seen.reason and len(self.named) < WRONG_NODES:
            self.named.append(NodeValue(name, target, seen.reason))

    def report(self) -> IntermediateReport:
        """What it comes to."""
        first = self.named[0] if self.named else None
        return IntermediateReport(
            self.nodes, first, self.wrong, tuple(self.named), tuple(self.missing)
        )


def walk(
    graph: OpGraph,
    device: Device,
    tolerances: Tolerances,
    *,
    callbacks: Sequence[Callback] = (),
    options: Mapping[str, str] | None = None,
) -> IntermediateReport:
    """Visit every node that has a tensor value, in order of execution; `options` as `compared`.

    Raises:
        DeviceError: the device does not execute here, or stopped answering.
    """
    tally = Tally()
    for seen in compared(graph, device, tolerances, callbacks=callbacks, options=options):
        tally.add(seen)
    return tally.report()


def compared(
    graph: OpGraph,
    device: Device,
    tolerances: Tolerances,
    *,
    callbacks: Sequence[Callback] = (),
    options: Mapping[str, str] | None = None,
) -> Iterator[Compared]:
    """Look at the nodes one after the other; `options` are the device compiler's.

    Raises:
        DeviceError: the device does not execute here, or stopped answering.
    """
    if not device.executes():
        raise DeviceError(f"{device.name} only compiles on this machine; it has no values to show")
    waiting = list(windows(graph))
    makers = {name: unit.op for unit in graph.units for name in unit.values}
    while waiting:
        window = waiting.pop(0)
        values = _device_values(graph.cut(graph.units, window), graph, device, options or {})
        if not isinstance(values, str):
            looked_at = zip(window, values, graph.golden(window), strict=True)
            for name, ours, theirs in looked_at:
                for callback in callbacks:
                    callback(name, ours, theirs)
                reasons = mismatches(compare(theirs, ours, tolerances))
                yield Compared(name, makers[name], reasons[0] if reasons else "")
        elif len(window) > 1:
            half = len(window) // 2
            waiting[:0] = [window[:half], window[half:]]
        else:
            yield Compared(window[0], makers[window[0]], missing=values)


def windows(graph: OpGraph) -> Iterator[list[str]]:
    """Consecutive values, at most a window's worth together."""
    window: list[str] = []
    size = 0
    for name in (name for unit in graph.units for name in unit.values):
        bytes_ = graph.size(name)
        if window and (size + bytes_ > WINDOW_BYTES or len(window) >= WINDOW_NODES):
            yield window
            window, size = [], 0
        window.append(name)
        size += bytes_
    if window:
        yield window


def _device_values(
    part: Part, graph: OpGraph, device: Device, options: Mapping[str, str]
) -> Sequence[torch.Tensor] | str:
    """The outputs of a part on the device, or why there are none."""
    try:
        job = OpJob(
            torch_ir=serialized(part.imported(TorchMlir())),
            options=options,
            inputs=tuple(graph.golden(part.inputs)),
            execute=True,
        )
    except (LoweringError, GoldenError) as error:
        return str(error)
    run = device.run_op(job, DEADLINE)
    if run.outputs is None:
        return run.failure.message if run.failure else "the device gave no answer"
    return run.outputs
