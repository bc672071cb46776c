# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableHLO ops computed by PyTorch: what is too long for the reference interpreter.

The meaning is that of the StableHLO specification (openxla.org/stablehlo/spec), for the ops that
models are made of; the tests hold it against the interpreter. Floats are computed in float64 and
rounded once, so that a device is compared with the result and not with other roundings. What is
not known here is refused, never guessed.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from harness.devices.tensors import WIRE_NAMES
from harness.errors import HarnessError
from harness.op_by_op.identity import mlir_type
from harness.op_by_op.stablehlo_attributes import integer, integers, pairs, shape_of, word

Tensors = list[torch.Tensor]
DTYPES = {name: dtype for dtype, name in WIRE_NAMES.items()}
"""By the name that records use."""


class ReferenceRefusal(HarnessError):
    """A reference cannot say what an op computes."""


def compute(main: ir.Operation, inputs: Sequence[torch.Tensor]) -> Tensors:
    """What a function without calls computes, as the types of its results have it.

    Raises:
        ReferenceRefusal: an op or a type in it is not known here.
    """
    block = main.regions[0].blocks[0]
    values: dict[ir.Value, torch.Tensor] = dict(zip(block.arguments, inputs, strict=True))
    operations = [each.operation for each in block.operations]
    for operation in operations[:-1]:
        name = operation.name.removeprefix("stablehlo.")
        meaning = _MEANINGS.get(name)
        if meaning is None or len(operation.results) != 1:
            raise ReferenceRefusal(f"{operation.name} is not computed in PyTorch")
        try:
            with torch.no_grad():
                operands = [values[v].detach() for v in operation.operands]
                if name not in _MOVES:
                    operands = [_wide(operand) for operand in operands]
                value = meaning(operation, operands)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise ReferenceRefusal(f"PyTorch cannot compute {operation.name}: {error}") from error
        values[operation.results[0]] = _rounded(value, operation.results[0].type)
    return [values[value] for value in operations[-1].operands]


def _wide(value: torch.Tensor) -> torch.Tensor:
    if value.is_complex():
        return value.to(torch.complex128)
    return value.to(torch.float64) if value.is_floating_point() else value


