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
from dataclasses import dataclass

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


def walk(
    graph: Graph,
    golden: GoldenValues,
    device: Device,
    tolerances: Tolerances,
    *,
    callbacks: Sequence[Callback] = (),
    options: Mapping[str, str] | None = None,
    deadline_s: float = DEADLINE,
) -> IntermediateReport:
    """Visit every node that has a tensor value, in order of execution.

    `options` are the device compiler's, `deadline_s` is for one window. Raises DeviceError for a
    device that does not execute here, or that stopped answering.
    """
    if not device.open().executes:
        raise DeviceError(f"{device.name} only compiles on this machine; it has no values to show")
    nodes = wrong = 0
    named: list[NodeValue] = []
    missing: list[NodeValue] = []
    waiting = list(windows(graph))
    while waiting:
        window = waiting.pop(0)
        part = cut(graph, _computing(graph), window)
        values = _device_values(part, golden, device, options or {}, deadline_s)
        if isinstance(values, str) and len(window) > 1:
            half = len(window) // 2
            waiting[:0] = [window[:half], window[half:]]
            continue
        if isinstance(values, str):
            missing.append(NodeValue(window[0].name, _op_of(window[0]), values))
            continue
        for node, ours, theirs in zip(window, values, golden.of(window), strict=True):
            nodes += 1
            for callback in callbacks:
                callback(node.name, ours, theirs)
            reasons = mismatches(compare(theirs, ours, tolerances))
            wrong += bool(reasons)
            if reasons and len(named) < WRONG_NODES:
                named.append(NodeValue(node.name, _op_of(node), reasons[0]))
    first = named[0] if named else None
    return IntermediateReport(nodes, first, wrong, tuple(named), tuple(missing))


def _computing(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op == "call_function"]


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
    part: Part, golden: GoldenValues, device: Device, options: Mapping[str, str], deadline_s: float
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
    run = device.run_op(job, deadline_s)
    if run.outputs is None:
        return run.failure.message if run.failure else "the device gave no answer"
    return run.outputs
