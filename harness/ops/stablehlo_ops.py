# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The unique ops of a StableHLO module, each as a module of its own with one function `main`.

Ops are cloned through the MLIR API, never cut out of text: regions stay whole, what they capture
becomes arguments of `main` behind the op's own operands, and functions an op refers to (the
decomposition of a composite) come along as private ones. A call is not an op; the ops of the
function it calls are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch_mlir import ir

from bringup.harness.mlir import TorchMlir, main_of, read
from bringup.harness.ops.identity import (
    attributes_of,
    captured,
    captures,
    inlined,
    stablehlo_op,
    symbols,
)
from bringup.harness.records.schema import Op, TensorType

_NO_OPS = frozenset({"stablehlo.constant", "func.return", "func.call", "stablehlo.return"})
_STRIP_LOCATIONS = "builtin.module(strip-debuginfo)"


@dataclass(frozen=True)
class StablehloOp:
    """An op the first time a module has it."""

    op: Op
    index: int
    """Position among the module's unique ops."""
    count: int
    """How many operations of the module are this op."""
    node: str
    """Name in the location of the first of them; its name and position where it has none."""
    artifact: bytes
    """Portable StableHLO of the op alone, without locations."""

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of `main`'s arguments: operands that are no inlined constants, then captures."""
        return self.op.inputs


@dataclass
class _Found:
    op: Op
    operation: ir.Operation
    node: str
    count: int = 0


def split(artifact: bytes, mlir: TorchMlir | None = None) -> list[StablehloOp]:
    """The unique ops of a portable artifact, in the order they are first met.

    Everything is done in one context: `mlir`, or one of its own.

    Raises:
        LoweringError: the bytes are no artifact this StableHLO reads, or have no function `main`.
        IdentityError: an op has no canonical text.
    """
    mlir = mlir or TorchMlir()
    module = read(mlir, artifact)
    found: dict[str, _Found] = {}
    for position, operation in enumerate(operations_of(main_of(module))):
        op = stablehlo_op(operation)
        node = node_name(operation, position)
        found.setdefault(op.key, _Found(op, operation, node)).count += 1
    return [
        StablehloOp(f.op, index, f.count, f.node, mlir.portable(alone(mlir, f.operation)))
        for index, f in enumerate(found.values())
    ]


def operations_of(function: ir.Operation) -> Iterator[ir.Operation]:
    """A function's ops in order, with those of the functions it calls in place of the calls."""
    for block in function.regions[0]:
        for each in block.operations:
            operation = each.operation
            if operation.name == "func.call":
                callee = operation.attributes["callee"].value
                yield from operations_of(
                    ir.SymbolTable(function.parent.operation)[callee].operation
                )
            elif operation.name not in _NO_OPS:
                yield operation


def alone(mlir: TorchMlir, operation: ir.Operation) -> ir.Module:
    """An op cloned into a module of its own, verified; the op it is made from stays as it is.

    Raises:
        LoweringError: the op makes no valid module alone.
    """
    with mlir.explained(), ir.Location.unknown(mlir.context):
        module = ir.Module.create()
        _carry_functions(operation, module)
        taken = [v for v in operation.operands if inlined(v) is None] + captured(operation)
        block = _empty_main(module, [v.type for v in taken], [r.type for r in operation.results])
        with ir.InsertionPoint(block):
            clone = _with_operands(operation, list(block.arguments))
            ir.Operation.create("func.return", operands=list(clone.results))
        module.operation.verify()
    mlir.run(module, _STRIP_LOCATIONS)
    return module


def _empty_main(module: ir.Module, inputs: list[ir.Type], outputs: list[ir.Type]) -> ir.Block:
    function = ir.Operation.create(
        "func.func",
        attributes={
            "sym_name": ir.StringAttr.get("main"),
            "function_type": ir.TypeAttr.get(ir.FunctionType.get(inputs, outputs)),
        },
        regions=1,
        ip=ir.InsertionPoint.at_block_begin(module.body),
    )
    unknown = ir.Location.unknown()
    return function.regions[0].blocks.append(*inputs, arg_locs=[unknown] * len(inputs))


def _with_operands(operation: ir.Operation, arguments: list[ir.Value]) -> ir.Operation:
    """Clone an op where the insertion point is, on `arguments` and clones of its constants."""
    constants: dict[ir.Value, ir.Value] = {}
    feed = iter(arguments)

    def stand_in(value: ir.Value) -> ir.Value:
        if inlined(value) is None:
            return next(feed)
        if value not in constants:
            constants[value] = value.owner.operation.clone().results[0]
        return constants[value]

    operands = [stand_in(value) for value in operation.operands]
    outside = {value: stand_in(value) for value in captures(operation)}
    clone = operation.clone()
    for position, operand in enumerate(operands):
        clone.operands[position] = operand
    for old, new in outside.items():
        _replace_inside(clone, old, new)
    return clone


def _replace_inside(operation: ir.Operation, old: ir.Value, new: ir.Value) -> None:
    for region in operation.regions:
        for block in region:
            for nested in block.operations:
                nested.operation.replace_uses_of_with(old, new)
                _replace_inside(nested.operation, old, new)


def _carry_functions(operation: ir.Operation, module: ir.Module) -> None:
    """Copy every function that an op leads to, made private."""
    root = operation
    while root.parent is not None:
        root = root.parent.operation
    table = ir.SymbolTable(root)
    names = _referred(operation)
    carried: set[str] = set()
    while names:
        name = names.pop()
        if name in carried:
            continue
        carried.add(name)
        function = table[name].operation
        names += _referred(function)
        copy = function.clone(ip=ir.InsertionPoint(module.body))
        copy.attributes["sym_visibility"] = ir.StringAttr.get("private")


def _referred(operation: ir.Operation) -> list[str]:
    """Functions an op or anything inside it refers to."""
    names = [name for _, value in attributes_of(operation) for name in symbols(value)]
    for region in operation.regions:
        for block in region:
            for nested in block.operations:
                names += _referred(nested.operation)
    return names


def node_name(operation: ir.Operation, position: int) -> str:
    """Its name in its location, else the op's and its position."""
    location = operation.location
    if isinstance(location, ir.NameLoc):
        return str(location.name_str)
    return f"{operation.name}_{position}"
