# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden values of any nodes of a graph, in bounded memory: kept while they fit, else computed."""

from collections.abc import Sequence

import torch
from torch.fx import Graph, Interpreter, Node

from harness.reduce.part import cut

KEPT_BYTES = 1 << 30
"""What is kept for the next time, beside the model's own tensors."""


class GoldenValues:
    """What PyTorch computes for a graph's nodes, from the arguments of its placeholders."""

    def __init__(
        self, graph: Graph, arguments: Sequence[torch.Tensor], kept_bytes: int = KEPT_BYTES
    ) -> None:
        """`arguments` has one tensor for each placeholder, in order."""
        self._graph = graph
        placeholders = [n for n in graph.nodes if n.op == "placeholder"]
        self._given = dict(zip(placeholders, arguments, strict=True))
        self._computes = [n for n in graph.nodes if n.op == "call_function"]
        self._kept: dict[Node, torch.Tensor] = {}
        self._room = kept_bytes

    def of(self, nodes: Sequence[Node]) -> list[torch.Tensor]:
        """The values of `nodes`, each a tensor."""
        known = {**self._given, **self._kept}
        missing = [n for n in dict.fromkeys(nodes) if n not in known]
        if missing:
            known |= self._computed(missing, known)
            self._keep({n: known[n] for n in missing})
        return [known[n].detach() for n in nodes]

    def _computed(
        self, missing: Sequence[Node], known: dict[Node, torch.Tensor]
    ) -> dict[Node, torch.Tensor]:
        part = cut(self._graph, [n for n in self._computes if n not in known], missing)
        with torch.no_grad():
            values = Interpreter(part.module).run(*(known[n] for n in part.inputs))
        return dict(zip(missing, values, strict=True))

    def _keep(self, values: dict[Node, torch.Tensor]) -> None:
        self._kept |= values
        while self._kept and sum(map(_bytes, self._kept.values())) > self._room:
            del self._kept[next(iter(self._kept))]


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
