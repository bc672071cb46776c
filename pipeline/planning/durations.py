# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How long a test is expected to take, and how much memory, from what it took.

durations.json   `{"schema": 1, "samples": {"t5[full-t5-base-eval]@cpu": [[61.2, 1790000000.0,
                 2147483648, 0.4]]}}`; an older version wrote no bytes, and no part

Only attempts that ended by themselves count: a skipped test's 0 s, or the seconds until somebody
killed it, say nothing of its length. Samples are kept by what a test *is* and on what device, so
neither another device nor a renamed file overwrites them; aliases carry them over a renamed
model. A sample is known by its start, so reading the same records twice changes nothing.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated

import filelock
import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.aliases import renamed
from bringup.harness.records.naming import identity_of_key, is_op_by_op
from bringup.harness.records.schema import Identity, Outcome, Stage, TestRecord
from bringup.harness.records.versions import NewerError, decode_versioned
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import read_bytes
from bringup.harness.storage.writable import encoded
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.quantiles import quantile

SCHEMA_VERSION = 1

KEPT = 5
"""Samples kept per test and device: the latest."""

QUANTILE = 0.75
"""Of the kept samples; an estimate that is a little long balances better than a short one."""

MEASURED = frozenset(
    {
        *(Outcome.PASSED, Outcome.REACHED, Outcome.INCORRECT, Outcome.UNVERIFIED),
        *(Outcome.FAILED, Outcome.DOES_NOT_FIT),
    }
)
"""Outcomes of tests that came to their own end."""

_LEASED = frozenset({Stage.COMPILE, Stage.EXECUTE})

LOCK_TIMEOUT_S = 60.0
LONGEST_S = 1e7
"""What took longer was measured by a clock that was set meanwhile."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One finished attempt."""

    seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]
    started: float
    """Seconds since the epoch."""
    memory: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Peak of resident memory in bytes; None where nobody measured it."""
    held: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """The part of what its stages took that it held its device; None where nobody measured it."""


class Durations(msgspec.Struct, frozen=True):
    """Samples by `Identity.key`, each key's in order of their start."""

    samples: dict[str, Annotated[tuple[Sample, ...], msgspec.Meta(min_length=1)]] = {}
    schema: int = SCHEMA_VERSION


def observed(records: Iterable[TestRecord]) -> Durations:
    """The samples in some records."""
    samples: dict[str, tuple[Sample, ...]] = {}
    for record in records:
        seconds, started, key = record.wall_s, record.started, record.identity.key
        if record.outcome not in MEASURED or seconds is None or started is None:
            continue
        if math.isfinite(started) and 0 < seconds <= LONGEST_S:
            samples[key] = (
                *samples.get(key, ()),
                Sample(round(seconds, 3), started, record.peak_rss, _held(record)),
            )
    return combined(Durations(samples))


def _held(record: TestRecord) -> float | None:
    """The part of a test's stages that holds a lease; None of one that did not execute, and of one
    that goes op by op, which holds it all the while.

    Waiting for the lease is part of no stage.
    """
    took = {s.stage: s.wall_s for s in record.stages if s.wall_s is not None}
    if is_op_by_op(record.identity) or Stage.EXECUTE not in took:
        return None
    whole = sum(s.wall_s or 0.0 for s in record.stages)
    leased = sum(s.wall_s or 0.0 for s in record.stages if s.stage in _LEASED)
    return round(min(max(leased / whole, 0.0), 1.0), 3) if 0 < whole < LONGEST_S else None


def combined(*parts: Durations, aliases: Mapping[str, str] | None = None) -> Durations:
    """All samples together, under their present names; of each test the latest are kept."""
    found: dict[str, dict[tuple[float, float], Sample]] = defaultdict(dict)
    for part in parts:
        for key, samples in part.samples.items():
            of_test = found[renamed(key, aliases or {})]
            for sample in samples:
                at = sample.started, sample.seconds
                if at not in of_test or sample.memory is not None:
                    of_test[at] = sample
    return Durations(
        {
            key: tuple(of_test[at] for at in sorted(of_test)[-KEPT:])
            for key, of_test in sorted(found.items())
        }
    )


