# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How long a test is expected to take, and how much memory, from what it took.

durations.json   `{"schema": 1, "samples": {"t5[full-t5-base-eval]@cpu": [[61.2, 1790000000.0,
                 2147483648, 0.4, false, "PASSED", [31.5, 20.1, 2.2]]]}}`; an older version wrote
                 less of each

Only attempts that ended by themselves count: a skipped test's 0 s, or the seconds until somebody
killed it, say nothing of its length. Samples are kept by what a test *is* and on what device, so
neither another device nor a renamed file overwrites them; aliases carry them over a renamed
model. A sample is known by its start, so reading the same records twice changes nothing.

A night with kept builds is shorter than one without. So each sample says which it was, the latest
of both are kept, and a run without them is planned by those that had none.
"""

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

import filelock
import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.aliases import renamed
from bringup.harness.records.naming import identity_of_key, is_op_by_op
from bringup.harness.records.schema import Identity, Outcome, Stage, StageResult, TestRecord
from bringup.harness.records.values import CACHED_FROM, REUSED_FROM
from bringup.harness.records.versions import NewerError, decode_versioned
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import read_bytes
from bringup.harness.storage.writable import encoded
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.quantiles import quantile

SCHEMA_VERSION = 1

KEPT = 5
"""Samples kept per test and device, and as many that took something kept: the latest."""

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
_AFTER = frozenset({*_LEASED, Stage.VERIFY})

LOCK_TIMEOUT_S = 60.0
LONGEST_S = 1e7
"""What took longer was measured by a clock that was set meanwhile."""


Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]


class Phases(msgspec.Struct, frozen=True, array_like=True):
    """Seconds of a test by what it needs for them: a processor, its device, a processor again."""

    front: Seconds | None
    """Load, golden, export, lowering; None where another test had loaded its model for it."""
    device: Seconds
    verify: Seconds


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One finished attempt."""

    seconds: Seconds
    started: float
    """Seconds since the epoch."""
    memory: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Peak of resident memory in bytes; None where nobody measured it."""
    held: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """The part of what its stages took that it held its device; None where nobody measured it."""
    cached: bool = False
    """Did it take anything that an earlier run had kept?"""
    outcome: str = ""
    """What it came to; empty where an older version wrote it."""
    phases: Phases | None = None
    """None where it has no stages of its own, as op by op, or an older version wrote it."""


class Durations(msgspec.Struct, frozen=True):
    """Samples by `Identity.key`, each key's in order of their start."""

    samples: dict[str, Annotated[tuple[Sample, ...], msgspec.Meta(min_length=1)]] = {}
    schema: int = SCHEMA_VERSION


def observed(records: Iterable[TestRecord], cached: Collection[str] = ()) -> Durations:
    """The samples in some records; `cached` are keys of tests of which it is known that they took
    something kept, beside what their stages say."""
    samples: dict[str, tuple[Sample, ...]] = {}
    for record in records:
        seconds, started, key = record.wall_s, record.started, record.identity.key
        if record.outcome not in MEASURED or seconds is None or started is None:
            continue
        if math.isfinite(started) and 0 < seconds <= LONGEST_S:
            sample = Sample(
                round(seconds, 3),
                started,
                record.peak_rss,
                _held(record),
                key in cached or any(CACHED_FROM in s.attributes for s in record.stages),
                record.outcome.value,
                _phases(record),
            )
            samples[key] = (*samples.get(key, ()), sample)
    return Durations(samples)


def _phases(record: TestRecord) -> Phases | None:
    """What each phase took; None of a test that goes op by op, or has no stages."""
    if is_op_by_op(record.identity) or not record.stages:
        return None

    def took(stages: Iterable[StageResult]) -> float:
        return round(sum(stage.wall_s or 0.0 for stage in stages), 3)

    front = [stage for stage in record.stages if stage.stage not in _AFTER]
    device = took(stage for stage in record.stages if stage.stage in _LEASED)
    verify = took(stage for stage in record.stages if stage.stage is Stage.VERIFY)
    shared = any(REUSED_FROM in stage.attributes for stage in front)
    found = Phases(None if shared else took(front), device, verify)
    each = (found.front or 0.0, device, verify)
    return found if min(each) >= 0 and 0 < sum(each) <= LONGEST_S else None


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
    """All samples together, under their present names; of each test the latest are kept, of those
    that took something kept and of the others."""
    found: dict[str, dict[tuple[float, float], Sample]] = defaultdict(dict)
    for part in parts:
        for key, samples in part.samples.items():
            of_test = found[renamed(key, aliases or {})]
            for sample in samples:
                at = sample.started, sample.seconds
                if at not in of_test or sample.memory is not None:
                    of_test[at] = sample
    return Durations({key: latest(of_test.values()) for key, of_test in sorted(found.items())})


