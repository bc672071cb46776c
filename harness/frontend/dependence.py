# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which outputs of a program a device has a hand in: those that an input, or an op on it, reaches.

An output that is a constant of the model says nothing of a device, be it a buffer as it was loaded,
a node of constants, or what a compiler makes of constants alone. What is computed of parameters
that are arguments does, as no compiler knows their values, and so does an input that is handed on.
"""

import dataclasses
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from torch.fx import Graph, Node

from bringup.harness.frontend.program import Signature, UserInput

if TYPE_CHECKING:
    import onnx

_HANDS_ON = frozenset(
    {
        *("alias", "clone", "detach", "lift_fresh", "lift_fresh_copy", "contiguous", "copy"),
        *("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze", "view_copy", "_to_copy"),
    }
)
"""ATen ops whose result is the same elements in the same order; `_to_copy` of a constant is known
as soon as the constant is."""
_TAKES_SHAPES = frozenset({"zeros_like", "ones_like", "full_like", "empty_like"})
_TAKES_SHAPES |= {"new_zeros", "new_ones", "new_full", "new_empty"}
"""ATen ops of which no result depends on the values of their first argument."""
_ONNX_HANDS_ON = frozenset({"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"})
_ONNX_TAKES_SHAPES = frozenset({"Shape", "Size"})


def of_graph(graph: Graph, signature: Signature) -> Signature:
    """The signature, its results and mutations marked by whether a device has a hand in them."""
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    given = zip(placeholders, signature.arguments, strict=True)
    inputs = {node for node, argument in given if isinstance(argument, UserInput)}
    arguments, computed = set(placeholders), set(inputs)
    for node in graph.nodes:  # in order: what a node takes comes before it
        if node.op != "call_function":
            continue
        taken = set(_taken(node))
        if taken & computed or (taken & arguments and _name(node) not in _HANDS_ON):
            computed.add(node)
        elif taken & arguments:
            arguments.add(node)
    outputs = graph.output_node().args[0]
    return marked(signature, [value in computed for value in outputs])  # type: ignore[union-attr]


def marked(signature: Signature, computed: list[bool]) -> Signature:
    """A signature whose results and mutations say whether the output behind them is computed."""
    return dataclasses.replace(
        signature,
        results=tuple(
            dataclasses.replace(r, computed=r.index is not None and computed[r.index])
            for r in signature.results
        ),
        mutations=tuple(
            dataclasses.replace(m, computed=computed[m.index]) for m in signature.mutations
        ),
    )


def of_onnx(
    model: "onnx.ModelProto", inputs: Collection[str], weights: Collection[str]
) -> set[str]:
    """Names of the values that a device has a hand in, in a model whose weights are arguments."""
    computed, arguments = set(inputs), set(weights)
    for node in model.graph.node:
        if node.op_type in _ONNX_TAKES_SHAPES:
            continue
        taken = set(_names(node))
        if taken & computed or (taken & arguments and node.op_type not in _ONNX_HANDS_ON):
            computed.update(node.output)
        elif taken & arguments:
            arguments.update(node.output)
    return computed


def _names(node: "onnx.NodeProto") -> Iterator[str]:
    """What a node takes, in its bodies too, whatever values of theirs are called alike."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            yield from (output.name for output in body.output)
            for inner in body.node:
                yield from _names(inner)


def _taken(node: Node) -> list[Node]:
    taken = node.all_input_nodes
    if _name(node) not in _TAKES_SHAPES:
        return taken
    return [value for value in taken if value is not node.args[0]]


def _name(node: Node) -> str:
    """The op's name without namespace and overload, such as `view`."""
    packet = getattr(node.target, "overloadpacket", None)
    return str(packet).rpartition(".")[2]
