# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night against its baseline: one judgement a test, with what stands behind it.

All tests are looked at in arrays; only those of which there is something to say get a series of
their own, so a year of 10,000 tests is judged in about a second.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from bringup.harness.records.naming import identity_of_key, run_again
from bringup.harness.records.night import (
    NIGHT_SCHEMA,
    Change,
    Drift,
    DriftKind,
    Judgement,
    Moment,
    NightVerdict,
    TestVerdict,
)
from bringup.harness.records.values import NOT_EVIDENCE, Outcome, Status
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.judge.changes import Table, changed_between
from bringup.pipeline.history.judge.columns import EXCLUSIONS, OUTCOMES, Columns, Counts
from bringup.pipeline.history.judge.headline import has_regressed, head_sentence, urgency
from bringup.pipeline.history.judge.judgement import SAYS_NOTHING, Known, judgement_of
from bringup.pipeline.history.judge.noise import drifts
from bringup.pipeline.history.judge.series import WINDOW, Attempts, Series
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.lists.expectations import End, Kept, Promise

FULL_ENOUGH = 0.5
"""Of tonight's tests: with less of them as evidence a night is no baseline."""


@dataclass(frozen=True)
class Tonight:
    """The night to judge, and what its samples do not say."""

    run: str
    at: float = 0.0
    """When it was, in seconds since the epoch; needed only where it has no samples."""
    session: str = ""
    baseline: str = ""
    """The run to compare with; empty: the newest night of the same session that is full enough."""
    sessions: Mapping[str, str] = field(default_factory=dict)
    """Session by run; a run that is not there may be a baseline of any."""
    planned: Mapping[str, str] = field(default_factory=dict)
    """Keys of the tests that the run was to report, to their list or nothing."""
    gating: Collection[str] = ()
    """Lists whose tests must be good."""
    left_out: Collection[str] = frozenset()
    """Keys of the tests that the run's budget had no time for: nothing is said of them."""
    promises: Mapping[str, Promise] = field(default_factory=dict)
    """By test, what its list and its entry promise."""
    confirmed: Mapping[str, Judgement] = field(default_factory=dict)
    """By test, what running it again at once came to (`confirmation`)."""
    versions: Table = field(default_factory=dict)
    failing_ops: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By test, the keys of its ops that fail tonight, to their names."""
    failing_ops_before: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The same at the baseline; a test that is not there had none looked at."""


def judge(columns: Columns, tonight: Tonight) -> NightVerdict:
    """The night's verdict, yet without clusters and what to fix first.

    Args:
        columns: samples of this night and of those before, those of later nights are passed over.

    Raises:
        HistoryError: the baseline that is named is not in history.
    """
    if tonight.baseline and columns.run.code(tonight.baseline) < 0:
        raise HistoryError(f"history knows no run {tonight.baseline}")
    at = _when(columns, tonight.run, tonight.at)
    told = columns.at <= at
    if tonight.baseline:  # which may be a later run
        told |= columns.run.codes == columns.run.code(tonight.baseline)
    bench = _Bench(columns if told.all() else columns.take(told), tonight, at)
    verdicts = [bench.verdict(test) for test in bench.noticed()]
    counts = Counter(verdict.judgement for verdict in verdicts)
    counts[Judgement.GOOD] += len(bench.tests) - len(verdicts)
    tests = tuple(sorted(verdicts, key=urgency))
    return NightVerdict(
        schema=NIGHT_SCHEMA,
        run=tonight.run,
        at=at,
        session=tonight.session,
        baseline=bench.baseline,
        head=head_sentence(tests),
        counts={one: counts[one] for one in Judgement if counts[one]},
        regressed=has_regressed(tests),
        mass_failures=bench.mass_failures(),
        nights=tuple(bench.moment(run) for run in bench.shown_runs),
        tests=tests,
    )


def verdict_of(columns: Columns, test: str, tonight: Tonight) -> TestVerdict | None:
    """What is to be said of one test, be there anything to notice or not; None of one that has no
    sample and was not planned. `columns` may be of this test alone: then it has no `elsewhere`."""
    at = _when(columns, tonight.run, tonight.at)
    past = columns.take(columns.at <= at)
    if test not in tonight.planned and past.test.code(test) not in past.test.codes:
        return None
    return _Bench(past, tonight, at).verdict(test)


