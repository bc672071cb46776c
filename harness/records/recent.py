# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The newest op-by-op result of every test, over all merged runs below a folder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RecordError
from harness.records.run_dir import HEADER_NAME, OpLine, read_merged, read_ops
from harness.records.schema import NOT_EVIDENCE, OpResult, RunHeader, TestRecord


@dataclass(frozen=True)
class OpsOfTest:
    """One op-by-op test with its ops, and the run they are of."""

    header: RunHeader
    record: TestRecord
    """The last attempt."""
    ops: tuple[OpResult, ...]
    """By index; empty when the test did not get as far as its ops."""


def ops_of_run(run_dir: Path) -> list[OpsOfTest]:
    """Every op-by-op test of one merged run, by identity.

    Raises:
        RecordError: not a merged run, a newer schema, or a malformed line.
    """
    return ops_of(*read_merged(run_dir), read_ops(run_dir))


def ops_of(
    header: RunHeader, records: Iterable[TestRecord], lines: Iterable[OpLine]
) -> list[OpsOfTest]:
    """Put a run's op results to the last attempts at their tests, by identity."""
    ops: dict[str, list[OpResult]] = {}
    for line in lines:
        ops.setdefault(line.test, []).append(line.result)
    last: dict[str, TestRecord] = {}
    for record in sorted(records, key=lambda r: (r.identity, r.attempt, r.started or 0.0)):
        last[record.identity.key] = record
    return [
        OpsOfTest(header, record, tuple(sorted(ops.get(key, ()), key=lambda r: r.index)))
        for key, record in last.items()
        if key in ops or record.identity.flow.startswith("op_by_op")
    ]


def recent_ops(results: Path) -> tuple[list[OpsOfTest], list[str]]:
    """The newest result of every op-by-op test below `results`, and sentences on losses.

    A test that never got going for the machine's sake does not hide an older result.
    """
    losses: list[str] = []
    newest: dict[str, OpsOfTest] = {}
    for one in sorted(_all(results, losses), key=lambda o: (o.header.created, o.header.run_id)):
        key = one.record.identity.key
        if one.ops or key not in newest or one.record.outcome not in NOT_EVIDENCE:
            newest[key] = one
    return sorted(newest.values(), key=lambda o: o.record.identity), losses


def _all(results: Path, losses: list[str]) -> Iterator[OpsOfTest]:
    for header in merged_runs(results):
        try:
            yield from ops_of_run(header.parent)
        except RecordError as error:
            losses.append(str(error))


def merged_runs(results: Path) -> list[Path]:
    """The headers of all merged runs in `results` and two levels below it."""
    found = [p for depth in ("", "*/", "*/*/") for p in results.glob(depth + HEADER_NAME)]
    return sorted(found)
