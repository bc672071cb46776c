# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Asking a test to be searched for what is wrong in its model, in place of being run.

`nox -s repro` has its session hold a request and runs the test by pytest within it, so the model is
loaded the way its test loads it. `BRINGUP_REDUCE_SECONDS` asks every failing test of a run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.records.variable_names import REDUCE_SECONDS_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.session import current

if TYPE_CHECKING:
    from bringup.harness.records.schema import Identity
    from bringup.harness.reduce.model_reproducer import ModelExpected
    from bringup.harness.reduce.search import Found

SECONDS = 600.0
"""Seconds for a search that a person asked for, unless they say otherwise."""
PART_DEADLINE = 30.0
"""Seconds for one part of a model."""


STAGE_S = 60.0
"""Seconds that each stage may take at least until there is a graph to search."""


class SearchDone(Exception):
    """The search of a test's model is over; nothing after `test_model` is to run."""


@dataclass
class Request:
    """One search, and what came of it."""

    run_dir: Path
    """The run directory whose `repro` folder takes the reproducers."""
    seconds: float
    say: Callable[[str], None]
    deadline_s: float = PART_DEADLINE
    expected: "ModelExpected | None" = None
    """How the model is to end; without it, however it does."""
    found: "Found | None" = None
    identity: "Identity | None" = None
    """The test that was searched."""
    place: Path | None = None
    """The reproducer of the smallest part."""


def requested() -> Request | None:
    """What the session, or the one around it, holds: the next test is searched and not run."""
    return current().find(Request)


def is_test_id(which: str) -> bool:
    """Is it a pytest id, and no key?"""
    return "::" in which


def seconds_at_once() -> float:
    """Seconds to reduce a model that failed just now.

    Raises:
        UsageError: the variable holds no number.
    """
    return float(VARIABLES[REDUCE_SECONDS_VARIABLE].read())