def baseline_of(columns: Columns, tonight: Tonight) -> str:
    """The newest night before of the same session in which enough of tonight's tests were judged;
    empty where there is none."""
    at = _when(columns, tonight.run, tonight.at)
    mine = columns.run.codes == columns.run.code(tonight.run)
    hers = np.zeros(len(columns.test.words), np.bool_)
    hers[columns.test.codes[mine]] = True
    counted = columns.counts & hers[columns.test.codes]
    counts = np.bincount(columns.run.codes[counted], minlength=len(columns.run.words))
    for run in reversed(_by_time(columns, tonight)):
        earlier = columns.at[columns.first_rows[run]] < at
        if earlier and counts[run] >= FULL_ENOUGH * max(hers.sum(), 1):
            return columns.run.words[run]
    return ""


def _by_time(columns: Columns, tonight: Tonight) -> list[int]:
    """The runs of tonight's session by their time, as positions among the words."""
    words, sessions, firsts = columns.run.words, tonight.sessions, columns.first_rows
    mine = tonight.session
    same = [r for r, row in enumerate(firsts) if row >= 0 and sessions.get(words[r], mine) == mine]
    return sorted(same, key=lambda r: (columns.at[firsts[r]], words[r]))


def _when(columns: Columns, run: str, otherwise: float = 0.0) -> float:
    code = columns.run.code(run)
    row = columns.first_rows[code] if code >= 0 else -1
    return float(columns.at[row]) if row >= 0 else otherwise


