# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A program's work, counted over its StableHLO: operations, and bytes of memory traffic.

Operations are counted as XLA's `HloCostAnalysis` does: two for each multiplication and addition of
a matrix product or a convolution, one for an element of anything elementwise, one for each element
that a reduction takes in. Moving data is none. Where XLA leaves out what falls into padding, it is
counted here.

Bytes are counted as if a compiler fused well: what is elementwise, and has one reader, is computed
where it is read, or at the end of what made it, and never lies in memory. All else is written once,
and read once by each op that reads it; of what an op only looks up, as many bytes as it takes out.
The bodies of loops and branches count once, since nobody knows how often they run.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from torch_mlir import ir

from bringup.harness.mlir import main_of

_FUSED = frozenset(
    {
        *("abs", "add", "and", "atan2", "bitcast_convert", "broadcast_in_dim", "cbrt", "ceil"),
        *("clamp", "compare", "complex", "convert", "cosine", "divide", "exponential"),
        *("exponential_minus_one", "floor", "imag", "iota", "is_finite", "log", "log_plus_one"),
        *("logistic", "maximum", "minimum", "multiply", "negate", "not", "or", "pad", "popcnt"),
        *("power", "real", "reduce_precision", "remainder", "reshape", "reverse"),
        *("round_nearest_afz", "round_nearest_even", "rsqrt", "select", "shift_left"),
        *("shift_right_arithmetic", "shift_right_logical", "sign", "sine", "sqrt", "subtract"),
        *("tan", "tanh", "transpose", "xor", "constant", "optimization_barrier"),
    }
)
"""Computed where they are read."""
_MOVING = frozenset(
    {
        *("bitcast_convert", "broadcast_in_dim", "concatenate", "constant", "convert", "iota"),
        *("optimization_barrier", "pad", "reshape", "reverse", "transpose", "complex", "real"),
        *("imag", "slice", "dynamic_slice", "dynamic_update_slice", "gather", "return", "tuple"),
        *("get_tuple_element", "custom_call", "while", "if", "case", "sort", "composite"),
        *("all_gather", "all_to_all", "collective_permute", "get_dimension_size"),
    }
)
"""No arithmetic of their own."""
_LOOKED_UP = frozenset({"gather", "dynamic_slice", "slice"})
"""Of their first operand no more is read than they give."""
_NUMBERS = re.compile(r"\[([\d, ]*)\]")
_BITS = re.compile(r"(?:[a-z]+?)(\d+)")


@dataclass(frozen=True)
class Work:
    """What a program does once."""

    arguments: int
    """Bytes of its arguments."""
    outputs: int
    """Bytes of its outputs."""
    products: dict[str, float] = field(default_factory=dict)
    """Operations of matrix products and convolutions, by the type of their first operand."""
    other: float = 0.0
    """All other operations."""
    bytes: float = 0.0

    @property
    def flops(self) -> float:
        """All operations."""
        return sum(self.products.values()) + self.other

    @property
    def dtype(self) -> str:
        """The type that most matrix products are of; float32 where there is none."""
        return max(self.products, key=self.products.__getitem__, default="f32")


def work_of(module: ir.Module) -> Work:
    """Count a module with an entry point `main`.

    Raises:
        LoweringError: it has none.
    """
    main = main_of(module)
    (block,) = main.regions[0].blocks
    arguments = [_size(argument.type) for argument in block.arguments]
    returned = block.operations[len(block.operations) - 1]
    products: dict[str, float] = {}
    other = 0.0
    for operation in _all(block):
        name = _name(operation)
        if name in ("dot_general", "dot", "convolution"):
            dtype = _dtype(operation.operands[0].type)
            products[dtype] = products.get(dtype, 0.0) + _product(name, operation)
        elif name not in _MOVING:
            other += _elements_worked(name, operation)
    outputs = sum(_size(value.type) for value in returned.operands)
    return Work(sum(arguments), outputs, products, other, _traffic(block))


def _all(block: ir.Block) -> Iterator[ir.Operation]:
    """Every op of a block and of the bodies of its loops and branches, not of its reductions."""
    for operation in block.operations:
        yield operation
        if _name(operation) in ("while", "if", "case"):
            for region in operation.regions:
                for inner in region.blocks:
                    yield from _all(inner)


def _product(name: str, operation: ir.Operation) -> float:
    """Operations of a matrix product or a convolution: two for each pair that is multiplied."""
    given = math.prod(_shape(operation.results[0].type))
    if name == "dot":
        return 2.0 * given * _shape(operation.operands[0].type)[-1]
    if name == "dot_general":
        left = _shape(operation.operands[0].type)
        said = str(operation.attributes["dot_dimension_numbers"])
        contracted = _listed(said, "lhs_contracting_dimensions")
        return 2.0 * given * math.prod(left[at] for at in contracted)
    kernel = _shape(operation.operands[1].type)
    # `#stablehlo.conv<[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]>`: a group's inputs stand in `i`
    said = str(operation.attributes["dimension_numbers"])
    places = said.partition("]x[")[2].partition("]")[0].split(",")
    outputs = kernel[[place.strip() for place in places].index("o")]
    return 2.0 * given * math.prod(kernel) / max(outputs, 1)


