# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run directory: everything one run wrote, and everything a report needs.

plan.json        what was planned, written before anything ran (one per shard: plan-*.json)
journal/*.jsonl  events, one file per process
blobs/           texts, by content
run.json         header of a merged run
records.jsonl    one folded record per test attempt, of a merged run
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import RecordError
from harness.records.atomic import write_atomically
from harness.records.fold import fold
from harness.records.journal import journals, read_journal
from harness.records.schema import (
    SCHEMA_VERSION,
    AnyEvent,
    JournalOpened,
    Plan,
    Provenance,
    RunHeader,
    TestRecord,
)

T = TypeVar("T", Plan, RunHeader)

HEADER_NAME = "run.json"
RECORDS_NAME = "records.jsonl"


def load_journals(run_dir: Path) -> tuple[list[TestRecord], dict[str, Provenance], list[str]]:
    """Fold all journals: the records, the provenances they name, and sentences on losses."""
    pairs: list[tuple[AnyEvent, str]] = []
    provenances: dict[str, Provenance] = {}
    losses: list[str] = []
    for path in journals(run_dir):
        events, torn = read_journal(path)
        losses += torn
        for event in events:
            if isinstance(event, JournalOpened):
                provenances[path.stem] = event.provenance
            pairs.append((event, path.stem))
    return fold(pairs), provenances, losses


def write_plan(run_dir: Path, plan: Plan) -> Path:
    """Write a plan durably; a shard's plan has the shard in its name."""
    i, n = plan.shard
    name = "plan.json" if n == 1 else f"plan-{i}-of-{n}.json"
    return write_atomically(run_dir / name, msgspec.json.format(msgspec.json.encode(plan)))


def read_plans(run_dir: Path) -> list[Plan]:
    """Every plan in a run directory, by shard."""
    plans = [_read(path, Plan) for path in sorted(run_dir.glob("plan*.json"))]
    return sorted(plans, key=lambda plan: plan.shard)


def write_merged(run_dir: Path, header: RunHeader, records: list[TestRecord]) -> None:
    """Write a merged run's header and records."""
    encoder = msgspec.json.Encoder()
    lines = b"".join(encoder.encode(record) + b"\n" for record in records)
    write_atomically(run_dir / RECORDS_NAME, lines)
    write_atomically(run_dir / HEADER_NAME, msgspec.json.format(msgspec.json.encode(header)))


def read_merged(run_dir: Path) -> tuple[RunHeader, list[TestRecord]]:
    """Read a merged run.

    Raises:
        RecordError: not a merged run directory, a newer schema, or a malformed record.
    """
    header = _read(run_dir / HEADER_NAME, RunHeader)
    path = run_dir / RECORDS_NAME
    decoder = msgspec.json.Decoder(TestRecord)
    records = []
    for number, line in enumerate(_bytes(path).splitlines(), start=1):
        try:
            records.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordError(f"{path}:{number}: not a record: {error}") from error
    return header, records


class _Versioned(msgspec.Struct):
    schema: int


def _read(path: Path, kind: type[T]) -> T:
    data = _bytes(path)
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema
        if version > SCHEMA_VERSION:
            raise RecordError(
                f"{path}: written with record schema {version}, this version reads up to "
                f"{SCHEMA_VERSION}; upgrade bringup to read it"
            )
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: not a {kind.__name__}: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
