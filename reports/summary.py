# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run as Markdown for where people already look: a job's summary, a pull request's comment.

The same sentence, causes, groups and counts as the page's head (`model.changes`), the new before
the known; what does not fit is cut from the end, and said to be.
"""

from collections.abc import Iterator

from bringup.harness.records.night import TestVerdict
from bringup.reports.model import changes
from bringup.reports.model.run import RunSummary
from bringup.reports.text import legend
from bringup.reports.text.github import Section, code, fitted, row, table

WHERE = "`index.html` of the run has all"


def render(run: RunSummary, most: int, limit: str) -> str:
    """The whole text, in at most `most` bytes; `limit` says whose limit that is."""
    return fitted(list(_sections(run)), most, limit, WHERE)


def _sections(run: RunSummary) -> Iterator[Section]:
    against = changes.against(run.night)
    head = [f"## {code(changes.title(run))}", "", f"**{code(changes.headline(run), 2_000)}**"]
    yield Section((*head, "", code(against)) if against else tuple(head))
    yield from _causes(run)
    yield from _fixes(run)
    if run.anything_missing:
        sentences = [f"- {code(sentence)}" for sentence in run.gaps]
        tests = [f"- {code(m.identity.planned.key)} {code(m.reason)}" for m in run.missing]
        yield Section((f"### {run.alarm}", ""), (*sentences, *tests), what="missing")
    for judgement, judged in changes.groups(run.night):
        title = f"### {judgement.value.capitalize()}: {len(judged)}"
        yield Section((title, "", *table(_TEST)), tuple(map(_test, judged)), what=judgement.value)
    yield from _failures(run)
    if run.left_out:
        title = f"### Left out by the budget: {len(run.left_out)}"
        said = [f"- {code(r.identity.planned.key)} {code(r.failure_line)}" for r in run.left_out]
        yield Section(
            (title, "", code(run.left_out_because_text), ""), tuple(said), what="left out"
        )
    kept = ("", code(run.cached_text)) if run.cached_text else ()
    yield Section(("### Devices", "", *table(_DEVICE), *_devices(run), *kept))


_TEST = ("test", "outcome", "since", "last good", "run it again")
_DEVICE = ("device", "good", "compiled", "executed", "reported")


def _causes(run: RunSummary) -> Iterator[Section]:
    lines = [
        row([c.flag, code(c.cluster.name), c.where, c.since, code(c.note), code(c.cluster.command)])
        for c in changes.causes(run.night)
    ]
    if lines:
        titles = ("", "cause", "hits", "since", "issue", "run it again")
        yield Section(("### Causes", "", *table(titles)), tuple(lines), what="causes")


def _fixes(run: RunSummary) -> Iterator[Section]:
    lines = tuple(f"{i}. {code(f)}" for i, f in enumerate(changes.fix_first(run.night), start=1))
    if lines:
        yield Section(("### Fix first", ""), lines, what="fixes")


def _test(test: TestVerdict) -> str:
    outcome = test.outcome.value if test.outcome else "did not run"
    since, good = changes.since_text(test), changes.last_good_text(test)
    return row([code(test.test), outcome, since, good, code(test.command, 2_000)])


def _failures(run: RunSummary) -> Iterator[Section]:
    """What needs attention and is said nowhere above: each failure once."""
    judged = {test.test for test in run.night.tests} if run.night else set()
    lines = [
        row(
            [
                code(r.identity.planned.key),
                f"{legend.OUTCOMES[r.record.outcome].symbol} {r.record.outcome.value}",
                code(r.failure_line),
                code(r.command, 2_000),
            ]
        )
        for r in run.attention
        if r.identity.planned.key not in judged
    ]
    if lines:
        titles = ("test", "outcome", "failure", "run it again")
        title = f"### Needs attention: {len(lines)}"
        yield Section((title, "", *table(titles)), tuple(lines), what="failures")


def _devices(run: RunSummary) -> Iterator[str]:
    tallies = run.tallies if len(run.tallies) == 1 else (*run.tallies, run.overall)
    for t in tallies:
        yield row([code(t.device), t.good.text, t.compiled.text, t.executed.text, t.arrived.text])
