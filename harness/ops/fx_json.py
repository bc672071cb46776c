# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A small FX graph as JSON and back: an op that can be imported, and computed, again elsewhere.

    {"nodes": [{"op": "placeholder", "value": {"dtype": "float32", "shape": [4, null]}},
               {"op": "call", "target": "aten.add.Tensor", "args": [{"node": 0}, 2], ...},
               {"op": "graph", "graph": {...}}],
     "outputs": [{"node": 1}]}

A node goes by its position, so the text says nothing of names; a size that depends on data is
null. Targets are operators of `torch.ops` and functions of `operator`, of an allow-list when they
are read (`fx_targets`): nothing is unpickled and nothing else is called.
"""

import functools
import operator
from collections.abc import Mapping
from typing import Any

import msgspec
import torch
from torch._subclasses import FakeTensorMode
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.fx.passes.shape_prop import _extract_tensor_metadata

from bringup.harness.errors import HarnessError, RecordError
from bringup.harness.ops.fx_targets import TargetError, is_plain, target_of
from bringup.harness.storage.decoding import decode_json, why_not

_SCALARS = {"int": torch.SymInt, "float": torch.SymFloat, "bool": torch.SymBool}
_PLAIN = {"bool": bool, "int": int, "float": float}
_NAMED = {
    "dtype": torch.dtype,
    "layout": torch.layout,
    "memory_format": torch.memory_format,
}
_NAMES: dict[str, dict[str, Any]] = {
    kind: {name: value for name, value in vars(torch).items() if isinstance(value, of_kind)}
    for kind, of_kind in _NAMED.items()
}
"""What torch has of each kind, by name."""


class FxJsonError(HarnessError):
    """A graph has no JSON, or JSON is of no graph."""


def scalar_kind(value: object) -> str:
    """`int`, `float` or `bool` for what a node knows of a number; empty for anything else."""
    for name, symbol in _SCALARS.items():
        if isinstance(value, symbol):
            return name
    return next((name for name, kind in _PLAIN.items() if isinstance(value, kind)), "")


def subgraph(node: Node) -> Graph | None:
    """The graph a `get_attr` node stands for; None for any other node."""
    if node.op != "get_attr" or node.graph.owning_module is None:
        return None
    value: Any = node.graph.owning_module
    for part in str(node.target).split("."):
        value = getattr(value, part, None)
    return value.graph if isinstance(value, GraphModule) else None


def owned(graph: Graph, inner: Mapping[str, torch.nn.Module]) -> GraphModule:
    """A module that holds a graph, and the modules that its `get_attr` nodes stand for."""
    root = graph.owning_module
    return root if root is not None and not inner else GraphModule(dict(inner), graph)


# --- out ------------------------------------------------------------------------------------


def dumps(graph: Graph) -> bytes:
    """A graph as JSON; equal for graphs that differ in names only.

    Raises:
        FxJsonError: it holds something that has no text, e.g. a constant tensor.
    """
    return msgspec.json.encode(_graph(graph))


def _graph(graph: Graph) -> dict[str, Any]:
    places: dict[Node, int] = {}
    nodes = []
    for node in graph.nodes:
        if node.op == "output":
            continue
        nodes.append(_node(node, places))
        places[node] = len(places)
    return {"nodes": nodes, "outputs": _argument(graph.output_node().args[0], places)}


def _node(node: Node, places: dict[Node, int]) -> dict[str, Any]:
    if node.op == "placeholder":
        return {"op": "placeholder", "value": _value(node.meta.get("val"))}
    if node.op == "call_function":
        return {
            "op": "call",
            "target": _target(node.target),
            "args": [_argument(each, places) for each in node.args],
            "kwargs": {name: _argument(each, places) for name, each in node.kwargs.items()},
            "value": _value(node.meta.get("val")),
        }
    inner = subgraph(node)
    if inner is None:
        raise FxJsonError(f"node {node.name} ({node.op} {node.target}) has no JSON")
    return {"op": "graph", "graph": _graph(inner)}


def _target(target: Any) -> str:
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    if isinstance(target, torch._ops.HigherOrderOperator):
        return f"higher_order.{target._name}"
    name = getattr(target, "__name__", "")
    if getattr(operator, name, None) is target:
        return f"operator.{name}"
    raise FxJsonError(f"the target {target} has no name to be found by")


def _value(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        shape = [size if isinstance(size, int) else None for size in value.shape]
        described: dict[str, Any] = {"dtype": _word(value.dtype), "shape": shape}
        if None not in shape and not value.is_contiguous():
            described["stride"] = list(value.stride())
        return described
    if isinstance(value, tuple | list):
        return [_value(each) for each in value]
    return scalar_kind(value) or None


def _argument(value: Any, places: dict[Node, int]) -> Any:
    if isinstance(value, Node):
        return {"node": places[value]}
    if isinstance(value, float | complex):
        return {type(value).__name__: repr(value)}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, tuple):
        return {"tuple": [_argument(each, places) for each in value]}
    if isinstance(value, list):
        return [_argument(each, places) for each in value]
    if isinstance(value, slice):
        return {"slice": _argument([value.start, value.stop, value.step], places)}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    for name, kind in _NAMED.items():
        if isinstance(value, kind):
            return {name: _word(value)}
    raise FxJsonError(f"an argument of type {type(value).__name__} has no JSON")


def _word(value: Any) -> str:
    return str(value).removeprefix("torch.")


# --- in -------------------------------------------------------------------------------------


def loads(text: bytes, *, trust: bool = False) -> Graph:
    """The graph that a text was made from, with the shapes and dtypes of its nodes.

    Unless there is `trust` in whoever wrote it, only PyTorch's own operators may be called.

    Raises:
        FxJsonError: the text is of no graph, or names what a graph may not call.
    """
    try:
        data = decode_json(text, dict[str, Any], "the graph", "JSON of a graph")
        return _Reader(trust).graph(data)
    except FxJsonError:
        raise
    except (RecordError, TargetError) as error:
        raise FxJsonError(str(error)) from None
    except Exception as error:  # whatever a damaged text leads to
        raise FxJsonError(f"this is no graph: {type(error).__name__}: {why_not(error)}") from None


@functools.cache
def _static() -> FakeTensorMode:
    return FakeTensorMode()


def scalar_tensor(kind: str) -> tuple[torch.Tensor, Any]:
    """What a graph knows of a number that comes in a tensor: `val` and `tensor_meta`."""
    dtype = {"int": torch.int64, "float": torch.float64, "bool": torch.bool}[kind]
    with _static():
        value = torch.empty((), dtype=dtype)
    return value, _extract_tensor_metadata(value)


class _Reader:
    def __init__(self, trust: bool = False) -> None:
        self._trust = trust
        self._symbols = ShapeEnv()
        self._fake = FakeTensorMode(shape_env=self._symbols)

    def graph(self, data: dict[str, Any]) -> Graph:
        graph = Graph()
        nodes: list[Node] = []
        inner: dict[str, torch.nn.Module] = {}
        for position, each in enumerate(data["nodes"]):
            if each["op"] == "graph":
                name = f"graph{position}"
                inner[name] = owned(self.graph(each["graph"]), {})
                nodes.append(graph.get_attr(name))
                continue
            node = self._made(graph, each, nodes, position)
            node.meta["val"] = self._value(each["value"])
            if each["value"] and "shape" in each["value"] and not each["value"]["shape"]:
                node.meta["tensor_meta"] = _extract_tensor_metadata(node.meta["val"])
            nodes.append(node)
        graph.output(self._argument(data["outputs"], nodes))
        if inner:
            owned(graph, inner)
        return graph

    def _made(self, graph: Graph, each: dict[str, Any], nodes: list[Node], position: int) -> Node:
        if each["op"] == "placeholder":
            return graph.placeholder(f"arg{position}")
        args = tuple(self._argument(one, nodes) for one in each["args"])
        kwargs = {name: self._argument(one, nodes) for name, one in each["kwargs"].items()}
        target = target_of(each["target"], trust=self._trust)
        if is_plain(target) and not all(isinstance(a, Node | int | float) for a in args):
            raise FxJsonError(f"{each['target']} takes values and numbers only")
        return graph.create_node("call_function", target, args, kwargs)

    def _value(self, data: Any) -> Any:
        if isinstance(data, list):
            return tuple(self._value(each) for each in data)
        if isinstance(data, str):
            if data not in _SCALARS:
                raise FxJsonError(f"{data[:40]!r} is no kind of number")
            make = getattr(self._symbols, f"create_unbacked_sym{data}")
            return make()
        if data is None:
            return None
        shape = [self._size() if size is None else size for size in data["shape"]]
        dtype = _NAMES["dtype"][data["dtype"]]
        with self._fake:
            if "stride" in data:
                return torch.empty_strided(shape, data["stride"], dtype=dtype)
            return torch.empty(shape, dtype=dtype)

    def _size(self) -> Any:
        size = self._symbols.create_unbacked_symint()
        torch._check(size >= 0)  # type: ignore[no-untyped-call]
        return size

    def _argument(self, data: Any, nodes: list[Node]) -> Any:
        if isinstance(data, list):
            return [self._argument(each, nodes) for each in data]
        if not isinstance(data, dict):
            return data
        ((kind, content),) = data.items()
        if kind == "node":
            return nodes[content]
        if kind in ("tuple", "slice"):
            items = [self._argument(each, nodes) for each in content]
            return tuple(items) if kind == "tuple" else slice(*items)
        if kind in ("float", "complex"):
            return {"float": float, "complex": complex}[kind](content)
        if kind == "device":
            return torch.device(content)
        if content not in _NAMES.get(kind, {}):
            raise FxJsonError(f"{str(content)[:40]!r} is no {str(kind)[:40]} of torch")
        return _NAMES[kind][content]
