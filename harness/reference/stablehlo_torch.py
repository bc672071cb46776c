# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableHLO ops as PyTorch functions: the elementwise ones, and those that make or move values.

Tables by the name after `stablehlo.`; `stablehlo_sums` has the rest of the ops known.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.errors import HarnessError
from bringup.harness.ops.identity import mlir_type
from bringup.harness.reference.ends import with_ends
from bringup.harness.reference.stablehlo_attributes import integer, integers, shape_of, word

Tensors = list[torch.Tensor]
Meaning = Callable[[ir.Operation, Tensors], torch.Tensor]
"""Computes an op's one result from its operands."""
DTYPES = {name: dtype for dtype, name in WIRE_NAMES.items()}
"""By the name that records use."""


class ReferenceRefusal(HarnessError):
    """A reference cannot say what an op computes."""


# --- elementwise ----------------------------------------------------------------------------


def _divide(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    floats = a.is_floating_point() or a.is_complex()
    return a / b if floats else torch.div(a, b, rounding_mode="trunc")


def _away_from_zero(x: torch.Tensor) -> torch.Tensor:
    return x.sign() * (x.abs() + 0.5).floor()


def _cube_root(x: torch.Tensor) -> torch.Tensor:
    return x.sign() * x.abs().pow(1 / 3)


def _compare(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    if "TOTALORDER" in str(operation.attributes):
        raise ReferenceRefusal("a total order of floats is not computed in PyTorch")
    return _COMPARISONS[word(operation, "comparison_direction")](*operands)


def _clamp(low: torch.Tensor, x: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    return torch.minimum(torch.maximum(x, low), high)


_COMPARISONS: dict[str, Callable[..., torch.Tensor]] = {
    "EQ": torch.eq,
    "NE": torch.ne,
    "LT": torch.lt,
    "LE": torch.le,
    "GT": torch.gt,
    "GE": torch.ge,
}
_FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "abs": torch.abs,
    "add": torch.add,
    "and": torch.bitwise_and,
    "atan2": torch.atan2,
    "cbrt": _cube_root,
    "ceil": torch.ceil,
    "clamp": _clamp,
    "complex": torch.complex,
    "convert": torch.clone,
    "cosine": torch.cos,
    "divide": _divide,
    "exponential": torch.exp,
    "exponential_minus_one": torch.expm1,
    "floor": torch.floor,
    "imag": torch.imag,
    "is_finite": torch.isfinite,
    "log": torch.log,
    "log_plus_one": torch.log1p,
    "logistic": torch.sigmoid,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "multiply": torch.mul,
    "negate": torch.neg,
    "not": torch.bitwise_not,
    "optimization_barrier": torch.clone,
    "or": torch.bitwise_or,
    "power": torch.pow,
    "real": torch.real,
    "remainder": torch.fmod,
    "round_nearest_afz": _away_from_zero,
    "round_nearest_even": torch.round,
    "rsqrt": torch.rsqrt,
    "select": torch.where,
    "sign": torch.sign,
    "sine": torch.sin,
    "sqrt": torch.sqrt,
    "subtract": torch.sub,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "xor": torch.bitwise_xor,
}


def _of_operands(function: Callable[..., torch.Tensor]) -> Meaning:
    return lambda _, operands: function(*operands)


ELEMENTWISE: dict[str, Meaning] = {
    **{name: _of_operands(function) for name, function in _FUNCTIONS.items()},
    "compare": _compare,
}


# --- shapes ---------------------------------------------------------------------------------


def _constant(operation: ir.Operation, _: Tensors) -> torch.Tensor:
    type_ = mlir_type(operation.results[0].type)
    if type_.dtype not in DTYPES or type_.dtype.startswith("complex"):
        raise ReferenceRefusal(f"a constant of {type_.dtype} is not read")
    if type_.dtype.startswith(("bfloat", "float8")):
        written = str(operation.attributes["value"])
        return _of_text(written, DTYPES[type_.dtype]).expand(type_.shape)
    values = np.array(ir.DenseElementsAttr(operation.attributes["value"]))
    return torch.from_numpy(values.reshape(type_.shape).copy()).to(DTYPES[type_.dtype])


def _of_text(written: str, dtype: torch.dtype) -> torch.Tensor:
    """What is written of a constant whose numbers numpy has no type for: all of them, or one for
    all; in a shape that expands to the constant's where that is known already.

    Raises:
        ReferenceRefusal: it is written in a way of its own.
    """
    inside, _, kind = written.removeprefix("dense<").rpartition("> : tensor<")
    sizes = [int(size) for size in kind.split("x")[:-1]]
    if inside.startswith('"0x'):
        bits = bytearray.fromhex(inside[3:-1])
        return torch.frombuffer(bits, dtype=dtype).reshape(sizes)
    integer = {1: torch.uint8, 2: torch.uint16}[dtype.itemsize]
    try:
        numbers = [
            torch.tensor(int(one, 16), dtype=integer).view(dtype)
            if one.startswith("0x")  # an infinity, or no number
            else torch.tensor(float(one), dtype=torch.float64).to(dtype)
            for one in inside.translate(_PUNCTUATION).split()
        ]
    except ValueError as error:
        raise ReferenceRefusal(f"a constant of {dtype} is not read") from error
    if len(numbers) == 1:
        return numbers[0]
    return torch.stack(numbers).reshape(sizes) if numbers else torch.empty(sizes, dtype=dtype)


_PUNCTUATION = str.maketrans("[],", "   ")


def _broadcast(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    places = integers(operation, "broadcast_dimensions")
    shape = shape_of(operation)
    ordered = operands[0].permute(sorted(range(len(places)), key=places.__getitem__))
    sizes = iter(ordered.shape)
    view = [next(sizes) if d in places else 1 for d in range(len(shape))]
    return ordered.reshape(view).expand(shape)


def _iota(operation: ir.Operation, _: Tensors) -> torch.Tensor:
    shape, dimension = shape_of(operation), integer(operation, "iota_dimension")
    view = [-1 if d == dimension else 1 for d in range(len(shape))]
    return torch.arange(shape[dimension]).reshape(view).expand(shape)


def _slice(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    names = ("start_indices", "limit_indices", "strides")
    bounds = zip(*(integers(operation, name) for name in names), strict=True)
    return operands[0][tuple(slice(*bound) for bound in bounds)]


def _starts(operand: torch.Tensor, sizes: Sequence[int], given: Tensors) -> list[int]:
    """Where a dynamic slice starts: moved so that it is inside."""
    room = [whole - size for whole, size in zip(operand.shape, sizes, strict=True)]
    return [min(max(int(g), 0), r) for g, r in zip(given, room, strict=True)]


def _dynamic_slice(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    sizes = integers(operation, "slice_sizes")
    starts = _starts(operands[0], sizes, operands[1:])
    return operands[0][tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True))]


def _dynamic_update_slice(_: ir.Operation, operands: Tensors) -> torch.Tensor:
    sizes = operands[1].shape
    starts = _starts(operands[0], sizes, operands[2:])
    result = operands[0].clone()
    result[tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True))] = operands[1]
    return result


def _pad(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    names = ("edge_padding_low", "edge_padding_high", "interior_padding")
    low, high, between = (integers(operation, name) for name in names)
    return padded(operands[0], operands[1], low, high, between)


def padded(
    x: torch.Tensor,
    value: torch.Tensor,
    low: Sequence[int],
    high: Sequence[int],
    between: Sequence[int],
) -> torch.Tensor:
    """`between` elements of `value` between neighbours, `low` and `high` at the ends or cut off.

    One number for each dimension of `x`; below zero, `low` and `high` cut off.
    """
    spread = [max(n + (n - 1) * b, 0) for n, b in zip(x.shape, between, strict=True)]
    whole = torch.full(spread, value.item(), dtype=x.dtype)
    whole[tuple(slice(None, None, b + 1) for b in between)] = x
    return with_ends(whole, low, high, value.item())


def _gather(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    operand, indices = operands
    numbers = _stablehlo.GatherDimensionNumbers(operation.attributes["dimension_numbers"])
    sizes = integers(operation, "slice_sizes")
    if numbers.operand_batching_dims:
        raise ReferenceRefusal("a gather with batching dimensions is not computed in PyTorch")
    if numbers.index_vector_dim == indices.ndim:
        indices = indices.unsqueeze(-1)
    starts = indices.movedim(numbers.index_vector_dim, -1).to(torch.int64)
    batch, kept = starts.ndim - 1, [d for d in range(operand.ndim)]
    for dimension in numbers.collapsed_slice_dims:
        kept.remove(dimension)
    places = []
    for dimension, size in enumerate(sizes):
        place = torch.zeros([1] * (batch + len(kept)), dtype=torch.int64)
        if dimension in numbers.start_index_map:
            start = starts[..., numbers.start_index_map.index(dimension)]
            start = start.clamp(0, operand.shape[dimension] - size)
            place = place + start.reshape([*start.shape, *([1] * len(kept))])
        if dimension in kept:
            view = [1] * (batch + len(kept))
            view[batch + kept.index(dimension)] = size
            place = place + torch.arange(size).reshape(view)
        places.append(place)
    gathered = operand[tuple(places)]
    wanted = [starts.shape[i] for i in range(batch)] + [sizes[d] for d in kept]
    offsets = list(numbers.offset_dims)
    outer = [d for d in range(len(wanted)) if d not in offsets]
    order = dict(zip([*outer, *offsets], range(len(wanted)), strict=True))
    return gathered.expand(wanted).permute([order[d] for d in range(len(wanted))])


CREATIONS: dict[str, Meaning] = {"constant": _constant, "iota": _iota}
MOVES: dict[str, Meaning] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": lambda o, x: torch.cat(x, integer(o, "dimension")),
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    "pad": _pad,
    "reshape": lambda o, x: x[0].reshape(shape_of(o)),
    "reverse": lambda o, x: x[0].flip(integers(o, "dimensions")),
    "slice": _slice,
    "transpose": lambda o, x: x[0].permute(integers(o, "permutation")),
}
