# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the ops of tests came to, counted while they run, for whoever reads a terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.records.advice import advice_here
from bringup.harness.records.reproducible import op_command, place_of
from bringup.harness.records.schema import GOOD, OpResult, OpVerdict, Outcome

_MOST_NAMED = 10


@dataclass
class OpTally:
    """The ops of one test so far."""

    total: int = 0
    """Unique ops that are to be judged; 0 when the test does not go op by op."""
    done: int = 0
    cached: int = 0
    """Taken from the verdict cache as they are."""
    rechecked: int = 0
    findings: list[OpVerdict] = field(default_factory=list)
    """Of each op that is not good."""
    keys: set[str] = field(default_factory=set)
    """Of the ops that have a verdict."""

    def note(self, result: OpResult) -> None:
        """One op has its verdict; another one, of another tester of the test, is the same op's."""
        if result.verdict.op.key in self.keys:
            self.note_again(result.verdict)
            return
        self.keys.add(result.verdict.op.key)
        self.done += 1
        self.cached += result.hit and not result.rechecked
        self.rechecked += result.rechecked
        verdict = result.verdict
        if verdict.outcome not in GOOD:
            self.findings.append(verdict)

    def note_again(self, verdict: OpVerdict) -> None:
        """An op that two testers have is one op, and no better for the second."""
        self.total = max(self.total - 1, self.done)
        known = {finding.op.key for finding in self.findings}
        if verdict.outcome not in GOOD and verdict.op.key not in known:
            self.findings.append(verdict)

    @property
    def text(self) -> str:
        """`82 unique ops: 81 good, 1 finding; 40 cached`."""
        noun = "finding" if len(self.findings) == 1 else "findings"
        said = f"{self.total} unique op{'s' if self.total != 1 else ''}"
        said += f": {self.done - len(self.findings)} good, {len(self.findings)} {noun}"
        more = {
            "cached": self.cached,
            "rechecked": self.rechecked,
            "not reached": max(self.total - self.done, 0),
        }
        named = ", ".join(f"{n} {word}" for word, n in more.items() if n)
        return f"{said}; {named}" if named else said


def summary(tallies: Mapping[str, OpTally], run_dir: Path) -> Iterator[str]:
    """Lines on tests by their keys: counts, and what to type for a finding."""
    for key, tally in tallies.items():
        yield f"{key}  {tally.text}"
        for verdict in tally.findings[:_MOST_NAMED]:
            line = f"    {verdict.outcome} {verdict.op.name}"
            if verdict.outcome is not Outcome.INFRA:
                line += f"  {op_command(verdict.op.key, verdict.device, place_of(run_dir))}"
            yield line
        if len(tally.findings) > _MOST_NAMED:
            yield f"    and {len(tally.findings) - _MOST_NAMED} more, in the report"


def report_command(run_dir: Path) -> str:
    """What to type for the report of a run."""
    return advice_here().command("report", str(run_dir))