def latest(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Those of one test that are kept, in order of their start."""
    ordered = sorted(samples, key=lambda sample: (sample.started, sample.seconds))
    kept = {
        id(s) for warm in (False, True) for s in [o for o in ordered if o.cached is warm][-KEPT:]
    }
    return tuple(sample for sample in ordered if id(sample) in kept)


class Estimator:
    """Expected seconds and bytes, from the test itself or, failing that, from its likes.

    In order: the test on this device; the test on other devices; its model in the same flow, other
    variants and modes included, on this device and on any; models of the same family, which is the
    first word of their names; all tests of its flow.
    """

    def __init__(
        self,
        durations: Durations,
        aliases: Mapping[str, str] | None = None,
        *,
        cold: bool = False,
    ) -> None:
        """`cold`: for a run that has nothing kept, by samples that had nothing either."""
        seconds: dict[tuple[str, ...], list[float]] = defaultdict(list)
        memory: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._samples: dict[str, list[Sample]] = {}
        for key, all_samples in combined(durations, aliases=aliases).samples.items():
            peak = max((s.memory or 0 for s in all_samples), default=0)
            usable = [s for s in all_samples if not (cold and s.cached)][-KEPT:]
            alike = of_one_outcome(usable)
            self._samples[key] = alike
            for like in _likes(identity_of_key(key)):
                if alike:
                    seconds[like].append(quantile([s.seconds for s in alike], QUANTILE))
                if peak:
                    memory[like].append(peak)
        self._seconds = {like: median(each) for like, each in seconds.items()}
        self._memory = {like: max(each) for like, each in memory.items()}
        self._fronts: dict[str, float] = {}
        """By test, whatever its device."""
        for key in self._samples:
            test = identity_of_key(key)
            if front := self.phase(test, "front"):
                self._fronts[test.name] = max(front, self._fronts.get(test.name, 0.0))

    def __call__(self, identity: Identity) -> float | None:
        """Expected seconds; None when nothing like it ever ran."""
        found = (self._seconds[like] for like in _likes(identity) if like in self._seconds)
        return next(found, None)

    def on_device(self, identity: Identity) -> float | None:
        """Expected seconds that it holds its device; None where this very test was not measured."""
        seconds = self(identity)
        held = [s.held for s in self._samples.get(identity.key, ()) if s.held is not None]
        return None if seconds is None or not held else seconds * median(held)

    def phase(self, identity: Identity, phase: str, q: float = QUANTILE) -> float | None:
        """The q-quantile of the seconds of a phase (a field of `Phases`) of this very test, by
        those of its samples that came to what it is expected to come to; None where nobody
        measured it."""
        own = (s.phases for s in self._samples.get(identity.key, ()) if s.phases is not None)
        took = [seconds for p in own if (seconds := getattr(p, phase)) is not None]
        return quantile(took, q) if took else None

    def front(self, identity: Identity) -> float | None:
        """Expected seconds until it asks for its device, where it loads its model itself; those of
        the test on other devices where it was never the first to load it on this one."""
        own = self.phase(identity, "front")
        return self._fronts.get(identity.name) if own is None else own

    def memory(self, identity: Identity) -> int | None:
        """Expected peak of resident memory in bytes; None when nothing of its model was measured.

        The largest of the kept peaks: a night whose budget is too small loses its tests to the
        kernel. Other models say nothing, even of one family: their weights decide.
        """
        of_model = _likes(identity)[:4]
        return next((self._memory[like] for like in of_model if like in self._memory), None)


def of_one_outcome(samples: Sequence[Sample]) -> list[Sample]:
    """Those that came to what the last two came to; all, where these differ: one odd end is no
    reason to expect another, and a model that passes now takes longer than one that failed."""
    ends = {sample.outcome for sample in samples[-2:]}
    return [s for s in samples if len(ends) > 1 or s.outcome in ends]


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
    path: Path,
    records: Iterable[TestRecord],
    aliases: Mapping[str, str] | None = None,
    cached: Collection[str] = (),
) -> Durations:
    """Add what some records measured to a file of durations, and return all of it; `cached` as
    `observed` says.

    Writers take turns at a lock beside the file, so that none loses another's samples.

    Raises:
        PipelineError: the file cannot be read, or its lock is not to be had.
        RecordError: the disk is full or gone.
    """
    new = observed(records, cached)
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
