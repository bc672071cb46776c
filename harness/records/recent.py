# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The newest op-by-op result of every test, over all merged runs below a folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.aliases import renamed, with_present_names
from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.run_dir import (
    AGAINST_FOLDER,
    CONFIRM_FOLDER,
    HEADER_NAME,
    OpLine,
    read_merged,
    read_ops,
)
from bringup.harness.records.schema import NOT_EVIDENCE, OpResult, Outcome, RunHeader, TestRecord


@dataclass(frozen=True)
class OpsOfTest:
    """One op-by-op test with its ops, and the run they are of."""

    header: RunHeader
    record: TestRecord
    """The last attempt."""
    ops: tuple[OpResult, ...]
    """By index; empty when the test did not get as far as its ops."""
    run_dir: Path | None = None
    """Where its run lies, resolved; None for a run that lies nowhere."""


def ops_of(
    header: RunHeader,
    records: Iterable[TestRecord],
    lines: Iterable[OpLine],
    run_dir: Path | None = None,
) -> list[OpsOfTest]:
    """Put a run's op results to the last attempts at their tests, by identity."""
    ops: dict[str, list[OpResult]] = {}
    for line in lines:
        ops.setdefault(line.test, []).append(line.result)
    last: dict[str, TestRecord] = {}
    for record in sorted(records, key=lambda r: (r.identity, r.attempt, r.started or 0.0)):
        last[record.identity.key] = record
    place = run_dir.resolve() if run_dir else None
    return [
        OpsOfTest(header, record, tuple(sorted(ops.get(key, ()), key=lambda r: r.index)), place)
        for key, record in last.items()
        if key in ops or is_op_by_op(record.identity)
    ]


def recent_ops(
    results: Path, aliases: Mapping[str, str] | None = None
) -> tuple[list[OpsOfTest], list[str]]:
    """The newest result of every op-by-op test below `results`, and sentences on losses.

    `aliases` give old names of tests their present ones, so that a test is not there twice.
    The newest walk over all ops that came to its end counts, or a newer attempt that failed before
    it came to any op. A walk that was cut short, by whomever, or that was asked for a single op
    stands in only while there is neither. Of runs all of whose tests ran again later the op results
    are not read.
    """
    losses: list[str] = []
    newest: dict[str, OpsOfTest] = {}
    partial: dict[str, OpsOfTest] = {}
    stopped: dict[str, OpsOfTest] = {}
    for run_dir, header, records in _newest_first(results, losses):
        op_by_op = (r for r in records if is_op_by_op(r.identity))
        if all(renamed(r.identity.key, aliases or {}) in newest for r in op_by_op):
            continue
        try:
            tests = ops_of(header, records, read_ops(run_dir), run_dir)
        except RecordError as error:
            losses.append(str(error))
            continue
        for one in present(tests, aliases or {}):
            kind = newest if _is_whole(one) else partial if one.ops else stopped
            kind.setdefault(one.record.identity.key, one)
    found = (stopped | partial | newest).values()
    return sorted(found, key=lambda o: o.record.identity.planned), losses


def devices_below(results: Path) -> tuple[str, ...]:
    """The devices of all tests of the merged runs below `results` that can be read."""
    runs = _newest_first(results, [])
    return tuple(sorted({r.identity.device for _, _, records in runs for r in records}))


def present(tests: Iterable[OpsOfTest], aliases: Mapping[str, str]) -> list[OpsOfTest]:
    """The tests under the names they have now."""
    return [
        replace(one, record=record)
        for one in tests
        for record in with_present_names([one.record], aliases)
    ]


def _is_whole(one: OpsOfTest) -> bool:
    """Did a walk come to its end, or did the model itself not come to its ops?"""
    if one.record.only_op is not None or one.record.outcome in NOT_EVIDENCE:
        return False
    return not (one.ops and one.record.outcome in (Outcome.CRASHED, Outcome.TIMEOUT))


def _newest_first(
    results: Path, losses: list[str]
) -> list[tuple[Path, RunHeader, list[TestRecord]]]:
    runs = []
    for header in merged_runs(results):
        try:
            runs.append((header.parent, *read_merged(header.parent)))
        except RecordError as error:
            losses.append(str(error))
    return sorted(runs, key=lambda r: (max(r[1].created, r[1].resumed), r[1].run_id), reverse=True)


def merged_runs(results: Path) -> list[Path]:
    """The headers of all merged runs in `results` and two levels below it.

    Confirmations and comparisons are no runs of their own.
    """
    found = [p for depth in ("", "*/", "*/*/") for p in results.glob(depth + HEADER_NAME)]
    return sorted(p for p in found if p.parent.parent.name not in (CONFIRM_FOLDER, AGAINST_FOLDER))
