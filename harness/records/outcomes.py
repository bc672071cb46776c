# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run's tests came to, counted in one way for the terminal, the page and the spreadsheet.

Of a test's attempts the last counts. A test that went through all of its ops has done its part
whatever they say; who reads of the model wants to know what they say, so it is shown with the
outcome of the worst op that did not run right.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.run_dir import read_merged, read_ops
from bringup.harness.records.schema import GOOD, NOT_EVIDENCE, OpResult, Outcome, Status, TestRecord

ATTENTION = (
    Outcome.CRASHED,
    Outcome.INCORRECT,
    Outcome.FAILED,
    Outcome.DOES_NOT_FIT,
    Outcome.UNVERIFIED,
    Outcome.TIMEOUT,
    Outcome.NOT_RUN,
    Outcome.INFRA,
    Outcome.KILLED,
    Outcome.SKIPPED,
    Outcome.REACHED,
    Outcome.PASSED,
)
"""The order in which a reader wants to see them."""


LEFT_OUT = "LEFT_OUT"
"""The kind of failure of a test that was NOT_RUN since its run had not the time for all: nothing is
wrong with it or with the machine, and nothing is known of it."""


def is_left_out(record: TestRecord) -> bool:
    """True for a test that its run's budget left out: neither missing nor evidence of anything."""
    failure = record.failure
    return record.outcome is Outcome.NOT_RUN and failure is not None and failure.kind == LEFT_OUT


def latest(records: Iterable[TestRecord]) -> list[TestRecord]:
    """Of every test the attempt that counts, in the order of their identities."""
    found: dict[str, TestRecord] = {}
    for record in sorted(records, key=lambda r: (r.attempt, r.started or 0.0)):
        found[record.identity.key] = record
    return sorted(found.values(), key=lambda r: r.identity.planned)


def is_good(result: OpResult) -> bool:
    """True for an op at its device's top, unless what it computed there is wrong."""
    return result.verdict.outcome in GOOD


def is_blocking(result: OpResult) -> bool:
    """True when the op itself stopped below what its device can do, or executed and is wrong.

    What the machine did is no op's fault, and an op that was under way when its test ended is one
    of several: nobody knows whether it had a part in it.
    """
    evidence = result.verdict.outcome not in NOT_EVIDENCE
    return evidence and not is_good(result) and not is_wordless(result)


def is_wordless(result: OpResult) -> bool:
    """True for an op that was under way when its test ended, and that left nothing behind."""
    verdict = result.verdict
    unnamed = verdict.failure is None or verdict.failure.stage is None
    return unnamed and not verdict.stages and verdict.status is Status.NOT_STARTED


def urgency(result: OpResult) -> tuple[bool, int, int, str]:
    """Smallest is worst: what is not good first, be it as far as it may."""
    verdict = result.verdict
    failure = verdict.failure.message if verdict.failure else ""
    return is_good(result), verdict.status, ATTENTION.index(verdict.outcome), failure


def worst_blocking(outcome: Outcome, ops: Sequence[OpResult]) -> OpResult | None:
    """The op whose outcome a test of `outcome` is shown with; None: its own."""
    bad = [op for op in ops if is_blocking(op)]
    return min(bad, key=urgency) if bad and outcome in GOOD else None


def shown(record: TestRecord, ops: Sequence[OpResult]) -> Outcome:
    """The outcome that a test is counted by, everywhere."""
    worst = worst_blocking(record.outcome, ops)
    return record.outcome if worst is None else worst.verdict.outcome


def outcome_counts(
    records: Iterable[TestRecord], ops: Mapping[str, Sequence[OpResult]]
) -> Counter[Outcome]:
    """How many tests are shown with which outcome; `ops` are those of each test, by its key."""
    return Counter(shown(record, ops.get(record.identity.key, ())) for record in latest(records))


def outcome_counts_of_run(run_dir: Path) -> Counter[Outcome]:
    """The same of a merged run.

    Raises:
        RecordError: not a merged run, a newer schema, or a malformed record.
    """
    _, records = read_merged(run_dir)
    ops: dict[str, list[OpResult]] = {}
    if any(is_op_by_op(record.identity) for record in records):
        for line in read_ops(run_dir):
            ops.setdefault(line.test, []).append(line.result)
    return outcome_counts(records, ops)


def counts_text(words: Mapping[Outcome, int]) -> str:
    """`2 PASSED, 1 FAILED`, the best first, as legends have them."""
    return ", ".join(f"{words[o]} {o}" for o in reversed(ATTENTION) if words.get(o))
