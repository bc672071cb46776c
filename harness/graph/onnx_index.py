# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Who computes and who takes what in an ONNX graph, and what a set of its nodes needs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import onnx

from bringup.harness.frontend.onnx_checks import STANDARD, draws

_OF_SHAPES = frozenset({"Shape", "Size"})
"""Operators whose result depends on an operand's shape and not on its values."""


@dataclass(frozen=True)
class Cone:
    """What it takes to compute some values. All in the graph's order."""

    nodes: tuple[int, ...]
    """Places of the nodes that compute."""
    constants: tuple[str, ...]
    """Initialisers that they take."""
    fed: tuple[str, ...]
    """Values that come from outside: inputs of the graph first, then values of other nodes."""


class OnnxIndex:
    """Lookups in one ONNX graph with inferred types.

    A node with graphs inside is one node, and takes what those take from outside them. `Constant`
    nodes are no computation: they come along wherever their value is needed.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.model = model
        self.nodes = list(graph.node)
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = {i.name: i for i in graph.input if i.name not in self.constants}
        self.results = tuple(output.name for output in graph.output)
        self.types = {
            value.name: value.type
            for value in (*graph.value_info, *graph.output, *graph.input)
            if value.type.WhichOneof("value") is not None
        }
        self.opaque: frozenset[str] = frozenset()
        """Values that can be neither fed nor looked at, beside those that are no tensors."""
        self.needs = [tuple(dict.fromkeys(_needs(node))) for node in self.nodes]
        self._maker = {name: i for i, node in enumerate(self.nodes) for name in node.output if name}
        self._users: dict[str, set[int]] = {}
        for i, needs in enumerate(self.needs):
            for name in needs:
                self._users.setdefault(name, set()).add(i)
        self.settled = self._settled()

    def is_op(self, place: int) -> bool:
        """Does a node compute something?"""
        node = self.nodes[place]
        return not (node.op_type == "Constant" and node.domain in STANDARD)

    def is_tensor(self, name: str) -> bool:
        """Is a value a tensor that can stand outside a part?"""
        known = self.types.get(name)
        return name not in self.opaque and (known is None or known.HasField("tensor_type"))

    def given(self, place: int) -> tuple[str, ...]:
        """The tensors of a node that somebody takes; of one that nobody needs, the first."""
        names = [name for name in self.nodes[place].output if name and self.is_tensor(name)]
        taken = [name for name in names if name in self._users or name in self.results]
        return tuple(taken or names[:1])

    def open_ends(self, chosen: Collection[int]) -> list[str]:
        """The tensors of `chosen` nodes that are used outside them, or by nobody."""
        inside = set(chosen)
        return [
            name
            for place in sorted(inside)
            for name in self.given(place)
            if name in self.results or not self._users.get(name) or self._users[name] - inside
        ]

    def cone(
        self, wanted: Sequence[str], chosen: Collection[int], fed: Collection[str] = ()
    ) -> Cone:
        """What it takes to compute `wanted` by no node beyond `chosen`.

        Values in `fed` come from outside, whoever computes them. A node that is needed and whose
        value is no tensor comes along, chosen or not.
        """
        inside, seen = set(chosen), set[str]()
        nodes, constants, outside = set[int](), set[str](), set[str]()
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.constants:
                constants.add(name)
                continue
            place = self._maker.get(name)
            if place is None or name in fed or self._is_cut(place, name, inside):
                outside.add(name)
                continue
            nodes.add(place)
            waiting += self.needs[place]
        return Cone(
            tuple(sorted(nodes)),
            tuple(name for name in self.constants if name in constants),
            (
                *(name for name in self.inputs if name in outside),
                *(name for name in self._maker if name in outside),
            ),
        )

    def _is_cut(self, place: int, name: str, inside: Collection[int]) -> bool:
        return place not in inside and self.is_op(place) and self.is_tensor(name)

    def _settled(self) -> frozenset[str]:
        """Values that are the same whatever the graph's inputs hold: shapes, axes, masks."""
        found = set(self.constants)
        for node, needs in zip(self.nodes, self.needs, strict=True):
            if draws(node):
                continue
            if node.op_type in _OF_SHAPES or found.issuperset(needs):
                found.update(node.output)
        return frozenset(found)


def _needs(node: onnx.NodeProto) -> Iterator[str]:
    """Values that a node takes, by its inputs or from within its graphs."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else ())):
            yield from _captured(graph)


def _captured(graph: onnx.GraphProto) -> Iterator[str]:
    own = {value.name for value in (*graph.input, *graph.initializer)}
    for node in graph.node:
        yield from (name for name in _needs(node) if name not in own)
        own.update(node.output)
    yield from (output.name for output in graph.output if output.name not in own)
