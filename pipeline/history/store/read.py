# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is asked of a store: every test's samples, one test's story, the ops of some tests.

Names are those of today: whoever asks brings the alias map. What depends on other runs (nights of
mass failure, a test's usual depth) is judged here, over the runs that were asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from bringup.harness.records.aliases import renamed
from bringup.harness.records.schema import GOOD, Outcome, Stage
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.samples import Excluded, OpSample, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import Index
from bringup.pipeline.history.store.parquet import database, fetched, quoted, relation
from bringup.pipeline.history.store.place import GoneError
from bringup.pipeline.history.store.tables import Run

Fingerprint = Callable[[str, str, str], str]
"""Of a failure's stage, op and message."""

MASS_FAILURE = 0.8
MASS_LEAST = 10
"""Tests of a device in a run; of fewer, all failing is no wonder."""
USUALLY = 0.5
"""A device of which more tests fail on most nights is being brought up, and fails as it does."""

_TRIES = 3
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_STAGES: dict[str | None, Stage | None] = {None: None, **{stage.value: stage for stage in Stage}}
_EXCLUDED = {word.value: word for word in Excluded}


def no_fingerprint(_stage: str, _op: str, _message: str) -> str:
    """For who does not ask."""
    return ""


def samples(
    history: History,
    runs: Collection[Run] | None = None,
    tests: Collection[str] | None = None,
    aliases: Mapping[str, str] | None = None,
    fingerprint: Fingerprint = no_fingerprint,
) -> list[Sample]:
    """What each test came to in each run, by test and time; of a run the attempt that counts.

    `runs` of `History.runs`, `tests` by their present keys; None: all of them.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    where = "last" if tests is None else f"last AND test IN ({names_of(tests, aliases)})"
    names = ", ".join(f'"{name}"' for name in _SAMPLE_COLUMNS)
    chosen, found = rows_of(history, "attempts", runs, f"SELECT run, {names}", where)
    made = _Samples(chosen, aliases or {}, fingerprint)
    return made.of(found)


def op_samples(
    history: History,
    runs: Collection[Run] | None = None,
    tests: Collection[str] | None = None,
    aliases: Mapping[str, str] | None = None,
    fingerprint: Fingerprint = no_fingerprint,
    *,
    keys: Collection[str] | None = None,
    only_bad: bool = False,
    only_changes: bool = False,
) -> list[OpSample]:
    """The ops of some tests in some runs, by test, op and time.

    `keys` are those of ops; `only_bad`: without what is good; `only_changes`: of each op the first
    result and those that differ from the one before.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    where = ["true"]
    if tests is not None:
        where.append(f"test IN ({names_of(tests, aliases)})")
    if keys is not None:
        where.append(f"op_key IN ({_list(keys)})")
    if only_bad:
        where.append(f"outcome NOT IN ({_list(GOOD)})")
    names = ", ".join(f'"{name}"' for name in _OP_COLUMNS)
    changes = (
        "QUALIFY (outcome, status, message) IS DISTINCT FROM lag((outcome, status, message)) "
        "OVER (PARTITION BY test, op_key ORDER BY created, run)"
    )
    chosen, found = rows_of(
        history,
        "ops",
        runs,
        f"SELECT run, {names}",
        " AND ".join(where),
        changes if only_changes else "",
    )
    known = {run.state: run for run in chosen}
    present = _memory(lambda key: renamed(key, aliases or {}))
    marks = _memory(lambda parts: fingerprint(*parts))
    made = []
    for state, test, op_key, name, outcome, status, stage, message, count, pcc, hit in zip(
        *found.values(), strict=True
    ):
        run, bad = known[state], outcome not in GOOD
        made.append(
            OpSample(
                run=run.run,
                at=run.created,
                test=present[test],
                op_key=op_key,
                name=name,
                outcome=_OUTCOMES[outcome],
                status=status,
                stage=_STAGES[stage],
                count=count,
                pcc=pcc,
                fingerprint=marks[stage or "", name, message] if bad else "",
                message=message if bad else "",
                hit=bool(hit),
            )
        )
    made.sort(key=lambda s: (s.test, s.op_key, s.at, s.run))
    return made


_OP_COLUMNS = (
    *("test", "op_key", "name", "outcome", "status", "stage", "message", "count", "pcc", "hit"),
)
_SAMPLE_COLUMNS = (
    *("test", "device", "shown", "stage", "status", "excluded", "passed", "failed", "pcc"),
    *("seconds", "memory", "failed_op", "message", "ir_hash", "artifact_hash", "versions"),
    *("list_name", "nodeid", "planned", "missing", "depth"),
)


class _Samples:
    """Makes samples of rows."""

    def __init__(
        self, runs: Sequence[Run], aliases: Mapping[str, str], fingerprint: Fingerprint
    ) -> None:
        self._runs = {run.state: run for run in runs}
        self._mass = mass_failures(runs)
        self._present = _memory(lambda key: renamed(key, aliases))
        self._mark = _memory(lambda parts: fingerprint(*parts))

    def of(self, found: dict[str, list[Any]]) -> list[Sample]:
        depths: dict[str, set[str]] = defaultdict(set)
        for test, depth in set(zip(found["test"], found["depth"], strict=True)):
            depths[self._present[test]].add(depth)
        several = {test for test, seen in depths.items() if len(seen - {""}) > 1}
        made = [self._sample(row) for row in zip(*found.values(), strict=True)]
        if several:
            made = _with_usual_depth(made, found["depth"], several)
        made.sort(key=lambda s: (s.test, s.at, s.run))
        return made

    def _sample(self, row: tuple[Any, ...]) -> Sample:
        (state, test, device, shown, stage, status, excluded, passed, failed, pcc, seconds, memory,
         op, message, ir_hash, artifact_hash, versions, list_name, nodeid, planned, missing,
         _) = row  # fmt: skip
        run, outcome = self._runs[state], _OUTCOMES[shown]
        why = _EXCLUDED.get(excluded, Excluded.NONE)
        if why is Excluded.NONE and (state, device) in self._mass and outcome not in GOOD:
            why = Excluded.MASS_FAILURE
        key = self._present[test]
        return Sample(
            run=run.run,
            at=run.created,
            test=key,
            device=device if key == test else key.rpartition("@")[2],
            outcome=outcome,
            stage=_STAGES[stage],
            status=status,
            excluded=why,
            passed=passed,
            failed=failed,
            pcc=pcc,
            seconds=seconds,
            memory=memory,
            fingerprint="" if outcome in GOOD else self._mark[stage or "", op, message],
            ir_hash=ir_hash or "",
            artifact_hash=artifact_hash or "",
            versions=versions or "",
            list_name=list_name or "",
            nodeid=nodeid or "",
            planned=bool(planned),
            missing=bool(missing),
            failed_op=op or "",
            message="" if outcome in GOOD else message,
        )


def mass_failures(runs: Collection[Run]) -> set[tuple[str, str]]:
    """Nights, by `Run.state` and device, on which nearly all of a device's tests failed.

    On a device that is being brought up most tests fail every night: that is its word, and not an
    accident of the night's.
    """
    share: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for run in runs:
        for device, counts in run.devices.items():
            total = counts.good + counts.bad
            if total >= MASS_LEAST:
                share[device].append((run.state, counts.bad / total))
    return {
        (state, device)
        for device, nights in share.items()
        for state, bad in nights
        if bad >= MASS_FAILURE and median(part for _, part in nights) <= USUALLY
    }


def _with_usual_depth(
    made: Sequence[Sample], depths: Sequence[str], several: Collection[str]
) -> list[Sample]:
    """Samples at another depth than the test's usual are partial."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for sample, depth in zip(made, depths, strict=True):
        if sample.test in several and depth:
            seen[sample.test][depth] += 1
    usual = {test: count.most_common(1)[0][0] for test, count in seen.items()}
    return [
        msgspec.structs.replace(sample, excluded=Excluded.PARTIAL)
        if depth and usual.get(sample.test, depth) != depth and not sample.excluded
        else sample
        for sample, depth in zip(made, depths, strict=True)
    ]


# --- rows -----------------------------------------------------------------------------------


def rows_of(
    history: History,
    table: str,
    runs: Collection[Run] | None,
    select: str,
    where: str,
    rest: str = "",
) -> tuple[list[Run], dict[str, list[Any]]]:
    """The runs that were read, and the columns of their rows.

    What another process folded away while we read is read again from where it is now.
    """
    for last in (False,) * (_TRIES - 1) + (True,):
        index = history.index()
        chosen = _current(index, runs)
        try:
            return chosen, _query(history, index, table, chosen, select, where, rest)
        except GoneError:
            if last:
                raise
    raise AssertionError("unreachable")


def _current(index: Index, runs: Collection[Run] | None) -> list[Run]:
    """The runs, in the state they have now."""
    if runs is None:
        return index.runs()
    index.runs()
    owners = index.owners()
    return [owners[run.run][1] for run in runs if run.run in owners]


def _query(
    history: History,
    index: Index,
    table: str,
    runs: Sequence[Run],
    select: str,
    where: str,
    rest: str,
) -> dict[str, list[Any]]:
    files = [
        (history.place.local(index.containers[name].files[table].name), states)
        for name, states in index.counting(runs).items()
        if table in index.containers[name].files
    ]
    source = f"({relation(table, files)})"
    if rest:
        times = ", ".join(f"({quoted(run.state)}, {run.created!r})" for run in runs) or "('', 0.0)"
        source += f" JOIN (VALUES {times}) AS times(run, created) USING (run)"
    try:
        with database() as db:
            found = fetched(db, f"{select} FROM {source} WHERE {where} {rest}")
    except HistoryError:
        for name in index.counting(runs):
            for file in index.containers[name].files.values():
                history.checked(file)  # says which file it is, where one is damaged
        raise
    expected = {run.state for run in runs}
    if not expected.issuperset(found["run"]):
        raise HistoryError(f"{history.address} holds rows of runs that are not in its index")
    return found


def names_of(tests: Iterable[str], aliases: Mapping[str, str] | None) -> str:
    """SQL for all names that some tests have or had."""
    found = set(tests)
    devices = {test.rpartition("@")[2] for test in found}
    for old in aliases or {}:
        for key in [old] if "@" in old else [f"{old}@{device}" for device in devices]:
            if renamed(key, aliases or {}) in found:
                found.add(key)
    return _list(found)


def _list(words: Iterable[str]) -> str:
    return ", ".join(quoted(word) for word in sorted(words)) or "NULL"


class _memory(dict[Any, Any]):
    """What a function said, by what it was asked."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Any) -> Any:
        self[key] = self._function(key)
        return self[key]
