# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Counts and shares of a set of results; what says nothing of a model is in no share."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bringup.harness.records.schema import GOOD, NOT_EVIDENCE, Outcome, Status, TestRecord
from bringup.reports.text.numbers import Share


@dataclass(frozen=True)
class Tally:
    """Counts of one device, or of all together."""

    device: str
    counts: dict[Outcome, int]
    planned: int
    reported: int
    """Planned tests with a record that is not NOT_RUN."""
    good: Share
    """PASSED and REACHED, of the outcomes that say something of the model."""
    compiled: Share
    """Status 6 or higher, of the same."""
    executed: Share
    """Status 7, of the same without those that were not to execute (REACHED, or their device
    only compiles)."""

    @property
    def arrived(self) -> Share:
        """Reported of planned."""
        return Share(self.reported, self.planned)


def tally(
    device: str, records: Sequence[TestRecord], lost: int, compile_only: Collection[str] = ()
) -> Tally:
    """Count one record per test; `lost` tests were planned and did not report.

    `compile_only` are the devices that do not execute.
    """
    evidence = [r for r in records if r.outcome not in NOT_EVIDENCE]
    meant_to_run = [
        r
        for r in evidence
        if r.outcome is not Outcome.REACHED and r.identity.device not in compile_only
    ]
    reported = sum(1 for r in records if r.outcome is not Outcome.NOT_RUN)
    return Tally(
        device=device,
        counts=dict(Counter(r.outcome for r in records)),
        planned=reported + lost,
        reported=reported,
        good=Share(sum(1 for r in evidence if r.outcome in GOOD), len(evidence)),
        compiled=_share_at(evidence, Status.CONVERTED_TO_TTNN),
        executed=_share_at(meant_to_run, Status.EXECUTED),
    )


def _share_at(records: Sequence[TestRecord], status: Status) -> Share:
    return Share(sum(1 for r in records if r.status >= status), len(records))
