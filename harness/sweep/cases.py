# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A case as a program: its graph, its operands, what PyTorch computes of them, and what it is.

The graph is the call as it is written, one ATen op and before it whatever gives an operand its
layout. That is what a case goes by on record, so that nothing need be traced to know it again; what
a compiler is given is that graph after the front end's decompositions (`lowered`).
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node

from bringup.harness.errors import UsageError
from bringup.harness.frontend.torch_program import decomposed_call
from bringup.harness.graph.fx_graph import FxGraph
from bringup.harness.ops.identity import of_values
from bringup.harness.records.schema import Op
from bringup.harness.sweep.operands import ORDINARY, made
from bringup.harness.sweep.rows import Call, T

aten = torch.ops.aten
_SAID = 300


@dataclass(frozen=True)
class Case:
    """One call of one op, ready to be compiled."""

    name: str
    """`add.Tensor/f32-odd`."""
    op: Op
    graph: Graph = field(repr=False)
    inputs: tuple[torch.Tensor, ...] = field(repr=False)
    golden: tuple[torch.Tensor, ...] = field(repr=False)

    def lowered(self) -> Graph:
        """The graph as the front end leaves it.

        Raises:
            Exception: whatever a decomposition raises.
        """
        return decomposed_call(GraphModule({}, self.graph), self.inputs)


class RefusedError(UsageError):
    """Eager PyTorch does not compute it: no case."""


def overload_of(op: str) -> torch._ops.OpOverload:
    """The op of a name such as `add.Tensor`.

    Raises:
        UsageError: torch has none.
    """
    packet, _, overload = op.partition(".")
    found = getattr(getattr(aten, packet, None), overload or "default", None)
    if not isinstance(found, torch._ops.OpOverload):
        raise UsageError(f"torch has no op aten.{op}")
    return found


def case_of(op: str, call: Call) -> Case:
    """Make a case.

    Raises:
        RefusedError: eager PyTorch refuses the call.
        UsageError: there is no such op.
    """
    return _Making(f"{op}/{call.name}").case(overload_of(op), call)


class _Making:
    """A graph while it is built, and its values."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.graph = Graph()
        self.inputs: list[torch.Tensor] = []
        self.values: dict[Node, Any] = {}
        self.special: list[str] = []

    def case(self, target: torch._ops.OpOverload, call: Call) -> Case:
        operands: list[T] = []
        _map(call.args, operands.append)
        _map(dict(call.kwargs), operands.append)
        feed = iter([self._operand(o, i) for i, o in enumerate(operands)])
        args = _map(call.args, lambda _: next(feed))
        kwargs = _map(dict(call.kwargs), lambda _: next(feed))
        try:
            node = self._call(target, args, kwargs)
        except (RuntimeError, IndexError) as error:
            said = f"{self.name}: {' '.join(str(error).split())[:_SAID]}"
            raise (UsageError if "Declaration:" in said else RefusedError)(said) from error
        results = self._results(node)
        self.graph.output(tuple(results))
        golden = tuple(self.values[r] for r in results)
        return Case(self.name, self._op(node), self.graph, tuple(self.inputs), golden)

    def _operand(self, operand: T, place: int) -> Node:
        """A placeholder, and what stands between it and the op."""
        given, target, rest = _laid_out(operand)
        kind = operand.values.partition(":")[0]
        if kind not in ORDINARY:
            self.special.append(f"%{place} {kind}")
        value = made(given, f"{self.name} {place}")
        node = self.graph.placeholder(f"arg{place}")
        self.inputs.append(value)
        self._is(node, value)
        return node if target is None else self._call(target, (node, *rest), {})

    def _call(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Node:
        computed = target(*_values(args, self.values), **_values(kwargs, self.values))
        node = self.graph.call_function(target, args, kwargs)
        self._is(node, computed)
        return node

    def _is(self, node: Node, value: Any) -> None:
        self.values[node] = value
        node.meta["val"] = value

    def _results(self, node: Node) -> list[Node]:
        value = self.values[node]
        if isinstance(value, torch.Tensor):
            return [node]
        if not isinstance(value, tuple | list):
            raise RefusedError(f"{self.name}: it gives no tensor")
        found = []
        for i, part in enumerate(value):
            if isinstance(part, torch.Tensor):
                found.append(self.graph.call_function(operator.getitem, (node, i)))
                self._is(found[-1], part)
        return found

    def _op(self, node: Node) -> Op:
        whole = FxGraph(self.graph, self.inputs)
        op = whole.cut(whole.units).op()
        return of_values(op, ", ".join(self.special)) if self.special else op


def _laid_out(operand: T) -> tuple[T, Any, tuple[Any, ...]]:
    """What is put in, the op that makes the operand of it, and that op's other arguments."""
    shape = operand.shape
    if operand.layout == "flip":
        return operand, aten.flip.default, (list(range(len(shape))),)
    if operand.layout == "transpose":
        turned = (*shape[:-2], shape[-1], shape[-2])
        return _shaped(operand, turned), aten.transpose.int, (-2, -1)
    if operand.layout == "step":
        longer = (*shape[:-1], 2 * shape[-1])
        return _shaped(operand, longer), aten.slice.Tensor, (len(shape) - 1, 0, longer[-1], 2)
    if operand.layout == "expand":
        return _shaped(operand, (1, *shape[1:])), aten.expand.default, (list(shape),)
    if operand.layout:
        raise UsageError(f"the sweep has no layout {operand.layout!r}")
    return operand, None, ()


def _shaped(operand: T, shape: tuple[int, ...]) -> T:
    return T(shape, operand.dtype, operand.values)


def _map(whole: Any, of: Callable[[T], Any]) -> Any:
    """Arguments with each operand replaced; names of torch's dtypes become what they name."""
    if isinstance(whole, T):
        return of(whole)
    if isinstance(whole, str) and whole.startswith("torch."):
        return getattr(torch, whole.removeprefix("torch."))
    if isinstance(whole, dict):
        return {name: _map(value, of) for name, value in whole.items()}
    if isinstance(whole, tuple | list):
        return type(whole)(_map(value, of) for value in whole)
    return whole


def _values(whole: Any, values: dict[Node, Any]) -> Any:
    return torch.fx.node.map_arg(whole, values.__getitem__)


def cases_of(op: str, calls: Sequence[Call]) -> tuple[list[Case], list[str]]:
    """The cases of an op, and a sentence for each call that eager PyTorch refuses."""
    found: list[Case] = []
    refused: list[str] = []
    with torch.no_grad():
        for call in calls:
            try:
                found.append(case_of(op, call))
            except RefusedError as error:
                refused.append(str(error))
    return found, refused