class Estimator:
    """Expected seconds and bytes, from the test itself or, failing that, from its likes.

    In order: the test on this device; the test on other devices; its model in the same flow, other
    variants and modes included, on this device and on any; models of the same family, which is the
    first word of their names; all tests of its flow.
    """

    def __init__(self, durations: Durations, aliases: Mapping[str, str] | None = None) -> None:
        seconds: dict[tuple[str, ...], list[float]] = defaultdict(list)
        memory: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._held: dict[str, float] = {}
        for key, samples in combined(durations, aliases=aliases).samples.items():
            took = quantile([s.seconds for s in samples], QUANTILE)
            held = [s.held for s in samples if s.held is not None]
            if held:
                self._held[key] = median(held)
            peak = max((s.memory or 0 for s in samples), default=0)
            for like in _likes(identity_of_key(key)):
                seconds[like].append(took)
                if peak:
                    memory[like].append(peak)
        self._seconds = {like: median(each) for like, each in seconds.items()}
        self._memory = {like: max(each) for like, each in memory.items()}

    def __call__(self, identity: Identity) -> float | None:
        """Expected seconds; None when nothing like it ever ran."""
        found = (self._seconds[like] for like in _likes(identity) if like in self._seconds)
        return next(found, None)

    def on_device(self, identity: Identity) -> float | None:
        """Expected seconds that it holds its device; None where this very test was not measured."""
        seconds, held = self(identity), self._held.get(identity.key)
        return None if seconds is None or held is None else seconds * held

    def memory(self, identity: Identity) -> int | None:
        """Expected peak of resident memory in bytes; None when nothing of its model was measured.

        The largest of the kept peaks: a night whose budget is too small loses its tests to the
        kernel. Other models say nothing, even of one family: their weights decide.
        """
        of_model = _likes(identity)[:4]
        return next((self._memory[like] for like in of_model if like in self._memory), None)


def _likes(identity: Identity) -> tuple[tuple[str, ...], ...]:
    """What a test is known by, from itself to its whole flow; the first four are of its model."""
    flow, model, device = identity.flow, identity.model, identity.device
    family = re.split(r"[\W\d_]", model, maxsplit=1)[0]
    return (
        ("test", identity.key),
        ("anywhere", identity.name),
        ("model here", model, flow, device),
        ("model", model, flow),
        ("family", family, flow),
        ("flow", flow),
    )


def read_durations(path: Path) -> Durations:
    """Read a file of durations; an absent one knows nothing.

    Raises:
        PipelineError: newer, or not a file of durations.
    """
    if not path.exists():
        return Durations()
    try:
        data, what = read_bytes(path), "a file of durations"
        return decode_versioned(data, Durations, path, what, SCHEMA_VERSION, "durations")
    except NewerError as error:
        raise PipelineError(str(error)) from error
    except RecordError as error:
        raise PipelineError(f"{error}; delete it to start again") from error


def add_durations(
    path: Path, records: Iterable[TestRecord], aliases: Mapping[str, str] | None = None
) -> Durations:
    """Add what some records measured to a file of durations, and return all of it.

    Writers take turns at a lock beside the file, so that none loses another's samples.

    Raises:
        PipelineError: the file cannot be read, or its lock is not to be had.
        RecordError: the disk is full or gone.
    """
    new = observed(records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_TIMEOUT_S):
            everything = combined(read_durations(path), new, aliases=aliases)
            write_atomically(path, encoded(everything) + b"\n")
    except filelock.Timeout as error:
        raise PipelineError(
            f"another process has held {error.lock_file} for {LOCK_TIMEOUT_S:.0f} s; the "
            f"durations of this run are not in {path}"
        ) from error
    except OSError as error:
        raise PipelineError(f"cannot lock {path}: {error.strerror}") from error
    return everything
