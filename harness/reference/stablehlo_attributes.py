# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Attributes of StableHLO ops as Python values."""

from collections.abc import Sequence

import numpy as np
from torch_mlir import ir


def integers(operation: ir.Operation, name: str, default: Sequence[int] = ()) -> list[int]:
    """A list of integers; `default` where it is absent."""
    if name not in operation.attributes:
        return list(default)
    return list(ir.DenseI64ArrayAttr(operation.attributes[name]))


def pairs(operation: ir.Operation, name: str, count: int) -> list[tuple[int, int]]:
    """An n x 2 attribute, zeros where it is absent."""
    if name not in operation.attributes:
        return [(0, 0)] * count
    table = np.array(ir.DenseIntElementsAttr(operation.attributes[name])).reshape(count, 2)
    return [(int(low), int(high)) for low, high in table]


def integer(operation: ir.Operation, name: str) -> int:
    """One integer."""
    return int(ir.IntegerAttr(operation.attributes[name]).value)


def word(operation: ir.Operation, name: str) -> str:
    """The enumerator in e.g. `#stablehlo<comparison_direction LT>`."""
    return str(operation.attributes[name]).rstrip(">").rpartition(" ")[2]


def shape_of(operation: ir.Operation) -> list[int]:
    """Sizes of its first result."""
    return list(operation.results[0].type.shape)
