# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is asked of one op: units in the last place of the device's arithmetic, by what it adds up.

An op alone takes the very bits that golden took. What is left is its own rounding: a few units,
and for n products that are added up about the square root of n times as much. What a test asks of
its whole model says nothing of that.
"""

import dataclasses
import math

from bringup.harness.records.schema import Op, TensorType
from bringup.harness.verify import Tolerances

ULPS = 64.0
"""For an op that adds nothing up."""
_PRODUCTS = ("mm", "dot", "conv", "linear", "attention", "einsum", "matmul")


def op_tolerances(tolerances: Tolerances, op: Op) -> Tolerances:
    """A test's switches with the bounds of one op."""
    return dataclasses.replace(
        tolerances,
        required_pcc=None,
        required_atol=None,
        relative_atol=None,
        required_relative_l2=None,
        assert_relative_l2=False,
        assert_allclose=False,
        ulps=ULPS * math.sqrt(summed(op)),
    )


def summed(op: Op) -> float:
    """About how many values an op adds up for one of its results; at least 1.

    A product of operands A and B with result C sums sqrt(|A| |B| / |C|) values: K, for matrices of
    M x K and K x N. Of everything else it is at most how many times the largest operand is larger
    than the smallest result, and the longest axis for those that keep the shape (cumsum, softmax).
    """
    operands = [_elements(value) for value in op.inputs]
    results = [_elements(value) for value in op.outputs]
    if not operands or not results:
        return 1.0
    if len(operands) > 1 and any(word in op.name for word in _PRODUCTS):
        a, b = sorted(operands)[-2:]
        return max(1.0, math.sqrt(a * b / max(results)))
    longest = max((size for value in op.inputs for size in value.shape), default=1)
    return max(1.0, longest, max(operands) / min(results))


def _elements(value: TensorType) -> int:
    return max(1, math.prod(value.shape))
