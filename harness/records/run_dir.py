# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run directory: everything one run wrote, and everything a report needs.

plan.json          what was planned, written before anything ran (one per shard: plan-*.json)
journal/           events, one file per process: *.jsonl, packed to *.jsonl.zst at the end
blobs/             artifacts, by content
run.json           header of a merged run
records.jsonl.zst  one folded record per test attempt, of a merged run; `zstd -dc` prints them

Op results are read out of the journals. A run of schema 1 has `records.jsonl`, and op results in
`ops.jsonl` as well. What is larger than `packing.LARGEST` stays plain.
"""

import functools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.door import command
from bringup.harness.records.fold import fold, fold_ops
from bringup.harness.records.journal import events_of, journals
from bringup.harness.records.lean import Lean
from bringup.harness.records.packing import packed, read_lines
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.schema import (
    SCHEMA_VERSION,
    JournalOpened,
    OpResult,
    Plan,
    Provenance,
    RunHeader,
    TestRecord,
)
from bringup.harness.records.versions import decode_versioned
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import Json
from bringup.harness.storage.writable import encoded

T = TypeVar("T", Plan, SharedPlan, RunHeader)
L = TypeVar("L")

HEADER_NAME = "run.json"
CONFIRM_FOLDER = "confirm"
"""Below it lie runs that look at a run's new failures again; they are no runs of their own."""
AGAINST_FOLDER = "against"
"""Below it a run lies once more, beside another that it was held against."""
RECORDS_NAME = "records.jsonl.zst"
PLAIN_RECORDS_NAME = "records.jsonl"
"""Of schema 1, and where they are too large to be packed."""
OPS_NAME = "ops.jsonl"
"""Of schema 1."""
MERGED_FILES = (HEADER_NAME, RECORDS_NAME, PLAIN_RECORDS_NAME, OPS_NAME)
"""What a merged run has beside its plans and folders."""


class OpLine(msgspec.Struct, frozen=True):
    """The result of one op of one test, in the last attempt that had it."""

    test: str
    """The test's `Identity.key`."""
    attempt: int
    """The attempt whose result of the op counts."""
    result: OpResult


def load_journals(run_dir: Path) -> tuple[list[TestRecord], dict[str, Provenance], list[str]]:
    """Fold all journals: the records, the provenances they name, and sentences on losses."""
    pairs, losses = events_of(run_dir, Lean())
    provenances = {stem: e.provenance for e, stem in pairs if isinstance(e, JournalOpened)}
    return fold(pairs), provenances, losses


def load_ops(run_dir: Path) -> list[OpLine]:
    """Fold all journals: of every op of every test the last result, by test and index."""
    pairs, _ = events_of(run_dir)
    last: dict[tuple[str, str], OpLine] = {}
    for test, attempt, result in fold_ops(pairs):
        last[test, result.verdict.op.key] = OpLine(test, attempt, result)
    return sorted(last.values(), key=lambda o: (o.test, o.result.index, o.result.verdict.op.key))


def write_plan(run_dir: Path, plan: Plan) -> Path:
    """Write a plan durably; a shard's plan has the shard in its name."""
    i, n = plan.shard
    name = "plan.json" if n == 1 else f"plan-{i}-of-{n}.json"
    return write_atomically(run_dir / name, msgspec.json.format(encoded(plan)))


def plan_files(run_dir: Path) -> list[Path]:
    """The plans that lie in a run directory, by name; none where it is no directory."""
    return sorted(run_dir.glob("plan*.json"))


def read_plan(path: Path) -> Plan:
    """Read one run's or shard's plan.

    Raises:
        RecordError: it cannot be read, has a newer schema, or is no plan.
    """
    return _read(path, Plan)


def write_shared_plan(path: Path, plan: SharedPlan) -> Path:
    """Write the plan of all shards durably."""
    return write_atomically(path, msgspec.json.format(encoded(plan)))


