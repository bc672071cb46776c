# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night in plain words: what is worse, better, as before, and what nobody knows.

Pure text, so that page, terminal and summary can say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bringup.harness.records.night import (
    NEW_FAILURES,
    Cluster,
    Judgement,
    NightVerdict,
    TestVerdict,
)
from bringup.harness.records.schema import NOT_EVIDENCE
from bringup.reports.model.run import RunSummary


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 test`, `3 tests`."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


@dataclass(frozen=True)
class Said:
    """One sentence, and whether it is bad news."""

    text: str
    bad: bool = False


def headline(run: RunSummary) -> tuple[Said, ...]:
    """The night in a few sentences, the worst first."""
    night = run.night
    if night is None:
        return _by_itself(run)
    lost = (_missing(run), _gone(run, night))
    told = (_worse(night), _device_trouble(night), *lost, *_the_rest(night), _left_out(run))
    return tuple(said for said in told if said is not None)


def _by_itself(run: RunSummary) -> tuple[Said, ...]:
    evidence = [r for r in run.results if r.record.outcome not in NOT_EVIDENCE]
    good = sum(1 for r in evidence if r.good)
    bad = len(evidence) - good
    if not evidence:
        first = Said("Nothing ran that says anything of a model.", bad=True)
    elif bad:
        need = "needs" if bad == 1 else "need"
        first = Said(f"{bad} of {counted(len(evidence), 'test')} {need} attention.", bad=True)
    else:
        noun = "The one test is good." if good == 1 else f"All {good} tests are good."
        first = Said(noun)
    lost, out = _missing(run), _left_out(run)
    unknown = Said("Nobody judged this run against earlier ones, so what is new is not known.")
    return (first, *(said for said in (lost, out) if said), unknown)


def _worse(night: NightVerdict) -> Said:
    new = [test for test in night.tests if test.judgement in NEW_FAILURES]
    if not new:
        return Said("Nothing new is broken." if night.baseline else "Nothing is broken.")
    of = {cause.id for cause in _causes_of(new, night) if night.is_new(cause)}
    if of and all(test.cluster in of for test in new):
        breaks = "breaks" if len(of) == 1 else "break"
        text = f"{counted(len(of), 'new cause')} {breaks} {counted(len(new), 'test')}"
    else:
        is_bad = "is" if len(new) == 1 else "are"
        text = f"{counted(len(new), 'test')} {is_bad} newly bad"
        text += f", {counted(len(of), 'new cause')} among the reasons" if of else ""
    return Said(f"Worse: {text}." if night.baseline else f"{text[0].upper()}{text[1:]}.", bad=True)


def _device_trouble(night: NightVerdict) -> Said | None:
    trouble = [test for test in night.tests if test.judgement is Judgement.DEVICE]
    if night.mass_failures:
        named = ", ".join(night.mass_failures)
        return Said(f"Nearly all failed on {named}: no evidence of any test there.", bad=True)
    if not trouble:
        return None
    devices = ", ".join(sorted({test.device for test in trouble}))
    return Said(f"Device trouble: {counted(len(trouble), 'test')} on {devices}.", bad=True)


def _missing(run: RunSummary) -> Said | None:
    if run.lost:
        is_lost = "is" if run.lost == 1 else "are"
        planned = counted(run.overall.planned, "planned test")
        return Said(f"{run.lost} of {planned} {is_lost} missing.", bad=True)
    return Said("Some records did not arrive whole.", bad=True) if run.gaps else None


def _left_out(run: RunSummary) -> Said | None:
    count = len(run.left_out)
    was = "was" if count == 1 else "were"
    return Said(f"{counted(count, 'test')} {was} left out by the budget.") if count else None


def _gone(run: RunSummary, night: NightVerdict) -> Said | None:
    """Tests of the other run that this one did not even plan."""
    planned = {one.identity.planned.key for one in run.missing}
    missing = (t for t in night.tests if t.judgement is Judgement.MISSING)
    count = sum(1 for test in missing if test.test not in planned) - run.unnamed
    if count <= 0:
        return None
    return Said(f"{counted(count, 'test')} that ran before did not run.", bad=True)


def _the_rest(night: NightVerdict) -> list[Said]:
    counts = night.counts
    found = []
    if fixed := counts.get(Judgement.FIXED, 0):
        found.append(Said(f"{fixed} fixed."))
    if known := counts.get(Judgement.KNOWN, 0):
        causes = _causes_of([t for t in night.tests if t.judgement is Judgement.KNOWN], night)
        found.append(Said(f"{known} bad as before{_reasons(night, causes)}."))
    if flaky := counts.get(Judgement.FLAKE, 0):
        found.append(Said(f"{flaky} flaky."))
    if better := counts.get(Judgement.UNEXPECTED_PASS, 0):
        found.append(Said(f"{better} unexpectedly good."))
    if unknown := counts.get(Judgement.NO_EVIDENCE, 0):
        found.append(Said(f"Of {unknown} nothing is known: they were not compared, or skipped."))
    worse = sum(1 for t in night.tests if t.drifts and t.judgement is Judgement.GOOD)
    if worse:
        found.append(Said(f"{worse} good but slower, larger or less exact."))
    return found


def _causes_of(tests: Sequence[TestVerdict], night: NightVerdict) -> list[Cluster]:
    """What stops these tests: of one that several causes stop each of them, as documents list it,
    and not only the first, which is all that the test itself names."""
    keys, firsts = {test.test for test in tests}, {test.cluster for test in tests}
    return [c for c in night.clusters if c.id in firsts or not keys.isdisjoint(c.tests)]


def _reasons(night: NightVerdict, causes: Sequence[Cluster]) -> str:
    """` (3 causes, 1 of them new)`: a test that was bad may be so for another reason now."""
    if not causes:
        return ""
    new = sum(1 for cause in causes if night.is_new(cause))
    some = f", {new} of them new" if new < len(causes) else ", new tonight"
    return f" ({counted(len(causes), 'cause')}{some if new else ''})"
