# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sweep's table, put together, and the cases of an op."""

import functools
import os

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.records.variable_names import SWEEP_LIMIT_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.sweep import (
    elementwise,
    indexing,
    making,
    ordering,
    products,
    reductions,
    shapes,
    windows,
)
from bringup.harness.sweep.rows import Call, Row

_PARTS = (elementwise, reductions, products, indexing, shapes, windows, ordering, making)


@functools.cache
def table() -> dict[str, Row]:
    """Every row, by the op's name."""
    return {row.op: row for part in _PARTS for row in part.ROWS}


def ops() -> list[str]:
    """The names of the ops that are swept."""
    return list(table())


def calls_of(op: str) -> tuple[Call, ...]:
    """An op's calls: all, or as many as the run's limit lets through.

    Raises:
        UsageError: the sweep has no such op.
    """
    row = table().get(op)
    if row is None:
        raise UsageError(f"the sweep has no op {op!r}{hint(op, table())}")
    limit = VARIABLES[SWEEP_LIMIT_VARIABLE].read(os.environ)
    return row.calls[:limit]
