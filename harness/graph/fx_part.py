# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Parts of an FX graph: any set of its nodes, cut out so that it runs alone."""

import contextlib
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch.fx import Graph, GraphModule, Node
from torch_mlir import ir

from bringup.harness.dense import bytes_of
from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.graph.op_graph import Unit, joint_name
from bringup.harness.mlir import TorchMlir
from bringup.harness.ops.fx_json import FxJsonError, dumps, subgraph
from bringup.harness.ops.identity import IdentityError, torch_op, torch_operands, torch_values
from bringup.harness.records.reproducible import FX, FX_JSON
from bringup.harness.records.schema import Op, TensorType


@dataclass(frozen=True)
class FxPart:
    """A part of an FX graph, as a program of its own; see `op_graph.Part`."""

    module: GraphModule
    units: tuple[Unit, ...]
    nodes: tuple[Node, ...]
    """The first node of each unit in the whole graph: the op itself."""
    input_nodes: tuple[Node, ...]
    """The whole graph's nodes that feed it, one for each placeholder."""
    output_nodes: tuple[Node, ...]
    """The whole graph's nodes that it gives."""

    @property
    def graph(self) -> Graph:
        """The program."""
        return self.module.graph

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes that feed it."""
        return tuple(node.name for node in self.input_nodes)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the nodes that it gives."""
        return tuple(node.name for node in self.output_nodes)

    def op(self) -> Op:
        """Of one op that op itself, else its ops and how they hang together."""
        if len(self.nodes) == 1:
            with contextlib.suppress(IdentityError):
                if len(torch_operands(self.nodes[0])) == len(self.inputs):  # each taken once
                    return torch_op(self.nodes[0])
        op = Op(
            key="",
            name=joint_name(self.units),
            source="torch",
            inputs=tuple(map(_type, _values(self.input_nodes))),
            outputs=tuple(map(_type, _values(self.output_nodes))),
            attributes={"graph": _canonical(self.graph)},
        )
        key = hashlib.sha256(msgspec.json.encode(op, order="deterministic")).hexdigest()
        return msgspec.structs.replace(op, key=key)

    def imported(self, mlir: TorchMlir) -> ir.Module:
        """It in the torch dialect, as `main`.

        Raises:
            LoweringError: the importer gave up.
        """
        return import_graph(mlir, self.graph)

    def sources(self) -> Mapping[str, bytes]:
        """The graph as text, and as JSON where it has that."""
        files = {FX: self.module.print_readable(print_output=False).encode()}
        with contextlib.suppress(FxJsonError):
            files[FX_JSON] = dumps(self.graph)
        return files


def is_tensor(node: Node) -> bool:
    """Has the node one tensor for its value?"""
    return isinstance(node.meta.get("val"), torch.Tensor)


def copied(
    graph: Graph, chosen: Collection[Node], wanted: Sequence[Node]
) -> tuple[GraphModule, set[Node], list[Node]]:
    """A program that gives `wanted` and computes no node beyond `chosen`.

    Returns the program, the nodes that it computes and, in order, those that feed it. A node that
    is needed and whose value is no tensor comes along, chosen or not.
    """
    taken, fed = _reached(wanted, chosen)
    copy = Graph()
    copies: dict[Node, Node] = {}
    inputs = [node for node in graph.nodes if node in fed]
    for node in inputs:
        copies[node] = copy.placeholder(node.name)
        copies[node].meta["val"] = node.meta["val"]
    for node in graph.nodes:
        if node in taken:
            copies[node] = copy.node_copy(node, copies.__getitem__)
    copy.output(tuple(copies[node] for node in wanted))
    owner = graph.owning_module
    module = GraphModule(owner if owner is not None else torch.nn.Module(), copy)
    return module, taken, inputs


def open_ends(graph: Graph, chosen: Collection[Node]) -> list[Node]:
    """Tensors of `chosen` that are used outside it, or by nobody."""
    inside = set(chosen)
    return [
        node
        for node in graph.nodes
        if node in inside and is_tensor(node) and not (node.users and set(node.users) <= inside)
    ]


def _reached(wanted: Sequence[Node], chosen: Collection[Node]) -> tuple[set[Node], set[Node]]:
    """The nodes to compute and the nodes to be fed, going back from `wanted`."""
    inside = set(chosen)
    taken: set[Node] = set()
    inputs: set[Node] = set()
    waiting = list(wanted)
    while waiting:
        node = waiting.pop()
        if node in taken or node in inputs:
            continue
        if node.op == "placeholder" or (
            node.op == "call_function" and is_tensor(node) and node not in inside
        ):
            inputs.add(node)
            continue
        taken.add(node)
        waiting += node.all_input_nodes
    return taken, inputs


def _canonical(graph: Graph) -> str:
    """A program with its values numbered in order; constants go by their content."""
    names = {node.name: f"%{i}" for i, node in enumerate(graph.nodes)}
    lines = []
    for node in graph.nodes:
        text = _renamed(f"{node.target}({node.args}, {node.kwargs})", names)
        if node.op == "placeholder":
            text = "placeholder"
        elif node.op == "get_attr":
            text = _constant(node)
        lines.append(f"{names[node.name]} = {text}")
    return "\n".join(lines)


def _constant(node: Node) -> str:
    inner = subgraph(node)
    if inner is not None:
        return f"graph {{\n{_canonical(inner)}\n}}"
    value: Any = node.graph.owning_module
    for part in str(node.target).split("."):
        value = getattr(value, part)
    assert isinstance(value, torch.Tensor)
    return f"constant {_type(value)} {hashlib.sha256(bytes_of(value)).hexdigest()}"


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: names.get(match[0], match[0]), text)


def _values(nodes: Sequence[Node]) -> list[torch.Tensor]:
    return [value for node in nodes for value in torch_values(node)]


def _type(value: torch.Tensor) -> TensorType:
    return TensorType(tuple(value.shape), WIRE_NAMES.get(value.dtype, str(value.dtype)))
