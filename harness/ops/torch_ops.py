# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The unique ops of an FX graph, each as a graph of its own with its inputs and golden outputs.

The graph is walked once, eagerly and without gradients; what PyTorch computed feeds the next op,
so that one op's failure on a device says nothing of the others. A value lives until its last use.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from bringup.harness.ops.fx_json import owned, scalar_kind, scalar_tensor, subgraph
from bringup.harness.ops.identity import (
    IdentityError,
    nameless_op,
    torch_op,
    torch_operands,
    torch_results,
    torch_values,
)
from bringup.harness.records.schema import Op
from bringup.harness.verify import Float64, Natural, natural_errors
from bringup.harness.verify.arithmetic import unit_of


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
    refused: str = ""
    """Why it cannot stand alone; its graph, inputs and golden are empty then."""


_UNDEFINED = frozenset(
    {
        *("aten.empty", "aten.empty_like", "aten.empty_strided", "aten.empty_permuted"),
        *("aten.new_empty", "aten.new_empty_strided"),
    }
)


def rounding_of(
    graph: Graph, inputs: Sequence[torch.Tensor], golden: Sequence[torch.Tensor]
) -> Natural | None:
    """How far an op's golden outputs are off by rounding; None where float64 cannot be had.

    PyTorch adds some of what is float32 up in float64, and golden is as good as exact then. In
    float32 a sum is off by a unit of what its terms add up to without their signs, at least.
    """
    try:
        with torch.no_grad():
            found = natural_errors(list(golden), _in_float64(graph, inputs))
            if any(_adds_products(node) for node in graph.nodes):
                magnitudes = _in_float64(graph, [_magnitude(each) for each in inputs])
                _raise_to_units(found, golden, magnitudes)
            return found
    except Exception:  # whatever an op raises that is given other dtypes
        return None


_SUMS = frozenset(
    {
        *("sum", "mean", "var_mean", "cumsum", "avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d"),
        *("mm", "bmm", "addmm", "baddbmm", "mv", "dot", "convolution", "convolution_backward"),
    }
)
"""Ops that are linear in each operand, by the name after `aten.`."""


def _adds_products(node: Node) -> bool:
    named = str(node.target).split(".")
    return node.op == "call_function" and len(named) > 1 and named[1] in _SUMS