def read_shared_plan(path: Path) -> SharedPlan:
    """Read the plan of all shards.

    Raises:
        RecordError: it cannot be read, has a newer schema, or is no such plan.
    """
    return _read(path, SharedPlan)


def read_plans(run_dir: Path) -> list[Plan]:
    """Every plan in a run directory, by shard."""
    plans = [_read(path, Plan) for path in plan_files(run_dir)]
    return sorted(plans, key=lambda plan: plan.shard)


def write_merged(run_dir: Path, header: RunHeader, records: list[TestRecord]) -> None:
    """Write a merged run's header and records."""
    lines = b"".join(encoded(record) + b"\n" for record in records)
    small = packed(lines)
    if small is not None:
        write_atomically(run_dir / RECORDS_NAME, small)
    else:
        write_atomically(run_dir / PLAIN_RECORDS_NAME, lines)
    for name in (PLAIN_RECORDS_NAME, OPS_NAME):  # the journals have what they have
        if small is not None or name == OPS_NAME:
            (run_dir / name).unlink(missing_ok=True)
    write_atomically(run_dir / HEADER_NAME, msgspec.json.format(encoded(header)))


def read_run_header(run_dir: Path) -> RunHeader:
    """Read the header of a merged run.

    Raises:
        RecordError: it is absent, has a newer schema, or is none.
    """
    return _read(run_dir / HEADER_NAME, RunHeader)


def read_merged(run_dir: Path) -> tuple[RunHeader, list[TestRecord]]:
    """Read a merged run.

    Raises:
        RecordError: not a merged run directory, a newer schema, or a malformed record.
    """
    if not (run_dir / HEADER_NAME).exists():
        raise RecordError(_not_merged(run_dir))
    header = read_run_header(run_dir)
    old = run_dir / PLAIN_RECORDS_NAME
    path = old if old.exists() else run_dir / RECORDS_NAME
    return header, _lines(path, TestRecord, "a record")


def no_run(*run_dirs: Path) -> str:
    """The sentence on run directories that are not there."""
    return f"there is no run directory {', '.join(map(str, run_dirs))}"


def _not_merged(run_dir: Path) -> str:
    if not run_dir.is_dir():
        return no_run(run_dir)
    if any(journals(run_dir)):
        return f"{run_dir} is not merged yet; `{command('report', str(run_dir))}` does that"
    return f"{run_dir} is no run directory: it has neither {HEADER_NAME} nor a journal"


def read_ops(run_dir: Path) -> Sequence[OpLine]:
    """A run's op results, by test and index; none where no test went op by op.

    Those of the run that was read last are kept while none of its files changes: at the end of a
    night four readers want them, and 100,000 take a second and a half each time.

    Raises:
        RecordError: unreadable, a newer schema, or a malformed line.
    """
    path = run_dir / OPS_NAME
    files = [path] if path.exists() else [*journals(run_dir)]
    try:
        stamps: tuple[object, ...] = tuple(map(_stamp, files))
    except OSError:  # it is going, and what is left of it is read as ever
        stamps = (time.monotonic_ns(),)
    return _ops_of(run_dir, stamps)


@functools.lru_cache(maxsize=1)
def _ops_of(run_dir: Path, stamps: tuple[object, ...]) -> Sequence[OpLine]:
    path = run_dir / OPS_NAME
    return tuple(_lines(path, OpLine, "an op's result") if path.exists() else load_ops(run_dir))


def _stamp(path: Path) -> tuple[str, int, int, int, int]:
    found = path.stat()
    whole = str(path.absolute())
    return whole, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _lines(path: Path, kind: type[L], what: str) -> list[L]:
    reader: Json[L] = Json(kind, what)
    lines = read_lines(path).splitlines()
    return [reader.decode(line, f"{path}:{i}") for i, line in enumerate(lines, start=1)]


def _read(path: Path, kind: type[T]) -> T:
    return decode_versioned(read_lines(path), kind, path, f"a {kind.__name__}", SCHEMA_VERSION)
