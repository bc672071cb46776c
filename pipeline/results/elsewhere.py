# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""On which boards tests ran, so that what failed on one is run again on another."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import GOOD, PlannedTest, TestRecord
from bringup.harness.records.variable_names import AVOID_VARIABLE

BOARD = "board"
"""The attribute of a stage that names the board; absent where the kind has one that is not told
apart."""


def boards_of(record: TestRecord) -> set[str]:
    """The titles of the boards that a test was compiled for and ran on."""
    return {stage.attributes[BOARD] for stage in record.stages if BOARD in stage.attributes}


def boards_by_test(run_dir: Path, *, good: bool) -> dict[str, set[str]]:
    """The boards of the tests of a merged run that were good, or that were not, by key.

    Raises:
        RecordError: not a merged run, or a malformed record.
    """
    records = latest(read_merged(run_dir)[1])
    return {
        r.identity.key: boards_of(r)
        for r in records
        if (r.outcome in GOOD) is good and boards_of(r)
    }


def avoiding(test: PlannedTest, boards: Iterable[str]) -> PlannedTest:
    """The test, to be run on another board than these if one is free."""
    titles = ",".join(sorted(boards))
    if not titles:
        return test
    return msgspec.structs.replace(test, environment={**test.environment, AVOID_VARIABLE: titles})


def works_elsewhere(test: str, failed: set[str], good: set[str]) -> str:
    """That a test which failed on one board is good on others only, a sentence; empty if not."""
    if not failed or not good or failed & good:
        return ""
    return f"{test} works elsewhere: bad on {_named(failed)}, good on {_named(good)}"


def _named(boards: set[str]) -> str:
    return ", ".join(sorted(boards))
