# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an op is: one key for everything that decides what it computes, and for nothing else.

Shapes, dtypes, arguments, attributes, regions and small constants are in; locations, SSA names,
names of arguments and of functions, and the order attributes are written in are out. An op is a
function of its operands: two operands that happen to be the same value make no other op.
"""

import hashlib
import operator
from collections.abc import Iterator
from typing import Any

import msgspec
import torch
from torch.fx import Node
from torch_mlir import ir

from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.errors import HarnessError
from bringup.harness.ops.fx_json import FxJsonError, dumps, scalar_kind, subgraph
from bringup.harness.records.schema import Op, TensorType

INLINE_ELEMENTS = 64
"""A constant operand of at most so many elements, or of equal ones, is part of the op."""
_LONG_TEXT = 1024


class IdentityError(HarnessError):
    """Something of an op has no text of its own, so it cannot be told from another."""


def _keyed(op: Op) -> Op:
    text = msgspec.json.encode(op, order="deterministic")
    return msgspec.structs.replace(op, key=hashlib.sha256(text).hexdigest())


def _shortened(text: str) -> str:
    """Long constants by their digest; what is different stays different."""
    if len(text) <= _LONG_TEXT:
        return text
    return f"{text[:80]}... sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def of_values(op: Op, values: str) -> Op:
    """The same op of such values as models do not have, which is another one on record."""
    return _keyed(
        msgspec.structs.replace(op, key="", attributes={**op.attributes, "values": values})
    )


# --- torch ----------------------------------------------------------------------------------

SCALAR_DTYPES = {"int": "int64", "float": "float64", "bool": "bool"}
"""The dtype in which a Python number that one op computes reaches the op that takes it."""
_READS_STRIDES = frozenset(
    {
        *("as_strided", "as_strided_copy", "as_strided_scatter", "_reshape_alias"),
        *("view", "view_copy", "_unsafe_view"),
    }
)
"""Ops whose result, or whether they have one, depends on how their operand lies in memory."""


def torch_op(node: Node) -> Op:
    """The identity of a `call_function` node of a decomposed graph.

    Operands are numbered `%0, %1 ...` where they stand in the arguments, which go by parameter
    name with defaults filled in. A number that another op computes is `item(%2)`: an operand of
    its own, without dimensions; a size that depends on data is -1; a graph is there whole. Of
    several results only those that are used count.

    Raises:
        IdentityError: an argument is of a kind that has no canonical text.
    """
    name = str(node.target)
    strides = name.removeprefix("aten.").partition(".")[0] in _READS_STRIDES
    texts = _Arguments()
    attributes = {key: texts.of(value) for key, value in _parameters(node)}
    results = torch_results(node)
    if results != [None]:
        attributes["results"] = ", ".join(map(str, results))
    return _keyed(
        Op(
            key="",
            name=name,
            source="torch",
            inputs=tuple(_operand_type(n.meta["val"], strides) for n in texts.operands),
            outputs=tuple(_torch_type(v, False) for v in torch_values(node)),
            attributes=attributes,
        )
    )


def nameless_op(node: Node, reason: str) -> Op:
    """What is known of an op that has no identity: two of the same name and outputs are one."""
    return _keyed(
        Op(
            key="",
            name=str(node.target),
            source="torch",
            outputs=tuple(_torch_type(v, False) for v in torch_values(node)),
            attributes={"refused": reason},
        )
    )


def torch_operands(node: Node) -> list[Node]:
    """The tensors and computed numbers a node takes, one for every place, in the op's order."""
    texts = _Arguments()
    for _, value in _parameters(node):
        texts.of(value)
    return texts.operands


def torch_results(node: Node) -> list[int | None]:
    """Which results of a node are its op's outputs: `[None]` for the only one.

    A result that nothing takes is none: a model may well run on a device that cannot give it.
    """
    value = node.meta.get("val")
    if not isinstance(value, tuple | list):
        return [None]
    tensors = [i for i, v in enumerate(value) if isinstance(v, torch.Tensor)]
    if any(user.target is not operator.getitem for user in node.users):
        return list(tensors)
    used = {user.args[1] for user in node.users}
    return [i for i in tensors if i in used or not used]


