# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Intermediate values: the device's value of every node, against PyTorch's, in bounded memory.

A graph is cut into windows of nodes. For each window the program is compiled again with that
window's values as its only outputs, run on the same inputs, and compared node by node; golden
values come from interpreting the same graph. Only one window's values are ever held, and what
`GoldenValues` keeps. A window that the device cannot do is halved, down to the node it cannot give.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch.fx import Graph, Node

from harness.devices.client import Device
from harness.devices.op_run import OpJob
from harness.errors import DeviceError
from harness.frontend.fx_import import import_graph
from harness.frontend.mlir import LoweringError, TorchMlir, text_of
from harness.op_by_op.torch_ops import is_undefined
from harness.reduce.golden import GoldenValues
from harness.reduce.part import Part, cut, is_tensor
from harness.verify import Tolerances, compare, mismatches

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
    """One node that was looked at."""

    node: Node
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
        name, target = seen.node.name, _op_of(seen.node)
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
    graph: Graph,
    golden: GoldenValues,
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
    for seen in compared(graph, golden, device, tolerances, callbacks=callbacks, options=options):
        tally.add(seen)
    return tally.report()


def compared(
    graph: Graph,
    golden: GoldenValues,
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
    if not device.open().executes:
        raise DeviceError(f"{device.name} only compiles on this machine; it has no values to show")
    waiting = list(windows(graph))
    computing = [node for node in graph.nodes if node.op == "call_function"]
    while waiting:
        window = waiting.pop(0)
        values = _device_values(cut(graph, computing, window), golden, device, options or {})
        if not isinstance(values, str):
            yield from _looked_at(window, values, golden, tolerances, callbacks)
        elif len(window) > 1:
            half = len(window) // 2
            waiting[:0] = [window[:half], window[half:]]
        else:
            yield Compared(window[0], missing=values)


def _looked_at(
    window: Sequence[Node],
    values: Sequence[torch.Tensor],
    golden: GoldenValues,
    tolerances: Tolerances,
    callbacks: Sequence[Callback],
) -> Iterator[Compared]:
    for node, ours, theirs in zip(window, values, golden.of(window), strict=True):
        for callback in callbacks:
            callback(node.name, ours, theirs)
        reasons = mismatches(compare(theirs, ours, tolerances))
        yield Compared(node, reasons[0] if reasons else "")


def _op_of(node: Node) -> str:
    """The op that computed a value; for one of several results, the op that gave them all."""
    if node.target is operator.getitem and isinstance(node.args[0], Node):
        return str(node.args[0].target)
    return str(node.target)


def windows(graph: Graph) -> Iterator[list[Node]]:
    """Consecutive nodes with tensor values, at most a window's worth together."""
    window: list[Node] = []
    size = 0
    for node in graph.nodes:
        if node.op != "call_function" or not is_tensor(node) or is_undefined(node):
            continue
        value = node.meta["val"]
        bytes_ = value.numel() * value.element_size()
        if window and (size + bytes_ > WINDOW_BYTES or len(window) >= WINDOW_NODES):
            yield window
            window, size = [], 0
        window.append(node)
        size += bytes_
    if window:
        yield window


def _device_values(
    part: Part, golden: GoldenValues, device: Device, options: Mapping[str, str]
) -> Sequence[torch.Tensor] | str:
    """The outputs of a part on the device, or why there are none."""
    try:
        text = text_of(import_graph(TorchMlir(), part.graph))
    except LoweringError as error:
        return str(error)
    job = OpJob(
        torch_ir=text.encode(),
        options=options,
        inputs=tuple(golden.of(part.inputs)),
        execute=True,
    )
    run = device.run_op(job, DEADLINE)
    if run.outputs is None:
        return run.failure.message if run.failure else "the device gave no answer"
    return run.outputs