class _Bench:
    """Tonight's rows beside the baseline's, each test by its position in the column's words."""

    def __init__(self, columns: Columns, tonight: Tonight, at: float) -> None:
        self.columns, self.tonight, self.at = columns, tonight, at
        self.attempts = Attempts.of(columns)
        self.edges = columns.edges()
        self.named = bool(tonight.baseline)
        run = tonight.baseline or baseline_of(columns, tonight)
        self.base = self._rows_of(run) if run else {}
        self.now = self._rows_of(tonight.run)
        self.baseline = Moment(run, _when(columns, run)) if run else None
        self.drifts = drifts(columns, np.array(sorted(self.now.values()), np.int64))
        expected = self.base if self.named or not tonight.planned else ()
        gone = {code for code in expected if self._was_there(code)}
        unrun = {columns.test.words[c] for c in gone - self.now.keys()}
        unrun |= {t for t in tonight.planned if self.codes.get(t) not in self.now}
        unrun -= set(tonight.left_out)
        self.tests = [*(columns.test.words[code] for code in sorted(self.now)), *sorted(unrun)]

    def _was_there(self, code: int) -> bool:
        return OUTCOMES[self.columns.outcome[self.base[code]]] is not Outcome.NOT_RUN

    def _rows_of(self, run: str) -> dict[int, int]:
        """By test, its row in a run: the last that no later attempt replaced."""
        columns = self.columns
        superseded = EXCLUSIONS.index(Excluded.SUPERSEDED)
        mine = columns.run.codes == columns.run.code(run)
        rows = np.flatnonzero(mine & (columns.excluded != superseded))
        return dict(zip(columns.test.codes[rows].tolist(), rows.tolist(), strict=True))

    @cached_property
    def codes(self) -> dict[str, int]:
        """The position of each test among the words."""
        return {word: code for code, word in enumerate(self.columns.test.words)}

    @cached_property
    def shown_runs(self) -> Counts:
        """int64[at most WINDOW]: the newest runs of the session up to tonight, the newest last."""
        times = self.columns.at[self.columns.first_rows]
        until = [r for r in _by_time(self.columns, self.tonight) if times[r] <= self.at]
        return np.array(until[-WINDOW:], np.int64)

    def moment(self, run: int) -> Moment:
        """A run by its position among the words."""
        row = self.columns.first_rows[run]
        return Moment(self.columns.run.words[run], float(self.columns.at[row]))

    def mass_failures(self) -> tuple[str, ...]:
        """Devices of which tonight is no evidence since nearly all failed."""
        rows = np.array(sorted(self.now.values()), np.int64)
        mass = EXCLUSIONS.index(Excluded.MASS_FAILURE)
        devices = self.columns.device.codes[rows[self.columns.excluded[rows] == mass]]
        return tuple(sorted(self.columns.device.words[code] for code in np.unique(devices)))

    def noticed(self) -> list[str]:
        """Tests of which there is more to say than that they are good, as they were."""
        columns, tonight = self.columns, self.tonight
        good, counts = columns.good, columns.counts
        mixed = self.attempts.mixed
        found = []
        for test in self.tests:
            code = self.codes.get(test, -1)
            row, base = self.now.get(code), self._base_row(code)
            calm = (
                row is not None
                and good[row]
                and (counts[row] or EXCLUSIONS[columns.excluded[row]] not in SAYS_NOTHING)
                and not mixed[row]
                and (base is None or good[base] or not counts[base])
                and row not in self.drifts
                and self._kept(test, columns.sample(row)) is not Kept.UNEXPECTED_PASS
                and not (tonight.failing_ops and self._new_ops(test))
            )
            if not calm:
                found.append(test)
        return found

    def _kept(self, test: str, now: Sample | None) -> Kept | None:
        """What tonight made of the test's promise; which checks failed history does not know."""
        promise = self.tonight.promises.get(test)
        if promise is None or now is None:
            return None
        return promise.judge(End(now.outcome, now.fingerprint))

    def _base_row(self, code: int) -> int | None:
        """Where the baseline has no evidence of a test, its last one before counts instead: a
        device that was away for a night does not make known failures new. Of a named run not."""
        row = self.base.get(code)
        if self.named or (row is not None and self.columns.excluded[row] == 0):
            return row
        if code < 0:
            return row
        return self._last_evidence[code] if self._last_evidence[code] >= 0 else row

    @cached_property
    def _last_evidence(self) -> Counts:
        """int64[tests]: each test's last evidence before tonight; -1 without any."""
        columns = self.columns
        tonight = columns.run.codes == columns.run.code(self.tonight.run)
        rows = np.flatnonzero(columns.counts & ~tonight)
        found = np.full(len(columns.test.words), -1, np.int64)
        found[columns.test.codes[rows]] = rows  # rows go up with time, the last one stays
        return found

    def series(self, test: str) -> Series:
        """The test's rows up to tonight."""
        code = self.codes.get(test, -1)
        begin, end = self._slices.get(code, (0, 0))
        return Series(self.columns, self.attempts, begin, end)

    @cached_property
    def _slices(self) -> dict[int, tuple[int, int]]:
        """By test, its rows up to tonight: a baseline that came later is no part of a series."""
        edges, at = self.edges.tolist(), self.columns.at
        found = {}
        for begin, end in pairwise(edges):
            until = begin + int(np.searchsorted(at[begin:end], self.at, side="right"))
            found[int(self.columns.test.codes[begin])] = (begin, until)
        return found

    def verdict(self, test: str) -> TestVerdict:
        """All that is to be said of one test."""
        code = self.codes.get(test, -1)
        row, base = self.now.get(code), self._base_row(code)
        now = self.columns.sample(row) if row is not None else None
        before = self.columns.sample(base) if base is not None else None
        series = self.series(test)
        judgement, settled = judgement_of(self._known(test, now, before, series))
        device = now.device if now else identity_of_key(test).device
        last_good = series.last_good_row
        list_name = self.tonight.planned.get(test, "") or (now.list_name if now else "")
        return TestVerdict(
            test=test,
            device=device,
            judgement=judgement,
            outcome=now.outcome if now else None,
            stage=now.stage if now else None,
            baseline=before.outcome if before else None,
            settled=settled,
            since=series.since,
            first_bad=series.first_bad,
            last_good=series.moment(last_good) if last_good is not None else None,
            streak=series.streak,
            flips=series.flips,
            counted=len(series.evidence),
            uncounted=series.uncounted,
            recent=series.recent(self.shown_runs),
            drifts=self._drifts(test, row, now, before),
            works_elsewhere=self._elsewhere(test) if now and not now.good else (),
            changes=self._changes(series, last_good),
            fingerprint=now.fingerprint if now else "",
            list_name=list_name,
            gating=list_name in self.tonight.gating,
            command=_command(test, now or before),
        )

    def _known(self, test: str, now: Sample | None, before: Sample | None, series: Series) -> Known:
        row = self.now.get(self.codes.get(test, -1))
        good = bool(now and now.good)
        compared = before is not None and before.outcome not in NOT_EVIDENCE
        earlier = series.evidence[series.evidence != row]
        streak = series.streak
        if good and len(series.bad) > 1 and series.bad[-2]:
            streak = Series(self.columns, self.attempts, series.begin, int(earlier[-1]) + 1).streak
        return Known(
            outcome=now.outcome if now and not now.missing else None,
            good=good,
            excluded=now.excluded if now else Excluded.NONE,
            good_before=before.good if before and compared else None,
            seen_before=bool(len(earlier)) and not self.named,
            mixed=bool(row is not None and self.attempts.mixed[row]),
            broke=series.broke_well if good else series.broke_badly,
            same_program=bool(now and not good and self._same_program(now, series)),
            flips=series.flips_since_break,
            bad_streak=streak,
            kept=self._kept(test, now),
            other_failure=not (before and now and before.fingerprint == now.fingerprint),
            confirmed=self.tonight.confirmed.get(test),
        )

    def _same_program(self, now: Sample, series: Series) -> bool:
        if not now.artifact_hash or series.last_good_row is None:
            return False
        then = self.columns.sample(series.last_good_row)
        made = then.artifact_hash, then.ir_hash, then.versions
        return made == (now.artifact_hash, now.ir_hash, now.versions)

    def _drifts(
        self, test: str, row: int | None, now: Sample | None, before: Sample | None
    ) -> tuple[Drift, ...]:
        found = self.drifts.get(row, ()) if row is not None else ()
        names = self._new_ops(test)
        if names:
            counts = [len(ops.get(test, ())) for ops in self._ops]
            found += (Drift(DriftKind.OPS, counts[0], counts[1], names=names),)
        compared = now and before and not (now.good or before.good or now.excluded)
        if now is None or before is None or not compared:
            return found
        if now.status < before.status <= Status.EXECUTED:
            found += (Drift(DriftKind.STATUS, before.status, now.status),)
        if before.fingerprint and now.fingerprint and before.fingerprint != now.fingerprint:
            found += (Drift(DriftKind.CAUSE, names=(before.fingerprint,)),)
        return found

    @property
    def _ops(self) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, Mapping[str, str]]]:
        return self.tonight.failing_ops_before, self.tonight.failing_ops

    def _new_ops(self, test: str) -> tuple[str, ...]:
        """Names of ops that fail tonight and did not at the baseline; each once."""
        before, now = self._ops
        if test not in before:
            return ()
        fresh = {name for key, name in now.get(test, {}).items() if key not in before[test]}
        return tuple(sorted(fresh))

    def _elsewhere(self, test: str) -> tuple[str, ...]:
        name = test.rpartition("@")[0]
        return tuple(sorted(self._good_on.get(name, ())))

    @cached_property
    def _good_on(self) -> dict[str, list[str]]:
        """By the test's name without its device, where it is good tonight."""
        found: dict[str, list[str]] = defaultdict(list)
        good, counts = self.columns.good, self.columns.counts
        for code, row in self.now.items():
            if good[row] and counts[row]:
                name, _, device = self.columns.test.words[code].rpartition("@")
                found[name].append(device)
        return found

    def _changes(self, series: Series, last_good: int | None) -> tuple[Change, ...]:
        if last_good is None or series.first_bad is None:
            return ()
        first = self.columns.sample(int(series.evidence[-series.streak]))
        return changed_between(self.columns.sample(last_good), first, self.tonight.versions)


def _command(test: str, sample: Sample | None) -> str:
    if sample is None or not sample.nodeid:
        return ""
    return run_again(sample.nodeid, identity_of_key(test))