def torch_values(node: Node) -> list[torch.Tensor]:
    """What the graph knows of a node's outputs: one (fake) tensor each."""
    value: Any = node.meta.get("val")
    picked = [value if i is None else value[i] for i in torch_results(node)]
    return [v for v in picked if isinstance(v, torch.Tensor)]


def _parameters(node: Node) -> Iterator[tuple[str, Any]]:
    """Arguments by parameter name, in the schema's order, whichever way they were passed."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        yield from ((f"arg{i}", value) for i, value in enumerate(node.args))
        yield from sorted(node.kwargs.items())
        return
    for position, parameter in enumerate(schema.arguments):
        if position < len(node.args) and not parameter.kwarg_only:
            yield parameter.name, node.args[position]
        elif parameter.name in node.kwargs:
            yield parameter.name, node.kwargs[parameter.name]
        elif parameter.has_default_value():
            yield parameter.name, parameter.default_value


class _Arguments:
    """Canonical text of arguments, and the tensors met on the way."""

    def __init__(self) -> None:
        self.operands: list[Node] = []

    def of(self, value: Any) -> str:
        if isinstance(value, Node):
            return self._node(value)
        if isinstance(value, tuple | list):
            return f"[{', '.join(self.of(v) for v in value)}]"
        if isinstance(value, str | bool | int | float | complex) or value is None:
            return repr(value)
        if isinstance(value, torch.dtype | torch.device | torch.layout | torch.memory_format):
            return str(value)
        if isinstance(value, slice):
            return f"slice{self.of((value.start, value.stop, value.step))}"
        raise IdentityError(f"an argument of type {type(value).__name__} has no canonical text")

    def _node(self, node: Node) -> str:
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor) or scalar_kind(value):
            self.operands.append(node)
            place = f"%{len(self.operands) - 1}"
            return place if isinstance(value, torch.Tensor) else f"item({place})"
        inner = subgraph(node)
        if inner is None:
            raise IdentityError(f"argument {node.name} is neither tensor, number nor graph")
        try:
            return _shortened(dumps(inner).decode())
        except FxJsonError as error:
            raise IdentityError(str(error)) from error


def _operand_type(value: Any, strides: bool) -> TensorType:
    kind = scalar_kind(value)
    return TensorType((), SCALAR_DTYPES[kind]) if kind else _torch_type(value, strides)


def _torch_type(value: torch.Tensor, strides: bool) -> TensorType:
    shape = tuple(size if isinstance(size, int) else -1 for size in value.shape)
    dtype = WIRE_NAMES.get(value.dtype, str(value.dtype))
    if not strides or -1 in shape or value.is_contiguous():
        return TensorType(shape, dtype)
    return TensorType(shape, dtype, tuple(value.stride()))


# --- StableHLO ------------------------------------------------------------------------------

_DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i1": "bool"}
_DTYPES |= {f"i{n}": f"int{n}" for n in (8, 16, 32, 64)}
_DTYPES |= {f"ui{n}": f"uint{n}" for n in (8, 16, 32, 64)}
_DTYPES |= {"complex<f32>": "complex64", "complex<f64>": "complex128"}


def stablehlo_op(operation: ir.Operation) -> Op:
    """The identity of an operation of a verified module, its regions and callees included.

    Raises:
        IdentityError: it holds a dense resource, whose text is a name and not its content.
    """
    operation = operation.operation
    text = _Text(operation)
    operands: list[str] = []
    values: list[ir.Value] = []
    for value in operation.operands:
        constant = inlined(value)
        if constant is None:
            operands.append(f"%{len(values)}")
            values.append(value)
        else:
            operands.append(text.attribute(constant))
    attributes = text.attributes(operation)
    attributes["operands"] = ", ".join(operands)
    if len(operation.regions):
        attributes["regions"] = text.regions(operation)
    return _keyed(
        Op(
            key="",
            name=operation.name,
            source="stablehlo",
            inputs=tuple(mlir_type(v.type) for v in [*values, *captured(operation)]),
            outputs=tuple(mlir_type(r.type) for r in operation.results),
            attributes=attributes,
        )
    )


def mlir_type(type_: ir.Type) -> TensorType:
    """The type of an operand; of one that is no plain ranked tensor, its whole text as dtype."""
    if not isinstance(type_, ir.RankedTensorType) or type_.encoding is not None:
        return TensorType((), str(type_))
    shape = tuple(-1 if type_.is_dynamic_dim(i) else type_.shape[i] for i in range(type_.rank))
    element = str(type_.element_type)
    return TensorType(shape, _DTYPES.get(element, element))


def inlined(value: ir.Value) -> ir.Attribute | None:
    """The constant an operand is, where it belongs to the op; None for an argument of the op."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != "stablehlo.constant":
        return None
    attribute = owner.operation.attributes["value"]
    if not isinstance(attribute, ir.DenseElementsAttr):
        return None
    small = attribute.is_splat or len(attribute) <= INLINE_ELEMENTS
    return attribute if small else None