def _in_float64(graph: Graph, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    with Float64():
        return list(torch.fx.Interpreter(owned(graph, {})).run(*inputs))


def _magnitude(value: torch.Tensor) -> torch.Tensor:
    return value.abs() if value.is_floating_point() or value.is_complex() else value


def _raise_to_units(
    found: dict[str, torch.Tensor],
    golden: Sequence[torch.Tensor],
    magnitudes: Sequence[torch.Tensor],
) -> None:
    """Have no error of float32 outputs be less than a unit of what its terms add up to."""
    for place, (value, size) in enumerate(zip(golden, magnitudes, strict=True)):
        if value.dtype is not torch.float32 or value.shape != size.shape:
            continue
        least = (unit_of("f32") * size.abs()).float()
        own = found.get(f"[{place}]", torch.zeros_like(value))
        found[f"[{place}]"] = torch.where(own.abs() < least, least.copysign(own), own)


def op_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes that are ops: those that compute a tensor.

    Taking one of several results is none, nor is what has no tensor for a result (an assertion) or
    one of any values (memory not yet written): there is nothing to compare.
    """
    return (node for node in graph.nodes if is_op(node))


def is_op(node: Node) -> bool:
    """Does a node compute a tensor that an op by itself can be compared on? See `op_nodes`."""
    if node.op != "call_function" or node.target is operator.getitem:
        return False
    return not is_undefined(node) and bool(torch_values(node))


def is_undefined(node: Node) -> bool:
    """Is the node's value whatever was in its memory?"""
    return str(node.target).rpartition(".")[0] in _UNDEFINED


def refused_by(node: Node) -> str:
    """Why an op node cannot stand alone: it takes something that has no text; else empty."""
    try:
        torch_op(node)
    except IdentityError as error:
        return str(error)
    return ""


def count_ops(graph: Graph) -> dict[str, tuple[int, int, str]]:
    """Key to (position among unique ops, nodes that are it, name of the first of them)."""
    return {found.op.key: (i, found.count, found.node) for i, found in enumerate(found_ops(graph))}


def ops_of(graph: Graph) -> list[Op]:
    """The unique ops of a graph, in order; nothing is computed."""
    return [found.op for found in found_ops(graph)]


@dataclass
class FoundOp:
    """A unique op of a graph."""

    op: Op
    node: str
    """Name of the first node that is it."""
    count: int = 0
    """How many are."""


def found_ops(graph: Graph) -> list[FoundOp]:
    """The unique ops of a graph, in order; nothing is computed."""
    found: dict[str, FoundOp] = {}
    for node in op_nodes(graph):
        try:
            op = torch_op(node)
        except IdentityError as error:
            op = nameless_op(node, str(error))
        found.setdefault(op.key, FoundOp(op, node.name)).count += 1
    return list(found.values())


def unique_ops(
    graph: Graph,
    arguments: Sequence[torch.Tensor],
    needed: Callable[[Op, int], bool] = lambda op, index: True,
) -> Iterator[TorchOp]:
    """Walk a graph on its arguments (one tensor for each placeholder) and give each op once.

    An op, by its position, whose values are not `needed` comes without inputs and golden; nothing
    is computed that leads to no needed op. Only values that are still needed are held; drop a
    TorchOp before asking for the next one to keep it so.
    """
    first = {found.node: (i, found) for i, found in enumerate(found_ops(graph))}
    wanted = {name for name, (index, found) in first.items() if needed(found.op, index)}
    values: dict[Node, Any] = {}
    feed = iter(arguments)
    live = _leading_to(graph, wanted)
    dead = last_uses(graph, live)
    for node in graph.nodes:
        argument = next(feed) if node.op == "placeholder" else None
        if node in live:
            values[node] = argument.detach() if argument is not None else _value(node, values)
        if node.name in first:
            index, found = first[node.name]
            refused = refused_by(node)
            has = node.name in wanted and not refused
            yield TorchOp(
                op=found.op,
                index=index,
                count=found.count,
                node=node.name,
                graph=alone(node),
                inputs=[as_tensor(values[n]) for n in torch_operands(node)] if has else [],
                golden=_picked(values[node], torch_results(node)) if has else [],
                refused=refused,
            )
        for value in dead.get(node, ()):
            del values[value]


def _value(node: Node, values: Mapping[Node, Any]) -> Any:
    if node.op == "get_attr":
        return attribute(node)
    target: Any = node.target
    args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
    with torch.no_grad():
        return target(*args, **kwargs)


def _leading_to(graph: Graph, names: set[str]) -> set[Node]:
    """The nodes named, and those whose values they are computed from."""
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.name in names or node in found:
            found |= {node, *node.all_input_nodes}
    return found


def attribute(node: Node) -> Any:
    """What a `get_attr` node stands for; a tensor without its history."""
    value: Any = node.graph.owning_module
    for part in str(node.target).split("."):
        value = getattr(value, part)
    return value.detach() if isinstance(value, torch.Tensor) else value


def last_uses(graph: Graph, live: set[Node]) -> dict[Node, list[Node]]:
    """Node to the values that nothing needs once it is computed, of the nodes that are."""
    seen: set[Node] = set()
    dead: dict[Node, list[Node]] = {}
    for node in reversed(graph.nodes):
        if node not in live:
            continue
        for value in (*node.all_input_nodes, node):
            if value not in seen:
                dead.setdefault(node, []).append(value)
            seen.add(value)
    return dead


def as_tensor(value: Any) -> torch.Tensor:
    """A node's value as an op alone takes it: a number in a tensor without dimensions."""
    kind = scalar_kind(value)
    if not kind:
        assert isinstance(value, torch.Tensor)
        return value
    return torch.tensor(value, dtype=scalar_tensor(kind)[0].dtype)


def _picked(value: Any, results: Sequence[int | None]) -> list[torch.Tensor]:
    return [value if i is None else value[i] for i in results]


def alone(node: Node) -> Graph:
    """A graph of one op: a placeholder for every place that takes a tensor, outputs in a tuple.

    A number that another op computes comes in a tensor without dimensions and is taken out of it;
    an op that `refused_by` cannot stand alone and has an empty graph.
    """
    graph = Graph()
    if refused_by(node):
        graph.output(())
        return graph
    given = torch_operands(node)
    places = [_placeholder(graph, i, operand) for i, operand in enumerate(given)]
    operands = [_taken(graph, *pair) for pair in zip(places, given, strict=True)]
    inner: dict[str, torch.nn.Module] = {}
    copy = graph.create_node("call_function", node.target, *_call(graph, node, operands, inner))
    copy.meta["val"] = node.meta.get("val")
    graph.output(tuple(_result(graph, copy, i) for i in torch_results(node)))
    if inner:
        owned(graph, inner)
    return graph


def _placeholder(graph: Graph, position: int, operand: Node) -> Node:
    placeholder = graph.placeholder(f"arg{position}")
    kind = scalar_kind(operand.meta["val"])
    if kind:
        placeholder.meta["val"], placeholder.meta["tensor_meta"] = scalar_tensor(kind)
    else:
        placeholder.meta["val"] = operand.meta["val"]
    return placeholder


def _taken(graph: Graph, placeholder: Node, operand: Node) -> Node:
    if not scalar_kind(operand.meta["val"]):
        return placeholder
    number = graph.call_function(torch.ops.aten._local_scalar_dense.default, (placeholder,))
    number.meta["val"] = operand.meta["val"]
    return number


def _call(
    graph: Graph, node: Node, operands: Sequence[Node], inner: dict[str, torch.nn.Module]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A node's arguments with its operands replaced, place by place, and its graphs brought."""
    feed = iter(operands)

    def stand_in(argument: Node) -> Node:
        if subgraph(argument) is None:
            return next(feed)
        name = f"graph{len(inner)}"
        inner[name] = attribute(argument)
        return graph.get_attr(name)

    places = map_arg((node.args, node.kwargs), stand_in)
    return places[0], dict(places[1])


def _result(graph: Graph, node: Node, index: int | None) -> Node:
    if index is None:
        return node
    item = graph.call_function(operator.getitem, (node, index))
    item.meta["val"] = node.meta["val"][index]
    return item
