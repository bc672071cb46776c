# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A reduction of 16-bit floats as devices compute it: every step rounded, in the order they take.

The StableHLO specification has each step be of the element type, and leaves the order to the
device. A sum of thousands of such steps may be far from the exact one in every order; it is right
if it is, to the last bit, what one of these comes to. Nothing else is allowed by that.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch_mlir import ir

from bringup.harness.dense import as_bytes
from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.ops.identity import mlir_type
from bringup.harness.reference.stablehlo_attributes import integers
from bringup.harness.reference.stablehlo_evaluate import constant
from bringup.harness.reference.stablehlo_sums import FOLDS, SUMS, folded_by
from bringup.harness.reference.stablehlo_torch import ReferenceRefusal

_NARROW = (torch.bfloat16, torch.float16)
_NAMES = frozenset(WIRE_NAMES[dtype] for dtype in _NARROW)
_ROUNDED = {"stablehlo.add": 0.0, "stablehlo.multiply": 1.0}
"""Steps that round, with what changes nothing; a maximum is the same in any order."""
_WINDOW = 32
"""What XLA for the CPU reduces first, where a dimension is longer: `TreeReductionRewriter`."""
_MOST_STEPS = 1 << 14
_Fold = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def adds_narrow_floats(main: ir.Operation) -> bool:
    """Does a function of one op make one 16-bit float of many?"""
    target = [each.operation for each in main.regions[0].blocks[0].operations][-2]
    narrow = any(mlir_type(each.type).dtype in _NAMES for each in target.results)
    return narrow and target.name.removeprefix("stablehlo.") in SUMS


def stepwise(main: ir.Operation, inputs: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """What a function that is one such reduction comes to, one order after another.

    One number after another in the order they lie in; and in windows, whose sums are added up in
    windows again. Nothing of a function that is another.
    """
    *constants, target = [each.operation for each in main.regions[0].blocks[0].operations][:-1]
    if target.name != "stablehlo.reduce" or len(target.operands) != 2:
        return
    try:
        known = dict(zip(main.regions[0].blocks[0].arguments, inputs, strict=True))
        known |= {each.results[0]: constant(each) for each in constants}
        operand, start = (known[value] for value in target.operands)
        name, dimensions = folded_by(target), integers(target, "dimensions")
    except (ReferenceRefusal, KeyError):
        return
    sizes = [operand.shape[d] for d in dimensions]
    if operand.dtype not in _NARROW or name not in _ROUNDED or not sizes:
        return
    if not operand.numel() or math.prod(sizes) > _MOST_STEPS:
        return
    fold = FOLDS[name]
    yield [_whole(operand, start, dimensions, fold)]
    neutral = bool(start == _ROUNDED[name])  # else it would count once for each window
    if neutral and max(sizes) > _WINDOW:
        while max(operand.shape[d] for d in dimensions) > _WINDOW:
            operand = _windows(operand, start, dimensions, fold)
        yield [_whole(operand, start, dimensions, fold)]


def order_of(
    outputs: Sequence[torch.Tensor], orders: Iterable[list[torch.Tensor]]
) -> list[torch.Tensor] | None:
    """The one of some orders that comes, to the last bit, to a device's outputs; None: none."""
    for order in orders:
        if len(order) == len(outputs) and all(map(_same, order, outputs)):
            return order
    return None


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(as_bytes(one), as_bytes(other))


def _whole(
    operand: torch.Tensor, start: torch.Tensor, dimensions: list[int], fold: _Fold
) -> torch.Tensor:
    steps = itertools.product(*(range(operand.shape[d]) for d in dimensions))
    parts = (_part(operand, dimensions, place, [None] * len(place)) for place in steps)
    result = start.expand([n for d, n in enumerate(operand.shape) if d not in dimensions])
    for part in parts:
        result = fold(result, part.squeeze(dimensions))
    return result


def _windows(
    operand: torch.Tensor, start: torch.Tensor, dimensions: list[int], fold: _Fold
) -> torch.Tensor:
    """Each window folded into one number; what is missing of the windows at the ends is `start`."""
    shape, low, apart = list(operand.shape), [0] * operand.ndim, []
    for d in dimensions:
        size = min(_WINDOW, shape[d])
        missing = -shape[d] % size
        shape[d] += missing
        low[d] = missing // 2
        apart.append(size)
    whole = start.expand(shape).clone()
    whole[tuple(slice(a, a + n) for a, n in zip(low, operand.shape, strict=True))] = operand
    result = None
    for place in itertools.product(*map(range, apart)):
        part = _part(whole, dimensions, place, apart)
        result = fold(start.expand(part.shape) if result is None else result, part)
    assert result is not None
    return result


def _part(
    operand: torch.Tensor,
    dimensions: Sequence[int],
    place: Sequence[int],
    apart: Sequence[int | None],
) -> torch.Tensor:
    """Of the dimensions reduced the numbers from `place` on, so many `apart`; None: but one."""
    taken = [slice(None)] * operand.ndim
    for d, first, step in zip(dimensions, place, apart, strict=True):
        taken[d] = slice(first, first + 1) if step is None else slice(first, None, step)
    return operand[tuple(taken)]
