# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is asked of a store: every test's samples, and the ops of some tests.

Names are those of today: whoever asks brings the alias map. What depends on other runs (nights of
mass failure, a test's usual depth) is judged here, over the runs that were asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import duckdb
import msgspec

from bringup.harness.records.aliases import renamed
from bringup.harness.records.fingerprint import VERSION, fingerprint, is_current
from bringup.harness.records.night import Moment
from bringup.harness.records.schema import GOOD, Outcome, Stage
from bringup.pipeline.history.samples import Excluded, OpSample, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.parquet import fetched
from bringup.pipeline.history.store.query import ask, listed, names_of
from bringup.pipeline.history.store.tables import Run

MASS_FAILURE = 0.8
MASS_LEAST = 10
"""Tests of a device in a run; of fewer, all failing is no wonder."""
USUALLY = 0.5
"""A device of which more tests fail on most nights is being brought up, and fails as it does."""

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_STAGES: dict[str | None, Stage | None] = {None: None, **{stage.value: stage for stage in Stage}}
_EXCLUDED = {word.value: word for word in Excluded}
_IS = ("test", "device", "list_name", "nodeid", "planned", "missing", "depth")
_CAME_TO = (
    "shown",
    "stage",
    "status",
    "excluded",
    "passed",
    "failed",
    "incorrect",
    "failed_op",
    "kind",
    "message",
    "mark",
)
_MADE_WITH = ("ir_hash", "artifact_hash", "versions")
_OP = ("name", "outcome", "status", "stage", "message", "mark", "count", "hit")


def samples(
    history: History,
    runs: Collection[Run] | None = None,
    tests: Collection[str] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> list[Sample]:
    """What each test came to in each run, by test and time; of a run the attempt that counts.

    `runs` of `History.runs`, `tests` by their present keys; None: all of them.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    where = "last" if tests is None else f"last AND test IN ({names_of(tests, aliases)})"

    def query(db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str) -> list[Sample]:
        return _Samples(chosen, aliases or {}).of(db, f"{source} WHERE {where}")

    return ask(history, "attempts", runs, query, few=tests is not None)


def op_samples(
    history: History,
    runs: Collection[Run] | None = None,
    tests: Collection[str] | None = None,
    aliases: Mapping[str, str] | None = None,
    *,
    keys: Collection[str] | None = None,
    only_bad: bool = False,
    only_changes: bool = False,
) -> list[OpSample]:
    """The ops of some tests in some runs, by test, op and time.

    `keys` are those of ops; `only_bad`: without what is good; `only_changes`: of each op the first
    result and those that come to something else than the one before.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    where = ["true"]
    if tests is not None:
        where.append(f"test IN ({names_of(tests, aliases)})")
    if keys is not None:
        where.append(f"op_key IN ({listed(keys)})")
    if only_bad:
        where.append(f"outcome NOT IN ({listed(GOOD)})")
    change = (
        "QUALIFY (outcome, status, stage) IS DISTINCT FROM lag((outcome, status, stage)) "
        "OVER (PARTITION BY test, op_key ORDER BY n)"
    )
    rest = f"WHERE {' AND '.join(where)} {change if only_changes else ''}"
    present = _Memory(lambda key: renamed(key, aliases or {}))
    mark = _Memory(_mark)

    def query(db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str) -> list[OpSample]:
        names = ", ".join(f'"{name}"' for name in _OP)
        found = fetched(db, f"SELECT n, test, op_key, pcc, {names} FROM {source} {rest}")
        made = [_op_sample(chosen[row[0]], row, present, mark) for row in zip(*found, strict=True)]
        return sorted(made, key=lambda s: (s.test, s.op_key, s.at, s.run))

    return ask(history, "ops", runs, query, few=tests is not None)


def ops_of_tests(
    history: History,
    runs: Collection[Run] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> dict[str, frozenset[str]]:
    """By test, the keys of all ops that it was seen with in some runs.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """

    def query(
        db: duckdb.DuckDBPyConnection, _: list[Run], source: str
    ) -> dict[str, frozenset[str]]:
        found = fetched(db, f"SELECT test, list(DISTINCT op_key) FROM {source} GROUP BY test")
        keys: dict[str, set[str]] = defaultdict(set)
        for test, ops in zip(*found, strict=True):
            keys[renamed(test, aliases or {})].update(ops)
        return {test: frozenset(ops) for test, ops in keys.items()}

    return ask(history, "ops", runs, query)


def devices_of_tests(history: History, aliases: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every test that any run knows, by its present key, with its device.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """

    def query(db: duckdb.DuckDBPyConnection, _: list[Run], source: str) -> dict[str, str]:
        found = fetched(db, f"SELECT DISTINCT test, device FROM {source} ORDER BY test")
        return {renamed(t, aliases or {}): d for t, d in zip(*found, strict=True)}

    return ask(history, "attempts", None, query)


def first_op_failures(
    history: History, runs: Collection[Run] | None, keys: Collection[str]
) -> dict[str, Moment]:
    """By fingerprint, in which of some runs one of some ops failed so for the first time.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    bad = f"outcome NOT IN ({listed(GOOD)}) AND op_key IN ({listed(keys)})"

    def query(db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str) -> dict[str, Moment]:
        current = f"mark LIKE '{VERSION}|%'"
        asked = f"SELECT min(n), mark FROM {source} WHERE {bad} AND {current} GROUP BY mark"
        found = list(zip(*fetched(db, asked), strict=True))
        asked = (  # what an older version wrote
            f"SELECT min(n), stage, name, message FROM {source} "
            f"WHERE {bad} AND NOT coalesce({current}, false) GROUP BY stage, name, message"
        )
        found += [
            (n, fingerprint(stage or "", name, message))
            for n, stage, name, message in zip(*fetched(db, asked), strict=True)
        ]
        first: dict[str, Moment] = {}
        for n, mark in sorted(found):
            first.setdefault(mark, Moment(chosen[n].run, chosen[n].created))
        return first

    return ask(history, "ops", runs, query)


def op_counts(
    history: History, runs: Collection[Run] | None = None
) -> dict[str, dict[str, tuple[int, int]]]:
    """By name and run, how many results ops of that name have, and how many are not good.

    Raises:
        HistoryError: the store cannot be reached, or a file of it is torn.
    """
    bad = f"count(*) FILTER (outcome NOT IN ({listed(GOOD)}))"

    def query(
        db: duckdb.DuckDBPyConnection, chosen: list[Run], source: str
    ) -> dict[str, dict[str, tuple[int, int]]]:
        asked = f"SELECT name, n, count(*), {bad} FROM {source} GROUP BY name, n"
        found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for name, n, results, not_good in zip(*fetched(db, asked), strict=True):
            found[name][chosen[n].run] = (results, not_good)
        return dict(found)

    return ask(history, "ops", runs, query)


def _op_sample(run: Run, row: tuple[Any, ...], present: Any, mark: Any) -> OpSample:
    _, test, op_key, pcc, name, outcome, status, stage, message, known, count, hit = row
    bad = outcome not in GOOD
    return OpSample(
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
        fingerprint=mark[known, stage or "", name, message] if bad else "",
        message=message if bad else "",
        hit=bool(hit),
    )


class _Is(NamedTuple):
    """What a test is."""

    present: str
    test: str
    device: str
    list_name: str
    nodeid: str
    planned: bool
    missing: bool
    depth: str


class _End(NamedTuple):
    """What tests come to."""

    outcome: Outcome
    good: bool
    stage: Stage | None
    status: int
    excluded: Excluded
    passed: int
    failed: int
    incorrect: int
    failed_op: str
    kind: str
    message: str
    fingerprint: str


def _distinct(db: duckdb.DuckDBPyConnection, i: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    names = ", ".join((_IS, _CAME_TO, _MADE_WITH)[i])
    for row in zip(*fetched(db, f"SELECT DISTINCT h{i}, {names} FROM chosen"), strict=True):
        yield row[0], row[1:]


class _Samples:
    """Makes samples of rows.

    A year's rows say the same few things over and over: each thing is fetched once, under a hash
    of 64 bits, so that the rows themselves are numbers and the samples share their texts.
    """

    def __init__(self, runs: Sequence[Run], aliases: Mapping[str, str]) -> None:
        self._runs = runs
        self._mass = mass_failures(runs)
        self._aliases = aliases
        self._mark = _Memory(_mark)

    def of(self, db: duckdb.DuckDBPyConnection, source: str) -> list[Sample]:
        """The samples of SQL for rows, by test and time."""
        things = (_IS, _CAME_TO, _MADE_WITH)
        hashes = ", ".join(f"hash({', '.join(t)}) AS h{i}" for i, t in enumerate(things))
        names = ", ".join(name for thing in things for name in thing)
        db.execute(
            f"CREATE TEMP TABLE chosen AS "
            f"SELECT n, pcc, seconds, memory, {names}, {hashes} FROM {source}"
        )
        tests = {h: _Is(renamed(row[0], self._aliases), *row) for h, row in _distinct(db, 0)}
        ends = {h: self._end(*row) for h, row in _distinct(db, 1)}
        makes = {h: tuple(text or "" for text in row) for h, row in _distinct(db, 2)}
        columns = "n, h0, h1, h2, pcc, seconds, memory"
        found = fetched(db, f"SELECT {columns} FROM chosen ORDER BY test, n")
        made = []
        for n, h0, h1, h2, pcc, seconds, memory in zip(*found, strict=True):
            test, end, (ir_hash, artifact_hash, versions) = tests[h0], ends[h1], makes[h2]
            run, why = self._runs[n], end.excluded
            if not (why or end.good) and (run.state, test.device) in self._mass:
                why = Excluded.MASS_FAILURE
            made.append(
                Sample(
                    run=run.run,
                    at=run.created,
                    test=test.present,
                    device=test.device,
                    outcome=end.outcome,
                    stage=end.stage,
                    status=end.status,
                    excluded=why,
                    passed=end.passed,
                    failed=end.failed,
                    incorrect=end.incorrect,
                    pcc=pcc,
                    seconds=seconds,
                    memory=memory,
                    fingerprint=end.fingerprint,
                    ir_hash=ir_hash,
                    artifact_hash=artifact_hash,
                    versions=versions,
                    list_name=test.list_name,
                    nodeid=test.nodeid,
                    planned=test.planned,
                    missing=test.missing,
                    failed_op=end.failed_op,
                    kind=end.kind,
                    message=end.message,
                )
            )
        depths: dict[str, set[str]] = defaultdict(set)
        for test in tests.values():
            depths[test.present] |= {test.depth} - {""}
        if several := {test for test, seen in depths.items() if len(seen) > 1}:
            made = _with_usual_depth(made, [tests[h].depth for h in found[1]], several)
        if self._aliases:
            made.sort(key=lambda s: (s.test, s.at, s.run))
        return made

    def _end(self, shown: str, stage: str | None, status: int, excluded: str, *rest: Any) -> _End:
        passed, failed, incorrect, op, kind, message, known = rest
        outcome = _OUTCOMES[shown]
        good = outcome in GOOD
        return _End(
            outcome=outcome,
            good=good,
            stage=_STAGES[stage],
            status=status,
            excluded=_EXCLUDED.get(excluded, Excluded.NONE),
            passed=passed,
            failed=failed,
            incorrect=incorrect or 0,
            failed_op=op or "",
            kind="" if good else kind or "",
            message="" if good else message,
            fingerprint="" if good else self._mark[known, stage or "", op or "", message],
        )


def mass_failures(runs: Collection[Run]) -> set[tuple[str, str]]:
    """Nights, by `Run.state` and device, on which nearly all of a device's tests failed.

    On a device that is being brought up most tests fail every night: that is its state, and not an
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


def _mark(parts: tuple[str | None, str, str, str]) -> str:
    """A fingerprint by what was stored, stage, op and message."""
    known, stage, op, message = parts
    return known if known and is_current(known) else fingerprint(stage, op, message)


class _Memory(dict[Any, Any]):
    """A memo: what a function returned, by its argument."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Any) -> Any:
        self[key] = self._function(key)
        return self[key]