def captured(operation: ir.Operation) -> list[ir.Value]:
    """Values an op's regions take from around it and that are no inlined constants, each once."""
    return [value for value in captures(operation) if inlined(value) is None]


def captures(operation: ir.Operation) -> list[ir.Value]:
    """Values an op's regions take from around it, each once, in the order they are met."""
    inside: set[ir.Value] = set()
    found: dict[ir.Value, None] = {}
    for region in operation.regions:
        for block in region:
            _visit(block, inside, found)
    return list(found)


def _visit(block: ir.Block, inside: set[ir.Value], found: dict[ir.Value, None]) -> None:
    inside.update(block.arguments)
    for operation in block.operations:
        for value in operation.operation.operands:
            if value not in inside:
                found.setdefault(value)
        inside.update(operation.operation.results)
        for region in operation.operation.regions:
            for inner in region:
                _visit(inner, inside, found)


def symbols(attribute: ir.Attribute) -> Iterator[str]:
    """Names of the functions an attribute refers to."""
    if isinstance(attribute, ir.FlatSymbolRefAttr):
        yield attribute.value
    elif isinstance(attribute, ir.ArrayAttr):
        for item in attribute:
            yield from symbols(item)


def attributes_of(operation: ir.Operation) -> list[tuple[str, ir.Attribute]]:
    """An op's attributes, inherent and not, sorted by name."""
    named = operation.operation.attributes
    return sorted((name, named[name]) for name in named)


class _Text:
    """Canonical text of what belongs to an op; values are numbered as they are met."""

    def __init__(self, operation: ir.Operation, within: tuple[str, ...] = ()) -> None:
        root = operation
        while root.parent is not None:
            root = root.parent.operation
        self._root = root
        self._within = within
        self._numbers: dict[ir.Value, int] = {}

    def attributes(self, operation: ir.Operation) -> dict[str, str]:
        return {name: self.attribute(value) for name, value in attributes_of(operation)}

    def attribute(self, attribute: ir.Attribute) -> str:
        if isinstance(attribute, ir.FlatSymbolRefAttr):
            return self._function(attribute.value)
        if isinstance(attribute, ir.ArrayAttr):
            return f"[{', '.join(self.attribute(item) for item in attribute)}]"
        text = str(attribute)
        if "dense_resource<" in text:
            raise IdentityError(f"{text} stands for content that is elsewhere")
        return _shortened(text)

    def regions(self, operation: ir.Operation) -> str:
        return " ".join(
            "{" + " ".join(self._block(block) for block in region) + "}"
            for region in operation.regions
        )

    def _block(self, block: ir.Block) -> str:
        arguments = ", ".join(f"{self._number(a)}: {a.type}" for a in block.arguments)
        return f"({arguments}) " + "; ".join(self._operation(o.operation) for o in block.operations)

    def _operation(self, operation: ir.Operation) -> str:
        operands = ", ".join(self._operand(v) for v in operation.operands)
        results = ", ".join(f"{self._number(r)}: {r.type}" for r in operation.results)
        text = f"{results} = {operation.name}({operands}) {self.attributes(operation)}"
        return f"{text} {self.regions(operation)}" if len(operation.regions) else text

    def _operand(self, value: ir.Value) -> str:
        constant = None if value in self._numbers else inlined(value)
        return self._number(value) if constant is None else self.attribute(constant)

    def _number(self, value: ir.Value) -> str:
        return f"%{self._numbers.setdefault(value, len(self._numbers))}"

    def _function(self, name: str) -> str:
        if name in self._within:
            return f"@{len(self._within) - self._within.index(name)} calls up"
        function = ir.SymbolTable(self._root)[name].operation
        return _shortened(_Text(function, (*self._within, name)).regions(function))