def _rounded(value: torch.Tensor, type_: ir.Type) -> torch.Tensor:
    declared = mlir_type(type_)
    if declared.dtype not in DTYPES or -1 in declared.shape:
        raise ReferenceRefusal(f"there is no torch tensor of type {type_}")
    if tuple(value.shape) != declared.shape:
        raise ReferenceRefusal(f"a {tuple(value.shape)} came out where {type_} is declared")
    return value.to(DTYPES[declared.dtype])


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
_ELEMENTWISE: dict[str, Callable[..., torch.Tensor]] = {
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


# --- shapes ---------------------------------------------------------------------------------


def _constant(operation: ir.Operation, _: Tensors) -> torch.Tensor:
    type_ = mlir_type(operation.results[0].type)
    if type_.dtype not in DTYPES or type_.dtype.startswith(("bfloat", "float8", "complex")):
        raise ReferenceRefusal(f"a constant of {type_.dtype} is not read")
    values = np.array(ir.DenseElementsAttr(operation.attributes["value"]))
    return torch.from_numpy(values.reshape(type_.shape).copy()).to(DTYPES[type_.dtype])


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
    return _padded(operands[0], operands[1], low, high, between)


def _padded(
    x: torch.Tensor,
    value: torch.Tensor,
    low: Sequence[int],
    high: Sequence[int],
    between: Sequence[int],
) -> torch.Tensor:
    """`between` elements of `value` between neighbours, `low` and `high` at the ends or cut off."""
    spread = [max(n + (n - 1) * b, 0) for n, b in zip(x.shape, between, strict=True)]
    whole = torch.full(spread, value.item(), dtype=x.dtype)
    whole[tuple(slice(None, None, b + 1) for b in between)] = x
    ends = [end for pair in zip(low[::-1], high[::-1], strict=True) for end in pair]
    if any(ends):
        whole = torch.nn.functional.pad(whole, ends, value=value.item())
    return whole


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


# --- reductions -----------------------------------------------------------------------------

_FOLDS: dict[str, Callable[..., torch.Tensor]] = {
    "stablehlo.add": torch.add,
    "stablehlo.multiply": torch.mul,
    "stablehlo.maximum": torch.maximum,
    "stablehlo.minimum": torch.minimum,
    "stablehlo.and": torch.bitwise_and,
    "stablehlo.or": torch.bitwise_or,
}


def _product(x: torch.Tensor, dimensions: list[int]) -> torch.Tensor:
    for dimension in sorted(dimensions, reverse=True):
        x = x.prod(dimension)
    return x


_OVER: dict[str, Callable[[torch.Tensor, list[int]], torch.Tensor]] = {
    "stablehlo.add": lambda x, d: x.sum(d, dtype=x.dtype),
    "stablehlo.multiply": _product,
    "stablehlo.maximum": torch.amax,
    "stablehlo.minimum": torch.amin,
}


def _folded_by(operation: ir.Operation) -> str:
    """The name of the one op that a region makes of its two arguments."""
    block = operation.regions[0].blocks[0]
    inside = [each.operation for each in block.operations]
    plain = len(inside) == 2 and set(inside[0].operands) == set(block.arguments)
    if not plain or len(block.arguments) != 2 or inside[0].name not in _FOLDS:
        raise ReferenceRefusal(f"this region of {operation.name} is not computed in PyTorch")
    return str(inside[0].name)


def _reduce(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    operand, start = operands
    name, dimensions = _folded_by(operation), integers(operation, "dimensions")
    if not dimensions:
        raise ReferenceRefusal("a reduction over nothing is not computed in PyTorch")
    if name in _OVER and operand.dtype is not torch.bool:
        return _FOLDS[name](_OVER[name](operand, dimensions), start)
    for dimension in sorted(dimensions, reverse=True):
        parts = operand.unbind(dimension)
        operand = start.expand(parts[0].shape)
        for part in parts:
            operand = _FOLDS[name](operand, part)
    return operand


def _reduce_window(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    operand, start = operands
    ones = [1] * operand.ndim
    size = integers(operation, "window_dimensions")
    stride = integers(operation, "window_strides", ones)
    apart = integers(operation, "window_dilations", ones)
    spread = [d - 1 for d in integers(operation, "base_dilations", ones)]
    low, high = zip(*pairs(operation, "padding", operand.ndim), strict=True)
    padded = _padded(operand, start, low, high, spread)
    fold, counts = _FOLDS[_folded_by(operation)], shape_of(operation)
    result = start.expand(counts)
    for offsets in itertools.product(*(range(n) for n in size)):
        first = [o * d for o, d in zip(offsets, apart, strict=True)]
        taken = zip(first, counts, stride, strict=True)
        window = padded[tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in taken)]
        result = fold(result, window)
    return result


# --- contractions ---------------------------------------------------------------------------


def _exact(x: torch.Tensor) -> torch.Tensor:
    """Integers too: small ones are exact in float64, and its products are fast."""
    return x if x.is_complex() else x.to(torch.float64)


def _dot_general(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    numbers = _stablehlo.DotDimensionNumbers(operation.attributes["dot_dimension_numbers"])
    sides = (
        (operands[0], numbers.lhs_batching_dimensions, numbers.lhs_contracting_dimensions),
        (operands[1], numbers.rhs_batching_dimensions, numbers.rhs_contracting_dimensions),
    )
    matrices = []
    for x, batching, contracting in sides:
        rest = [d for d in range(x.ndim) if d not in (*batching, *contracting)]
        ordered = _exact(x).permute([*batching, *rest, *contracting])
        shape = [x.shape[d] for d in batching]
        rows, columns = (math.prod(x.shape[d] for d in part) for part in (rest, contracting))
        matrices.append(ordered.reshape([*shape, rows, columns]))
    return (matrices[0] @ matrices[1].mT).reshape(shape_of(operation))


_CONVOLUTIONS = {
    1: torch.nn.functional.conv1d,
    2: torch.nn.functional.conv2d,
    3: torch.nn.functional.conv3d,
}


def _convolution(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    numbers = _stablehlo.ConvDimensionNumbers(operation.attributes["dimension_numbers"])
    spatial = list(numbers.input_spatial_dimensions)
    rank, ones = len(spatial), [1] * len(spatial)
    if integer(operation, "batch_group_count") != 1 or rank not in _CONVOLUTIONS:
        raise ReferenceRefusal("a convolution over batch groups is not computed in PyTorch")
    x = operands[0].permute(
        [numbers.input_batch_dimension, numbers.input_feature_dimension, *spatial]
    )
    kernel = operands[1].permute(
        [
            numbers.kernel_output_feature_dimension,
            numbers.kernel_input_feature_dimension,
            *numbers.kernel_spatial_dimensions,
        ]
    )
    low, high = zip(*pairs(operation, "padding", rank), strict=True)
    spread = [d - 1 for d in integers(operation, "lhs_dilation", ones)]
    zero = torch.zeros((), dtype=torch.float64)
    x = _padded(_exact(x), zero, [0, 0, *low], [0, 0, *high], [0, 0, *spread])
    if "window_reversal" in operation.attributes:
        flags = list(ir.DenseBoolArrayAttr(operation.attributes["window_reversal"]))
        kernel = kernel.flip([2 + d for d, flag in enumerate(flags) if flag])
    result = _CONVOLUTIONS[rank](
        x,
        _exact(kernel),
        stride=integers(operation, "window_strides", ones),
        dilation=integers(operation, "rhs_dilation", ones),
        groups=integer(operation, "feature_group_count"),
    )
    places = [
        numbers.output_batch_dimension,
        numbers.output_feature_dimension,
        *numbers.output_spatial_dimensions,
    ]
    return result.permute(sorted(range(len(places)), key=places.__getitem__))


_Meaning = Callable[[ir.Operation, Tensors], torch.Tensor]


def _of_operands(function: Callable[..., torch.Tensor]) -> _Meaning:
    return lambda _, operands: function(*operands)


_MOVES = frozenset(
    {
        *("broadcast_in_dim", "concatenate", "dynamic_slice", "dynamic_update_slice", "gather"),
        *("optimization_barrier", "pad", "reshape", "reverse", "select", "slice", "transpose"),
    }
)
"""What only moves values: they need not be widened."""
_MEANINGS: dict[str, _Meaning] = {
    **{name: _of_operands(function) for name, function in _ELEMENTWISE.items()},
    "broadcast_in_dim": _broadcast,
    "compare": _compare,
    "concatenate": lambda o, x: torch.cat(x, integer(o, "dimension")),
    "constant": _constant,
    "convolution": _convolution,
    "dot_general": _dot_general,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    "iota": _iota,
    "pad": _pad,
    "reduce": _reduce,
    "reduce_window": _reduce_window,
    "reshape": lambda o, x: x[0].reshape(shape_of(o)),
    "reverse": lambda o, x: x[0].flip(integers(o, "dimensions")),
    "slice": _slice,
    "transpose": lambda o, x: x[0].permute(integers(o, "permutation")),
}
