# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an earlier attempt at a test left in this run's journals, for a run that is taken up again.

Every result counts, also one that the verdict cache refuses (a timeout), except where the machine
was to blame, or where other versions of the compilers were at work.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bringup.harness.records.journal import journals, read_journal
from bringup.harness.records.packing import read_lines
from bringup.harness.records.schema import NOT_EVIDENCE, JournalOpened, OpEnded, OpResult
from bringup.harness.records.variable_names import RESUMED_VARIABLE


def earlier_results(
    run_dir: Path, test: str, own: Path, versions: Mapping[str, str]
) -> dict[str, OpResult]:
    """By op key, the last result of each op of a test (an `Identity.key`), less `own` journal's.

    Empty unless the run was taken up again. `versions` are what is installed now.

    Raises:
        RecordError: a journal cannot be read.
    """
    if not os.environ.get(RESUMED_VARIABLE):
        return {}
    name = msgspec.json.encode(test)
    found: list[tuple[int, OpEnded]] = []
    for path in journals(run_dir):
        if path != own and name in read_lines(path):
            found += _of_test(path, test, versions)
    found.sort(key=lambda pair: (pair[0], pair[1].time))
    return {event.result.verdict.op.key: event.result for _, event in found}


def _of_test(journal: Path, test: str, versions: Mapping[str, str]) -> list[tuple[int, OpEnded]]:
    """The ops' ends in a journal, with how often its run had been taken up by then."""
    events, _ = read_journal(journal)
    opened = events[0] if events else None
    if not isinstance(opened, JournalOpened) or opened.provenance.versions != versions:
        return []
    return [
        (opened.attempt, event)
        for event in events
        if isinstance(event, OpEnded)
        and event.key == test
        and event.result.verdict.outcome not in NOT_EVIDENCE
    ]
