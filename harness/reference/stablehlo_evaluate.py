# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A StableHLO function computed by PyTorch: what is too long for the reference interpreter.

The meaning is that of the StableHLO specification (openxla.org/stablehlo/spec), for the ops that
models are made of; the tests hold it against the interpreter. Floats are computed in float64 and
rounded once, so that a device is compared with the result and not with other roundings. What is
not known here is refused, never guessed.
"""

from collections.abc import Sequence

import torch
from torch_mlir import ir

from bringup.harness.ops.identity import mlir_type
from bringup.harness.reference.stablehlo_sums import ONE_BY_ONE, SUMS
from bringup.harness.reference.stablehlo_torch import (
    CREATIONS,
    DTYPES,
    ELEMENTWISE,
    MOVES,
    Meaning,
    ReferenceRefusal,
    Tensors,
)
from bringup.harness.verify.moments import rms
from bringup.harness.verify.natural import Natural, natural_errors

_MEANINGS: dict[str, Meaning] = {**ELEMENTWISE, **CREATIONS, **MOVES, **SUMS}
_DIGIT = 1 / 16
"""Of a usual number: half of it is what eight times that may come to."""
_UNCHANGED = frozenset({*MOVES, "optimization_barrier", "select"})
"""What only moves values: they need not be widened."""


def compute(
    main: ir.Operation, inputs: Sequence[torch.Tensor], *, one_by_one: bool = False
) -> Tensors:
    """What a function without calls computes, as the types of its results have it.

    `one_by_one`: what is added up is rounded at each step, and not once.

    Raises:
        ReferenceRefusal: an op or a type in it is not known here.
    """
    block = main.regions[0].blocks[0]
    values: dict[ir.Value, torch.Tensor] = dict(zip(block.arguments, inputs, strict=True))
    operations = [each.operation for each in block.operations]
    for operation in operations[:-1]:
        name = operation.name.removeprefix("stablehlo.")
        told = one_by_one and name in ONE_BY_ONE
        meaning = ONE_BY_ONE[name] if told else _MEANINGS.get(name)
        if meaning is None or len(operation.results) != 1:
            raise ReferenceRefusal(f"{operation.name} is not computed in PyTorch")
        try:
            with torch.no_grad():
                operands = [values[v].detach() for v in operation.operands]
                if name not in _UNCHANGED and not told:
                    operands = [_wide(operand) for operand in operands]
                value = meaning(operation, operands)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise ReferenceRefusal(f"PyTorch cannot compute {operation.name}: {error}") from error
        values[operation.results[0]] = _rounded(value, operation.results[0].type)
    return [values[value] for value in operations[-1].operands]


def constant(operation: ir.Operation) -> torch.Tensor:
    """The value of a constant.

    Raises:
        ReferenceRefusal: it is of a type, or kept in a way, that is not read.
    """
    try:
        return CREATIONS["constant"](operation, [])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ReferenceRefusal(f"a constant is not read: {error}") from error


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


def rounding_as_told(main: ir.Operation, inputs: Sequence[torch.Tensor]) -> Natural | None:
    """What a device may be off by that rounds each step of a sum; None where there is none.

    A region that adds bfloat16 says that each sum is rounded to bfloat16, and of a product of
    bfloat16 the specification leaves it open, as it does the order: one after another is the worst.
    No more of it counts than leaves a digit.
    """
    names = {each.operation.name.removeprefix("stablehlo.") for each in _body(main)}
    if not names & ONE_BY_ONE.keys():
        return None
    try:
        once = compute(main, inputs)
        if not all(_is_short(each) for each in once):
            return None
        told = compute(main, inputs, one_by_one=True)
    except ReferenceRefusal:
        return None
    found = natural_errors(told, [each.double() for each in once])
    sizes = {f"[{place}]": _DIGIT * rms(each) for place, each in enumerate(once)}
    return {
        path: error.nan_to_num(nan=sizes[path]).clamp(-sizes[path], sizes[path])
        for path, error in found.items()
    }


def _body(main: ir.Operation) -> ir.OperationList:
    return main.regions[0].blocks[0].operations


def _is_short(value: torch.Tensor) -> bool:
    return value.is_floating_point() and value.element_size() < 4
