# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run came to beside those before it, in the words that every document says it in.

Page, spreadsheet, terminal, summaries and messages take sentence, causes and groups from here: the
same counts and the same order, what is new before what is known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bringup.harness.records.night import (
    NEW_FAILURES,
    Change,
    Cluster,
    Fix,
    FixList,
    Judgement,
    Moment,
    NightVerdict,
    TestVerdict,
)
from bringup.reports.model.headline import counted
from bringup.reports.model.headline import headline as sentences
from bringup.reports.model.run import Result, RunSummary
from bringup.reports.text.numbers import date_text

ORDER = (
    *NEW_FAILURES,
    Judgement.MISSING,
    Judgement.FIXED,
    Judgement.UNEXPECTED_PASS,
    Judgement.FLAKE,
    Judgement.DEVICE,
    Judgement.KNOWN,
    Judgement.NO_EVIDENCE,
    Judgement.GOOD,
)
"""The order in which a reader wants to see judgements."""
_FEW_DEVICES = 4
FIRST = "the first of its kind in the history"
UNJUDGED = "Nobody compared this run with those before it"


@dataclass(frozen=True)
class Cause:
    """One cause of failures as documents show it."""

    new: bool
    cluster: Cluster
    since: str
    """`since tonight`, `since 3 Nov 2026`, or empty where nobody knows."""

    @property
    def flag(self) -> str:
        """`NEW` or `KNOWN`."""
        return "NEW" if self.new else "KNOWN"

    @property
    def where(self) -> str:
        """`7 tests of 3 models on n150, p150`, or `4 ops ...`; more than four devices are
        counted."""
        cluster = self.cluster
        tests, ops, models = len(cluster.tests), cluster.ops, len(cluster.models)
        kinds = ((tests, "test"), (0 if tests else ops, "op"), (models, "model"))
        hit = " of ".join(counted(count, kind) for count, kind in kinds if count)
        if not cluster.devices:
            return hit
        few = len(cluster.devices) <= _FEW_DEVICES
        on = ", ".join(cluster.devices) if few else counted(len(cluster.devices), "device")
        return f"{hit} on {on}".lstrip()

    @property
    def note(self) -> str:
        """Its issue and its owner, as far as they are known."""
        owner = f"owner: {self.cluster.owner}" if self.cluster.owner else ""
        return ", ".join(part for part in (self.cluster.issue, owner) if part)

    @property
    def example(self) -> str:
        """The first line of a diagnostic."""
        return next(
            (line.strip() for line in self.cluster.example.splitlines() if line.strip()), ""
        )


def headline(run: RunSummary) -> str:
    """The page's own sentences: what is new, known, fixed and flaky."""
    return " ".join(said.text for said in sentences(run))


def against(night: NightVerdict | None) -> str:
    """`compared with nightly-... (26 Nov 2026)`; empty where nobody judged it."""
    if night is None:
        return ""
    if night.baseline is None:
        return FIRST
    return f"compared with {night.baseline.run} ({day_text(night.baseline)})"


def causes(night: NightVerdict | None) -> tuple[Cause, ...]:
    """Its causes, the new ones first, then in the order that the verdict has them."""
    if night is None:
        return ()
    found = [Cause(night.is_new(c), c, _since(night, c)) for c in night.clusters]
    return tuple(sorted(found, key=lambda cause: not cause.new))


def _since(night: NightVerdict, cluster: Cluster) -> str:
    if cluster.first_seen is None:
        return ""
    return "since tonight" if night.is_new(cluster) else f"since {day_text(cluster.first_seen)}"


def groups(night: NightVerdict | None) -> Iterator[tuple[Judgement, tuple[TestVerdict, ...]]]:
    """Tests of which there is something to say, by judgement; none that has no test."""
    if night is None:
        return
    for judgement in ORDER:
        if tests := tuple(t for t in night.tests if t.judgement is judgement):
            yield judgement, tests


def fix_first(night: NightVerdict | None) -> Iterator[str]:
    """`scatter and fft: 12 tests get further, 9 of them have nothing else in the way`, over all
    devices."""
    if night is None:
        return
    names = {cluster.id: cluster.name for cluster in night.clusters}
    for fix in _overall(night.fix_first).fixes:
        what = " and ".join(names.get(cause, cause) for cause in fix.causes)
        gets = "gets" if len(fix.advances) == 1 else "get"
        yield f"{what}: {counted(len(fix.advances), 'test')} {gets} further{_freed(fix)}"


def _freed(fix: Fix) -> str:
    """How many of the tests that it helps have nothing else in the way."""
    if not fix.frees:
        return ""
    if fix.frees == len(fix.advances):
        return " and " + ("has" if fix.frees == 1 else "have") + " nothing else in the way"
    return f", {fix.frees} of them {'has' if fix.frees == 1 else 'have'} nothing else in the way"


def _overall(lists: Sequence[FixList]) -> FixList:
    return next((one for one in lists if not one.device), FixList())


def since_text(test: TestVerdict) -> str:
    """The day of the first bad night in a row; empty for a test that is good."""
    return day_text(test.first_bad)


def last_good_text(test: TestVerdict) -> str:
    """The day of its last good night; empty where there is none."""
    return day_text(test.last_good)


def changes_text(changes: Iterable[Change]) -> str:
    """`torch-mlir 20261001 -> 20261008, commits ...`."""
    return ", ".join(f"{c.name} {c.before or 'absent'} -> {c.after or 'absent'}" for c in changes)


def unexplained(run: RunSummary) -> tuple[Result, ...]:
    """What needs attention and has no cause that is named: with `causes`, each failure once."""
    explained = {test for cause in causes(run.night) for test in cause.cluster.tests}
    return tuple(r for r in run.attention if r.identity.planned.key not in explained)


def day_text(when: Moment | None) -> str:
    """`26 Nov 2026`; a run's name where its moment is none of the calendar's."""
    return "" if when is None else date_text(when.at) or when.run


def title(run: RunSummary) -> str:
    """`Night of 27 Nov 2026, nightly, 412 tests on 6 devices`."""
    header = run.header
    when = date_text(header.created) or "no date"
    tests = counted(run.overall.planned, "test")
    return f"Night of {when}, {header.session}, {tests} on {counted(len(run.devices), 'device')}"
