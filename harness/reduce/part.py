# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Parts of an FX graph: any set of its ops, cut out so that it runs alone.

What a part takes from outside becomes a placeholder, to be fed with the golden value. So every set
of ops is a program, whatever is left out between them.
"""

import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch.fx import Graph, GraphModule, Node

Unit = tuple[Node, ...]
"""An op and the accesses to its results: what is kept or left out together."""


@dataclass(frozen=True)
class Part:
    """A part of a whole graph, as a program of its own."""

    module: GraphModule
    nodes: tuple[Node, ...]
    """The whole graph's nodes that it computes, in order."""
    inputs: tuple[Node, ...]
    """The whole graph's nodes that feed it, one for each placeholder."""
    outputs: tuple[Node, ...]
    """The whole graph's nodes that it gives."""

    @property
    def graph(self) -> Graph:
        """The program."""
        return self.module.graph

    @cached_property
    def ops(self) -> tuple[Node, ...]:
        """Those of `nodes` that are ops, and no accesses to results."""
        return tuple(n for n in self.nodes if n.target is not operator.getitem)


def is_tensor(node: Node) -> bool:
    """Has the node one tensor for its value?"""
    return isinstance(node.meta.get("val"), torch.Tensor)


def units(graph: Graph) -> list[Unit]:
    """What a graph computes, op by op in its order."""
    found: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        owner = node.args[0] if node.target is operator.getitem else node
        if isinstance(owner, Node) and owner in found:
            found[owner].append(node)
        else:
            found[node] = [node]
    return [tuple(unit) for unit in found.values()]


def results(graph: Graph) -> list[Node]:
    """The nodes that a graph gives, one for each tensor of its output."""
    return [n for n in graph.output_node().all_input_nodes if is_tensor(n)]


def cut(graph: Graph, chosen: Collection[Node], outputs: Sequence[Node] | None = None) -> Part:
    """Cut `chosen` nodes out of a graph, less those that `outputs` does not need.

    Without `outputs` the part gives whatever of it is a tensor and is used outside it, or by
    nobody. A node that is needed and whose value is no tensor comes along, chosen or not.
    """
    wanted = _open_ends(graph, chosen) if outputs is None else list(outputs)
    taken, inputs = _reached(wanted, chosen)
    copy = Graph()
    copies: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in inputs:
            copies[node] = copy.placeholder(node.name)
            copies[node].meta["val"] = node.meta["val"]
    for node in graph.nodes:
        if node in taken:
            copies[node] = copy.node_copy(node, copies.__getitem__)
    copy.output(tuple(copies[node] for node in wanted))
    owner = graph.owning_module
    return Part(
        module=GraphModule(owner if owner is not None else torch.nn.Module(), copy),
        nodes=tuple(n for n in graph.nodes if n in taken and n.op == "call_function"),
        inputs=tuple(n for n in graph.nodes if n in inputs),
        outputs=tuple(wanted),
    )


def _open_ends(graph: Graph, chosen: Collection[Node]) -> list[Node]:
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
