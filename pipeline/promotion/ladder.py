# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a test stands on a device, and every way up and down (SEED S13 to S16), as one table.

=================  ==========================  =============================  ==================
standing           what it does                lists                          full flow at night
=================  ==========================  =============================  ==================
FULL               runs and is correct         nightly full, weekly op-by-op  gates (S14)
INCORRECT          runs, its check is off      as FULL, with an issue         gates (S15)
QUARANTINE         runs, not every time        weekly op-by-op                a probe
COMPILE            compiles, cannot execute    e2e compile                    the top where a
                                                                              device only compiles
OP_BY_OP_COMPILE   does not run, ops compile   nightly op-by-op, e2e compile  a probe (S16)
OP_BY_OP           does not run, or is new     nightly op-by-op               a probe (S16)
NEW                nothing is known            none                           none
SKIPPED            somebody said so            as listed                      none
=================  ==========================  =============================  ==================

A way up needs `promote`'s evidence that a level holds, a way down `demote`'s that it is lost; from
NEW the first evidence of any kind leads to OP_BY_OP. A probe gates nothing and keeps no list's
promise: it is what makes every way down one that leads back. Whoever put a test on the weekly full
list has said that it is FULL and that nights have no time for it: it stays there until it goes
down, and what comes up again goes to nightly full.
"""

import enum
from collections.abc import Collection

from bringup.harness.records.values import Outcome
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    WEEKLY_FULL,
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
    QUARANTINE = "quarantine"
    INCORRECT = "full, check disabled"
    FULL = "full"
    SKIPPED = "skipped"


LEVEL_OF = {
    Outcome.PASSED: Level.CORRECT,
    Outcome.INCORRECT: Level.INCORRECT,
    Outcome.REACHED: Level.COMPILED,
    Outcome.FAILED: Level.BROKEN,
    Outcome.DOES_NOT_FIT: Level.BROKEN,
    Outcome.CRASHED: Level.BROKEN,
    Outcome.TIMEOUT: Level.BROKEN,
}
"""Outcomes that say something of a model. A timeout of a suspect device is excluded before."""

NEEDS = {
    Standing.NEW: Level.BROKEN,
    Standing.OP_BY_OP: Level.BROKEN,
    Standing.OP_BY_OP_COMPILE: Level.BROKEN,
    Standing.COMPILE: Level.COMPILED,
    Standing.QUARANTINE: Level.INCORRECT,
    Standing.INCORRECT: Level.INCORRECT,
    Standing.FULL: Level.CORRECT,
    Standing.SKIPPED: Level.BROKEN,
}
"""The level below which an attempt is a failure of a test that stands there."""

RANK = {
    Standing.NEW: 0,
    Standing.OP_BY_OP: 1,
    Standing.OP_BY_OP_COMPILE: 1,
    Standing.COMPILE: 2,
    Standing.QUARANTINE: 3,
    Standing.INCORRECT: 4,
    Standing.FULL: 5,
    Standing.SKIPPED: 0,
}
"""A way is up where the rank rises."""

LISTS: dict[Standing, tuple[ListSpec, ...]] = {
    Standing.NEW: (),
    Standing.OP_BY_OP: (NIGHTLY_OP_BY_OP,),
    Standing.OP_BY_OP_COMPILE: (NIGHTLY_OP_BY_OP, NIGHTLY_E2E_COMPILE),
    Standing.COMPILE: (NIGHTLY_E2E_COMPILE,),
    Standing.QUARANTINE: (WEEKLY_OP_BY_OP,),
    Standing.INCORRECT: (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
    Standing.FULL: (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
}

GATES = (Standing.FULL, Standing.INCORRECT, Standing.COMPILE)
"""Where a failure breaks a promise: it is run again at once."""
PROBED = (
    Standing.QUARANTINE,
    Standing.COMPILE,
    Standing.OP_BY_OP_COMPILE,
    Standing.OP_BY_OP,
)
"""Where the full flow is run as a probe, on a device that executes."""
RISING = (Standing.NEW, *PROBED, Standing.INCORRECT)
"""What may go up; where a device only compiles, COMPILE is the top."""


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


def standing_on(lists: Collection[ListSpec]) -> Standing:
    """Where a test stands that is on some lists; the best of them counts."""
    on = set(lists)
    if on & {NIGHTLY_FULL, WEEKLY_FULL}:
        return Standing.FULL
    if NIGHTLY_OP_BY_OP in on:
        return Standing.OP_BY_OP_COMPILE if NIGHTLY_E2E_COMPILE in on else Standing.OP_BY_OP
    if NIGHTLY_E2E_COMPILE in on:
        return Standing.COMPILE
    return Standing.QUARANTINE if WEEKLY_OP_BY_OP in on else Standing.NEW
