# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Intermediate values: the device's value of every node, against PyTorch's, in bounded memory.

A graph is cut into windows of nodes. For each window the program is compiled again with that
window's values as its only outputs, run on the same inputs, and compared node by node; golden
values come from interpreting the same graph. Only one window's values are ever held.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Graph, Interpreter, Node

from harness.devices.client import Device
from harness.frontend.fx_import import import_graph
from harness.frontend.mlir import BACKEND_PIPELINE, TorchMlir, at_version
from harness.frontend.program import Signature
from harness.lowering import Program
from harness.verify import Tolerances, compare, mismatches

WINDOW_BYTES = 256 << 20
"""Values held at once, on either side."""
WINDOW_NODES = 200


@dataclass(frozen=True)
class NodeValue:
    """A node whose value left tolerance."""

    name: str
    target: str
    reason: str
    """Metric, measured and required, in a sentence."""


@dataclass(frozen=True)
class IntermediateReport:
    """What a walk found."""

    nodes: int
    first_wrong: NodeValue | None
    wrong: int = 0

    def render(self) -> str:
        """For people."""
        if self.first_wrong is None:
            return f"all {self.nodes} intermediate values agree"
        first = self.first_wrong
        return (
            f"{self.wrong} of {self.nodes} intermediate values leave tolerance; "
            f"the first is {first.name} ({first.target}): {first.reason}"
        )


def walk_intermediates(
    program: Program,
    leaves: Sequence[Any],
    device: Device,
    callbacks: Sequence[Callable[[str, torch.Tensor, torch.Tensor], None]],
    required_pcc: float,
) -> IntermediateReport:
    """Visit every node that has a tensor value, in order of execution."""
    assert program.graph is not None and program.signature is not None
    arguments = program.signature.bind(leaves)
    tolerances = Tolerances(required_pcc=required_pcc)
    first: NodeValue | None = None
    nodes = wrong = 0
    for window in windows(program.graph):
        actual = _device_values(program.graph, program.signature, window, arguments, device)
        golden = _golden_values(program.graph, window, arguments)
        for node, ours, theirs in zip(window, actual, golden, strict=True):
            nodes += 1
            for callback in callbacks:
                callback(node.name, ours, theirs)
            reasons = mismatches(compare(theirs, ours, tolerances))
            if reasons:
                wrong += 1
                first = first or NodeValue(node.name, _op_of(node), reasons[0])
    return IntermediateReport(nodes, first, wrong)


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
        value = node.meta.get("val")
        if node.op != "call_function" or not isinstance(value, torch.Tensor):
            continue
        bytes_ = value.numel() * value.element_size()
        if window and (size + bytes_ > WINDOW_BYTES or len(window) >= WINDOW_NODES):
            yield window
            window, size = [], 0
        window.append(node)
        size += bytes_
    if window:
        yield window


def _device_values(
    graph: Graph,
    signature: Signature,
    window: Sequence[Node],
    arguments: Sequence[torch.Tensor],
    device: Device,
) -> list[torch.Tensor]:
    cut = _with_outputs(graph, window)
    mlir = TorchMlir()
    module = import_graph(mlir, cut)
    mlir.run(module, BACKEND_PIPELINE)
    mlir.to_stablehlo(module)
    artifact = at_version(mlir.portable(module), device.open().stablehlo_version)
    binary = device.compile(artifact, {})
    try:
        outputs, _ = device.run(binary, arguments)
    finally:
        binary.release()
    return outputs


def _with_outputs(graph: Graph, outputs: Sequence[Node]) -> Graph:
    """A copy that computes `outputs` and nothing that comes after them; all inputs stay."""
    copy = Graph()
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        if node.op == "output":
            break
        mapping[node] = copy.node_copy(node, lambda n: mapping[n])
    copy.output(tuple(mapping[node] for node in outputs))
    copy.eliminate_dead_code()
    return copy


def _golden_values(
    graph: Graph, window: Sequence[Node], arguments: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    module = torch.fx.GraphModule(torch.nn.Module(), _with_outputs(graph, window))
    with torch.no_grad():
        values = Interpreter(module).run(*arguments)
    return list(values)
