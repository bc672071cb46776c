# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far a model gets on each device, in a line each, and what holds it back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bringup.harness.records.estimates import ASSUMPTION, Estimate, span
from bringup.harness.records.ops import OpResult
from bringup.harness.records.outcomes import latest
from bringup.harness.records.reproducible import op_command, place_of
from bringup.harness.records.run_dir import read_merged, read_ops
from bringup.harness.records.schema import GOOD, Failure, Outcome, TestRecord
from bringup.pipeline.running.progress import clock

_GIB = 1 << 30
_MOST_OPS = 3
"""Ops named of one test."""
_MOST_TOLD = 40
"""Models and devices of which each has its line."""


class Blame(NamedTuple):
    """An op that stands in the way of a model."""

    op: str
    outcome: str
    why: str
    command: str
    """Runs its reproducer."""


def of_models(records: Sequence[TestRecord]) -> Iterator[str]:
    """A line for each model and device: what it came to, how far it got, why no further.

    Devices on which a model ends alike, for one reason, share a line: a file that cannot be read
    is said once. On a device with figures also whether it fits, how long it would take at least,
    and what takes that time; a last line says on what that rests. Of a large fleet the good ones
    and those that never started are counted.
    """
    found = sorted(latest(records), key=lambda r: r.identity)
    told = found if len(found) <= _MOST_TOLD else [r for r in found if _is_news(r)]
    rows = [_row(alike) for alike in _alike(told)]
    columns = [i for i in range(len(_NO_ROW)) if any(row[i] for row in rows)]
    wide = {i: max(len(row[i]) for row in rows) for i in columns}
    for row in rows:
        yield "  ".join(row[i].ljust(wide[i]) for i in columns).rstrip()
    if len(told) < len(found):
        counted = Counter(r.outcome for r in found if not _is_news(r))
        yield "; ".join(f"{many} {outcome.value}" for outcome, many in counted.items()) + (
            f": of {len(found)} models and devices those without a line"
        )
    if any(record.estimate for record in found):
        yield f"(memory and time are {ASSUMPTION})"


def _alike(records: Sequence[TestRecord]) -> list[list[TestRecord]]:
    """Records of one model that came to the same for one reason, of which no device has figures."""
    found: dict[object, list[TestRecord]] = {}
    for record in records:
        named, failure = record.identity, record.failure
        same = (named.model, named.variant, record.outcome, record.status, first_line(failure, 200))
        alone = failure is None or record.estimate is not None
        found.setdefault(record.identity if alone else same, []).append(record)
    return list(found.values())


def _is_news(record: TestRecord) -> bool:
    return record.outcome not in GOOD and record.outcome is not Outcome.NOT_RUN


def of_ops(run_dir: Path) -> Iterator[str]:
    """For each model taken apart the ops that stand in its way, with their reproducers.

    Raises:
        RecordError: the run's records cannot be read.
    """
    for record, ops in _walked(run_dir):
        yield from _ops(record, ops, run_dir)


def blamed(run_dir: Path) -> dict[str, list[Blame]]:
    """The ops that stand in the way, by `MODEL on DEVICE`.

    Raises:
        RecordError: the run's records cannot be read.
    """
    return {
        _where(record): _blames((o for o in ops if o.verdict.outcome not in GOOD), run_dir)
        for record, ops in _walked(run_dir)
    }


def _walked(run_dir: Path) -> Iterator[tuple[TestRecord, list[OpResult]]]:
    _, records = read_merged(run_dir)
    ops: dict[str, dict[int, OpResult]] = {}
    for line in read_ops(run_dir):
        ops.setdefault(line.test, {})[line.result.index] = line.result
    for record in sorted(latest(records), key=lambda r: r.identity):
        yield record, list(ops.get(record.identity.key, {}).values())


def _where(record: TestRecord, more: int = 0) -> str:
    named = record.identity
    rest = f" and {more} more" if more else ""
    return f"{named.model} {named.variant}".strip() + f" on {named.device}{rest}"


_NO_ROW = ("",) * 7


def _row(alike: Sequence[TestRecord]) -> tuple[str, ...]:
    record = alike[0]
    status = record.status
    took = sum(stage.wall_s or 0 for one in alike for stage in one.stages)
    how = f"{status.name.lower().replace('_', ' ')} ({status.value})"
    return (
        _where(record, len(alike) - 1),
        record.outcome.value,
        f"{how}, {clock(took)}",
        *_takes(record.estimate),
        first_line(record.failure, 200),
    )


def _takes(one: Estimate | None) -> tuple[str, str, str]:
    """Whether it fits, how long it would take at least, what takes the time."""
    if one is None:
        return "", "", ""
    sizes = f"{_size(one.memory.needed)} of {_size(one.memory.available)}"
    fits = sizes if one.fits else f"does not fit: {sizes}"
    if one.seconds is None or one.bound is None:
        return fits, "", ""
    return fits, f">= {span(one.seconds)}", f"{one.bound}-bound"


def _size(size: int) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{1024 * size / _GIB:.3g} MiB"


def _ops(record: TestRecord, ops: Sequence[OpResult], run_dir: Path) -> Iterator[str]:
    """What stands in the way, the op that gets least far first."""
    bad = [o for o in ops if o.verdict.outcome not in GOOD]
    where = _where(record)
    if not ops:
        why = first_line(record.failure, 160) or record.outcome.value
        yield f"{where}: it cannot be taken apart: {why}"
        return
    if not bad:
        unknown = record.ops_found - len(ops)
        rest = f"; {unknown} more were not looked at" if unknown > 0 else ""
        yield f"{where}: none of {len(ops)} ops alone is to blame{rest}"
        if record.followed is not None:
            yield f"  {record.followed.said()}"
        return
    yield f"{where}: {len(bad)} of {len(ops)} ops are to blame"
    if record.followed is not None:
        yield f"  {record.followed.said()}"
    for op in _blames(bad, run_dir):
        yield f"  {op.op}: {op.outcome}, {op.why}"
        yield f"    {op.command}"


def _blames(bad: Iterable[OpResult], run_dir: Path) -> list[Blame]:
    """The op that gets least far first, no more than a person reads."""
    worst = sorted(bad, key=lambda o: (o.verdict.status, -o.count))[:_MOST_OPS]
    return [
        Blame(
            one.op.name,
            one.outcome.value,
            first_line(one.failure, 160),
            op_command(one.op.key, one.device, place_of(run_dir)),
        )
        for one in (op.verdict for op in worst)
    ]


def first_line(failure: Failure | None, length: int) -> str:
    """The first line of what went wrong; empty where nothing did."""
    return failure.message.strip().partition("\n")[0][:length] if failure else ""