def _elements_worked(name: str, operation: ir.Operation) -> float:
    """One operation for each element that comes out; of a reduction, that goes in."""
    if name in ("reduce", "select_and_scatter", "scatter"):
        inputs = len(operation.operands) // 2 if name == "reduce" else 1
        taken = operation.operands[len(operation.operands) - 1] if name == "scatter" else None
        first = taken if taken is not None else operation.operands[0]
        return float(inputs * math.prod(_shape(first.type)))
    given = sum(math.prod(_shape(result.type)) for result in operation.results)
    if name == "reduce_window":
        window = _NUMBERS.findall(str(operation.attributes["window_dimensions"]))
        sides = window[-1] if window else str(operation.attributes["window_dimensions"])
        return float(given * math.prod(int(n) for n in re.findall(r"\d+", sides.split(":")[-1])))
    return float(given)


def _listed(said: str, name: str) -> list[int]:
    match = re.search(rf"{name} = \[([\d, ]*)\]", said)
    return [int(number) for number in match[1].split(",")] if match and match[1] else []


# --- bytes ------------------------------------------------------------------------------------


class _Memory:
    """What lies in memory while a block's ops are gone through, and the bytes moved so far.

    A value is laid down when it is read more than once, by an op that is not elementwise, or
    returned. Until then it is a computation on what it was made of (`_sources`); one that a matrix
    product or a reduction is part of (`_heavy`) is the end of that op's own kernel.
    """

    def __init__(self, block: ir.Block) -> None:
        self.bytes = 0.0
        self._sources: dict[ir.Value, frozenset[ir.Value]] = {}
        self._heavy: set[ir.Value] = set()
        for argument in block.arguments:
            self._sources[argument] = frozenset((argument,))

    def sources(self, value: ir.Value) -> frozenset[ir.Value]:
        """What has to be read for a value; of another block's, nothing that is not read there."""
        return self._sources.get(value, frozenset())

    def lay_down(self, value: ir.Value) -> None:
        """Write a value, unless it lies there: read what it is made of, and write it."""
        sources = self.sources(value)
        if sources == frozenset((value,)) or value not in self._sources:
            return
        self.bytes += _size(value.type) + sum(_size(source.type) for source in sources)
        self._sources[value] = frozenset((value,))
        self._heavy.discard(value)

    def fuse(self, operation: ir.Operation) -> None:
        """An elementwise op: it goes on with the kernel of one of its operands."""
        operands = list(operation.operands)
        heavy = [operand for operand in operands if operand in self._heavy]
        for operand in heavy[:-1]:
            self.lay_down(operand)
        sources = frozenset[ir.Value]().union(*(self.sources(operand) for operand in operands))
        for result in operation.results:
            self._sources[result] = frozenset((result,)) if _is_kept(operation) else sources
            if heavy:
                self._heavy.add(result)

    def begin(self, name: str, operation: ir.Operation) -> None:
        """Another op: a kernel of its own, which reads its operands."""
        operands = list(operation.operands)
        for operand in operands:
            if operand in self._heavy:
                self.lay_down(operand)
        looked_up = name in _LOOKED_UP
        read = operands[1:] if looked_up else operands
        sources = frozenset[ir.Value]().union(*(self.sources(operand) for operand in read))
        self.bytes += sum(_size(source.type) for source in sources)
        if looked_up:
            self.bytes += sum(_size(result.type) for result in operation.results)
        for result in operation.results:
            self._sources[result] = frozenset()
            self._heavy.add(result)


def _traffic(block: ir.Block) -> float:
    """Bytes that the ops of a block read and write in memory."""
    memory = _Memory(block)
    *operations, returned = block.operations
    for operation in operations:
        name = _name(operation)
        if name in _FUSED:
            memory.fuse(operation)
        else:
            memory.begin(name, operation)
        if name in ("while", "if", "case"):
            memory.bytes += sum(_traffic(body) for region in operation.regions for body in region)
        for result in operation.results:
            if _lies_in_memory(name, result):
                memory.lay_down(result)
    for value in returned.operands:
        memory.lay_down(value)
    return memory.bytes


def _is_kept(operation: ir.Operation) -> bool:
    """Is it a constant of many values, which lies in memory like an argument?"""
    value = operation.attributes["value"] if _name(operation) == "constant" else None
    return isinstance(value, ir.DenseElementsAttr) and not value.is_splat


def _lies_in_memory(name: str, value: ir.Value) -> bool:
    """Is it read more than once, and worth more than computing it again?"""
    if name in ("constant", "iota", "broadcast_in_dim", "reshape"):
        return False
    return sum(1 for _ in value.uses) > 1


# --- types ------------------------------------------------------------------------------------


def _name(operation: ir.Operation) -> str:
    return str(operation.operation.name).rpartition(".")[2]


def _shape(kind: ir.Type) -> list[int]:
    if not isinstance(kind, ir.RankedTensorType):
        return []
    shape = ir.RankedTensorType(kind).shape
    return [int(size) if size >= 0 else 1 for size in shape]  # one that is not known counts as 1


def _dtype(kind: ir.Type) -> str:
    return str(ir.RankedTensorType(kind).element_type)


def _size(kind: ir.Type) -> int:
    """Bytes of a tensor; of what is none, none."""
    if not isinstance(kind, ir.RankedTensorType):
        return 0
    element = _dtype(kind)
    sizes = [int(bits) for bits in _BITS.findall(element)[:1]] or [32]
    bits = sizes[0] * (2 if element.startswith("complex") else 1)
    return math.prod(_shape(kind)) * max(bits, 8) // 8
