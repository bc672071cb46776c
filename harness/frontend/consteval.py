# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Constant evaluation: compute on the host, once, what depends on no input.

`enable_consteval` folds what depends on constants and buffers; `consteval_parameters` on
parameters too, so that a transposed weight is transposed here and not on the device.
"""

import dataclasses
from typing import Any

import torch
from torch.fx import Graph, Node

from bringup.harness.frontend.program import Constant, Signature
from bringup.harness.frontend.torch_program import is_random

FOLDED = "folded."
"""What the names of folded constants begin with."""


def fold_constants(graph: Graph, signature: Signature, *, parameters: bool) -> Signature:
    """Fold in place; returns the signature of the folded graph."""
    placeholders = [n for n in graph.nodes if n.op == "placeholder"]
    known: dict[Node, Any] = {}
    for node, argument in zip(placeholders, signature.arguments, strict=True):
        if isinstance(argument, Constant) and (parameters or not argument.parameter):
            known[node] = argument.value
    for node in graph.nodes:
        if _foldable(node, known):
            with torch.no_grad():
                known[node] = _evaluate(node, known)
    added = _replace_frontier(graph, placeholders, known)
    graph.eliminate_dead_code()
    arguments = []
    for node, argument in zip(placeholders, signature.arguments, strict=True):
        if isinstance(argument, Constant) and not node.users:
            graph.erase_node(node)
        else:
            arguments.append(argument)
    return dataclasses.replace(signature, arguments=(*arguments, *added))


def _foldable(node: Node, known: dict[Node, Any]) -> bool:
    if node.op != "call_function" or not node.all_input_nodes:
        return False
    return not is_random(node) and all(n in known for n in node.all_input_nodes)


def _evaluate(node: Node, known: dict[Node, Any]) -> Any:
    args = torch.fx.node.map_arg(node.args, lambda n: known[n])
    kwargs = torch.fx.node.map_arg(node.kwargs, lambda n: known[n])
    assert callable(node.target)
    return node.target(*args, **kwargs)


def _replace_frontier(
    graph: Graph, placeholders: list[Node], known: dict[Node, Any]
) -> list[Constant]:
    """Make an argument of every folded tensor that something unfolded uses."""
    added = []
    last = placeholders[-1] if placeholders else None
    for node in [n for n in known if n.op == "call_function"]:
        value = known[node]
        if not isinstance(value, torch.Tensor) or all(user in known for user in node.users):
            continue
        with graph.inserting_after(last) if last else graph.inserting_before():
            argument = graph.placeholder(f"folded_{node.name}")
        argument.meta = dict(node.meta)
        node.replace_all_uses_with(argument)
        added.append(Constant(f"{FOLDED}{node.name}", value.contiguous()))
        last = argument
    return added
