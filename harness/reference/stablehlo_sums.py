# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableHLO ops that make one number of many: reductions, windows, products, convolutions."""

import itertools
import math
from collections.abc import Callable

import torch
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from bringup.harness.reference.convolutions import RANKS, Windows, convolved
from bringup.harness.reference.stablehlo_attributes import integer, integers, pairs, shape_of
from bringup.harness.reference.stablehlo_torch import Meaning, ReferenceRefusal, Tensors, padded

# --- reductions -----------------------------------------------------------------------------

FOLDS: dict[str, Callable[..., torch.Tensor]] = {
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


def folded_by(operation: ir.Operation) -> str:
    """The name of the one op that a region makes of its two arguments."""
    block = operation.regions[0].blocks[0]
    inside = [each.operation for each in block.operations]
    plain = len(inside) == 2 and set(inside[0].operands) == set(block.arguments)
    if not plain or len(block.arguments) != 2 or inside[0].name not in FOLDS:
        raise ReferenceRefusal(f"this region of {operation.name} is not computed in PyTorch")
    return str(inside[0].name)


def _reduce(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    operand, start = operands
    name, dimensions = folded_by(operation), integers(operation, "dimensions")
    if not dimensions:
        raise ReferenceRefusal("a reduction over nothing is not computed in PyTorch")
    if name in _OVER and operand.dtype is not torch.bool:
        return FOLDS[name](_OVER[name](operand, dimensions), start)
    for dimension in sorted(dimensions, reverse=True):
        parts = operand.unbind(dimension)
        operand = start.expand(parts[0].shape)
        for part in parts:
            operand = FOLDS[name](operand, part)
    return operand


def _reduce_window(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    operand, start = operands
    ones = [1] * operand.ndim
    size = integers(operation, "window_dimensions")
    stride = integers(operation, "window_strides", ones)
    apart = integers(operation, "window_dilations", ones)
    spread = [d - 1 for d in integers(operation, "base_dilations", ones)]
    low, high = zip(*pairs(operation, "padding", operand.ndim), strict=True)
    whole = padded(operand, start, low, high, spread)
    fold, counts = FOLDS[folded_by(operation)], shape_of(operation)
    result = start.expand(counts)
    for offsets in itertools.product(*(range(n) for n in size)):
        first = [o * d for o, d in zip(offsets, apart, strict=True)]
        taken = zip(first, counts, stride, strict=True)
        window = whole[tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in taken)]
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


def _convolution(operation: ir.Operation, operands: Tensors) -> torch.Tensor:
    numbers = _stablehlo.ConvDimensionNumbers(operation.attributes["dimension_numbers"])
    spatial = list(numbers.input_spatial_dimensions)
    rank, ones = len(spatial), [1] * len(spatial)
    if integer(operation, "batch_group_count") != 1 or rank not in RANKS:
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
    if "window_reversal" in operation.attributes:
        flags = list(ir.DenseBoolArrayAttr(operation.attributes["window_reversal"]))
        kernel = kernel.flip([2 + d for d, flag in enumerate(flags) if flag])
    low, high = zip(*pairs(operation, "padding", rank), strict=True)
    windows = Windows(
        stride=integers(operation, "window_strides", ones),
        low=low,
        high=high,
        spread=integers(operation, "lhs_dilation", ones),
        apart=integers(operation, "rhs_dilation", ones),
        groups=integer(operation, "feature_group_count"),
    )
    result = convolved(_exact(x), _exact(kernel), windows)
    places = [
        numbers.output_batch_dimension,
        numbers.output_feature_dimension,
        *numbers.output_spatial_dimensions,
    ]
    return result.permute(sorted(range(len(places)), key=places.__getitem__))


SUMS: dict[str, Meaning] = {
    "convolution": _convolution,
    "dot_general": _dot_general,
    "reduce": _reduce,
    "reduce_window": _reduce_window,
}
"""By the name after `stablehlo.`."""
