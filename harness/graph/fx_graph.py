# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An FX graph as a search takes it: units are ATen ops, golden values PyTorch's own."""

import operator
from collections.abc import Collection, Mapping, Sequence

import torch
from torch.fx import Graph, Interpreter, Node

from bringup.harness.graph.fx_part import FxPart, copied, is_tensor, open_ends
from bringup.harness.graph.golden_values import KEPT_BYTES, GoldenValues
from bringup.harness.graph.op_graph import Unit
from bringup.harness.ops.torch_ops import is_undefined
from bringup.harness.reference.references import Source


class FxGraph:
    """A decomposed FX graph and the arguments of one call; see `op_graph.OpGraph`."""

    reference = "PyTorch"
    source = Source.TORCH
    preparation = "export or decomposition"

    def __init__(
        self, graph: Graph, arguments: Sequence[torch.Tensor], kept_bytes: int = KEPT_BYTES
    ) -> None:
        """`arguments` has one tensor for each placeholder, in order."""
        self.graph = graph
        self._nodes = {node.name: node for node in graph.nodes}
        self._of_unit = {_unit(i, nodes): nodes for i, nodes in enumerate(_together(graph))}
        self.units = tuple(self._of_unit)
        self.results = tuple(
            node.name for node in graph.output_node().all_input_nodes if is_tensor(node)
        )
        placeholders = [node.name for node in graph.nodes if node.op == "placeholder"]
        given = dict(zip(placeholders, arguments, strict=True))
        self.values = GoldenValues(given, self._computed, kept_bytes)

    def cut(
        self,
        chosen: Collection[Unit],
        outputs: Sequence[str] | None = None,
        fed: Collection[str] = (),
    ) -> FxPart:
        """Cut units out, as a program of their own."""
        nodes = [node for unit in chosen for node in self._of_unit[unit] if node.name not in fed]
        wanted = open_ends(self.graph, nodes)
        if outputs is not None:
            wanted = [self._nodes[name] for name in outputs]
        module, taken, inputs = copied(self.graph, nodes, wanted)
        units = tuple(unit for unit in self.units if self._of_unit[unit][0] in taken)
        return FxPart(
            module=module,
            units=units,
            nodes=tuple(self._of_unit[unit][0] for unit in units),
            input_nodes=tuple(inputs),
            output_nodes=tuple(wanted),
        )

    def golden(self, names: Sequence[str]) -> list[torch.Tensor]:
        """What PyTorch computes for nodes."""
        return self.values.of(names)

    def size(self, name: str) -> int:
        """Bytes of a node's value."""
        value = self._nodes[name].meta["val"]
        return int(value.numel() * value.element_size())

    def is_float(self, name: str) -> bool:
        """Is a node's value of floats?"""
        return bool(self._nodes[name].meta["val"].is_floating_point())

    def _computed(
        self, missing: Sequence[str], known: Mapping[str, torch.Tensor]
    ) -> Sequence[torch.Tensor]:
        computing = [n for n in self.graph.nodes if n.op == "call_function" and n.name not in known]
        wanted = [self._nodes[name] for name in missing]
        module, _, inputs = copied(self.graph, computing, wanted)
        with torch.no_grad():
            values: Sequence[torch.Tensor] = Interpreter(module).run(
                *(known[node.name] for node in inputs)
            )
        return values


def _together(graph: Graph) -> list[tuple[Node, ...]]:
    """The ops of a graph, each with the accesses to its results."""
    found: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        owner = node.args[0] if node.target is operator.getitem else node
        if isinstance(owner, Node) and owner in found:
            found[owner].append(node)
        else:
            found[node] = [node]
    return [tuple(nodes) for nodes in found.values()]


def _unit(place: int, nodes: Sequence[Node]) -> Unit:
    given = tuple(n.name for n in nodes if is_tensor(n) and not is_undefined(n))
    return Unit(place, str(nodes[0].target), given)
