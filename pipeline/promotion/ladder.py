# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a test stands on a device, and every way up and down (SEED S13 to S16), as one table.

=================  ==========================  =============================================
standing           what it does                lists
=================  ==========================  =============================================
FULL               runs and is correct         nightly full, weekly op-by-op (S14)
INCORRECT          runs, its check is off      as FULL, with a tracked issue (S15)
OP_BY_OP_COMPILE   does not run, ops compile   nightly op-by-op, e2e compile (S16)
OP_BY_OP           does not run                nightly op-by-op (S16)
COMPILE            compiles, cannot execute    e2e compile: the top on a compile-only device
NEW                nothing is known            none
=================  ==========================  =============================================
"""

import enum

from bringup.harness.records.values import Outcome
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    WEEKLY_OP_BY_OP,
    ListSpec,
)


class Level(enum.IntEnum):
    """How far one full-flow attempt came; a test holds a level when evidence says it lasts."""

    BROKEN = 0
    COMPILED = 1
    INCORRECT = 2
    CORRECT = 3


class Standing(enum.StrEnum):
    """This module's table."""

    NEW = "new"
    OP_BY_OP = "op by op"
    OP_BY_OP_COMPILE = "op by op and e2e compile"
    COMPILE = "e2e compile"
    INCORRECT = "full, check disabled"
    FULL = "full"


LEVEL_OF = {
    Outcome.PASSED: Level.CORRECT,
    Outcome.INCORRECT: Level.INCORRECT,
    Outcome.REACHED: Level.COMPILED,
    Outcome.FAILED: Level.BROKEN,
    Outcome.CRASHED: Level.BROKEN,
    Outcome.TIMEOUT: Level.BROKEN,
}
"""Outcomes that say something of a model. A timeout of a suspect device is excluded before."""

NEEDS = {
    Standing.NEW: Level.BROKEN,
    Standing.OP_BY_OP: Level.BROKEN,
    Standing.OP_BY_OP_COMPILE: Level.BROKEN,
    Standing.COMPILE: Level.COMPILED,
    Standing.INCORRECT: Level.INCORRECT,
    Standing.FULL: Level.CORRECT,
}
"""The level below which an attempt is a failure of a test that stands there."""

LISTS: dict[Standing, tuple[ListSpec, ...]] = {
    Standing.NEW: (),
    Standing.OP_BY_OP: (NIGHTLY_OP_BY_OP,),
    Standing.OP_BY_OP_COMPILE: (NIGHTLY_OP_BY_OP, NIGHTLY_E2E_COMPILE),
    Standing.COMPILE: (NIGHTLY_E2E_COMPILE,),
    Standing.INCORRECT: (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
    Standing.FULL: (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
}


def belongs(level: Level, *, compile_only: bool, ops_compile: bool) -> Standing:
    """Where a test that holds a level belongs.

    Args:
        level: What it holds.
        compile_only: The device cannot execute.
        ops_compile: Op by op, every op of it compiles.
    """
    if compile_only and level is not Level.BROKEN:
        return Standing.COMPILE
    if level is Level.CORRECT:
        return Standing.FULL
    if level is Level.INCORRECT:
        return Standing.INCORRECT
    return Standing.OP_BY_OP_COMPILE if ops_compile else Standing.OP_BY_OP
