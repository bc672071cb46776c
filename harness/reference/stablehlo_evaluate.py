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
from bringup.harness.reference.stablehlo_sums import SUMS
from bringup.harness.reference.stablehlo_torch import (
    CREATIONS,
    DTYPES,
    ELEMENTWISE,
    MOVES,
    Meaning,
    ReferenceRefusal,
    Tensors,
)

_MEANINGS: dict[str, Meaning] = {**ELEMENTWISE, **CREATIONS, **MOVES, **SUMS}
_UNCHANGED = frozenset({*MOVES, "optimization_barrier", "select"})
"""What only moves values: they need not be widened."""


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
                if name not in _UNCHANGED:
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
