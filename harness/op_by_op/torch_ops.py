# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The unique ops of an FX graph, each as a graph of its own with its inputs and golden outputs.

The graph is walked once, eagerly and without gradients; what PyTorch computed feeds the next op,
so that one op's failure on a device says nothing of the others. A value lives until its last use.
"""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from harness.op_by_op.identity import (
    IdentityError,
    torch_op,
    torch_operands,
    torch_results,
    torch_values,
)
from harness.records.schema import Op


@dataclass(frozen=True)
class TorchOp:
    """An op the first time a graph has it."""

    op: Op
    index: int
    """Position among the graph's unique ops."""
    count: int
    """How many nodes of the graph are this op."""
    node: str
    """Name of the first of them."""
    graph: Graph
    """The op alone: a placeholder for every operand, its outputs in a tuple."""
    inputs: list[torch.Tensor]
    golden: list[torch.Tensor]
    """What PyTorch computes from `inputs`, one tensor for each output."""


_UNDEFINED = frozenset(
    {
        *("aten.empty", "aten.empty_like", "aten.empty_strided", "aten.empty_permuted"),
        *("aten.new_empty", "aten.new_empty_strided"),
    }
)


def op_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes that are ops: those that compute a tensor.

    Taking one of several results is none, nor is what has no tensor for a result (an assertion) or
    one of any values (memory not yet written): there is nothing to compare.
    """
    return (node for node in graph.nodes if _computes(node))


def _computes(node: Node) -> bool:
    if node.op != "call_function" or node.target is operator.getitem:
        return False
    return not is_undefined(node) and bool(torch_values(node))


def is_undefined(node: Node) -> bool:
    """Is the node's value whatever was in its memory?"""
    return str(node.target).rpartition(".")[0] in _UNDEFINED


def refused_ops(graph: Graph) -> dict[str, str]:
    """Name of each op node that cannot stand alone (it takes what is no tensor), and why."""
    refused = {}
    for node in op_nodes(graph):
        try:
            torch_op(node)
        except IdentityError as error:
            refused[node.name] = str(error)
    return refused


def count_ops(graph: Graph) -> dict[str, tuple[int, int, str]]:
    """Key to (position among unique ops, nodes that are it, name of the first of them)."""
    return {found.op.key: (i, found.count, found.node) for i, found in enumerate(_found(graph))}


@dataclass
class _Found:
    op: Op
    node: str
    count: int = 0


def _found(graph: Graph) -> list[_Found]:
    found: dict[str, _Found] = {}
    for node in op_nodes(graph):
        try:
            op = torch_op(node)
        except IdentityError:  # `refused_ops` says so
            continue
        found.setdefault(op.key, _Found(op, node.name)).count += 1
    return list(found.values())


def unique_ops(graph: Graph, arguments: Sequence[torch.Tensor]) -> Iterator[TorchOp]:
    """Walk a graph on its arguments (one tensor for each placeholder) and give each op once.

    Only values that are still needed are held; drop a TorchOp before asking for the next one to
    keep it so.
    Ops that `refused_ops` names are computed and not given.
    """
    first = {found.node: (i, found) for i, found in enumerate(_found(graph))}
    values: dict[Node, Any] = {}
    feed = iter(arguments)
    dead = _last_uses(graph)
    for node in graph.nodes:
        if node.op == "placeholder":
            values[node] = next(feed).detach()
        elif node.op == "get_attr":
            values[node] = _attribute(graph, node)
        elif node.op == "call_function":
            args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
            with torch.no_grad():
                values[node] = node.target(*args, **kwargs)
            del args, kwargs
            if node.name in first:
                index, found = first[node.name]
                yield TorchOp(
                    op=found.op,
                    index=index,
                    count=found.count,
                    node=node.name,
                    graph=alone(node),
                    inputs=[values[n] for n in torch_operands(node)],
                    golden=_picked(values[node], torch_results(node)),
                )
        for value in dead.get(node, ()):
            del values[value]


def _attribute(graph: Graph, node: Node) -> Any:
    value: Any = graph.owning_module
    for part in str(node.target).split("."):
        value = getattr(value, part)
    return value.detach() if isinstance(value, torch.Tensor) else value


def _last_uses(graph: Graph) -> dict[Node, list[Node]]:
    """Node to the values that nothing needs once it is computed."""
    seen: set[Node] = set()
    dead: dict[Node, list[Node]] = {}
    for node in reversed(graph.nodes):
        for value in (*node.all_input_nodes, node):
            if value not in seen and node.op != "output":
                dead.setdefault(node, []).append(value)
            seen.add(value)
    return dead


def _picked(value: Any, results: Sequence[int | None]) -> list[torch.Tensor]:
    return [value if i is None else value[i] for i in results]


def alone(node: Node) -> Graph:
    """A graph of one op: a placeholder for every place that takes a tensor, outputs in a tuple."""
    graph = Graph()
    operands = []
    for position, operand in enumerate(torch_operands(node)):
        placeholder = graph.placeholder(f"arg{position}")
        placeholder.meta["val"] = operand.meta["val"]
        operands.append(placeholder)
    copy = graph.create_node("call_function", node.target, *_call(node, operands))
    copy.meta["val"] = node.meta.get("val")
    graph.output(tuple(_result(graph, copy, i) for i in torch_results(node)))
    return graph


def _call(node: Node, operands: Sequence[Node]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A node's arguments with its tensors replaced, place by place."""
    feed = iter(operands)
    places = map_arg((node.args, node.kwargs), lambda n: next(feed))
    return places[0], dict(places[1])


def _result(graph: Graph, node: Node, index: int | None) -> Node:
    if index is None:
        return node
    item = graph.call_function(operator.getitem, (node, index))
    item.meta["val"] = node.meta["val"][index]
    return item
