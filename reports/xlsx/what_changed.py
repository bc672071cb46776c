# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sheet "What changed": the page's head, its causes, and each test of which there is news."""

from collections.abc import Callable
from typing import Any

from bringup.harness.records.night import Judgement, Moment, TestVerdict
from bringup.reports.addresses import PAGE, Addresses
from bringup.reports.model import changes
from bringup.reports.model.run import RunSummary, anchor_of_key
from bringup.reports.text.numbers import moment
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import BulkRows, Cell, Column, Table
from bringup.reports.xlsx.cell_styles import BOLD_STYLE, HEAD_STYLE, PLAIN, QUIET_STYLE, CellStyle
from bringup.reports.xlsx.hyperlinks import Link

NAME = "What changed"
_CAUSES = ("", "cause", "hits", "since", "stage", "op", "issue, owner", "example", "run it again")
_RED, _AMBER, _GREEN, _GREY = "F9D3BC", "FCE8C2", "C6EFCE", "EDEDED"
_TINTS = {
    Judgement.REGRESSION: _RED,
    Judgement.SUSPECTED: _RED,
    Judgement.NEW: _RED,
    Judgement.MISSING: _RED,
    Judgement.FIXED: _GREEN,
    Judgement.UNEXPECTED_PASS: _GREEN,
    Judgement.FLAKE: _AMBER,
    Judgement.DEVICE: "C5DCEC",
}


def write_what_changed(book: Book, sheet: Any, run: RunSummary, addresses: Addresses) -> None:
    """Write the sheet whole."""
    tests = [test for _, group in changes.groups(run.night) for test in group]
    lines = _above(run)
    lead = [changes.headline(run), changes.against(run.night), run.origin.commit_text]
    frame = Frame(changes.title(run), lead, len(lead) + len(lines) + 3, len(tests), frozen=0)
    columns = _columns(run, addresses)
    with book.bulk(sheet, frame, Table(columns), lines) as rows:
        for test in tests:
            rows.add(test, "judgement", _TINTS.get(test.judgement, _GREY))
        if not tests:
            _none(rows, run)


def _day(when: Moment | None) -> Cell:
    """A date, to be sorted by; a run's name where its moment is none of the calendar's."""
    return None if when is None else moment(when.at) or when.run


Line = tuple[list[str | int], list[CellStyle]]


def _above(run: RunSummary) -> list[Line]:
    """The causes, what to fix first, and what is missing: between the head and the tests."""
    lines: list[Line] = []
    if found := changes.causes(run.night):
        lines += [([], []), (list(_CAUSES), [HEAD_STYLE] * len(_CAUSES))]
    for cause in found:
        one = cause.cluster
        lines.append(
            (
                [
                    *(cause.flag, one.name, cause.where, cause.since, one.stage, one.op),
                    *(cause.note, cause.example, one.command),
                ],
                [CellStyle(tint=_RED, bold=True) if cause.new else PLAIN, BOLD_STYLE],
            )
        )
    fixes = list(changes.fix_first(run.night))
    if fixes:
        lines += [([], []), (["Fix first"], [BOLD_STYLE])]
        lines += [([number, fix], []) for number, fix in enumerate(fixes, start=1)]
    if run.anything_missing:
        lines += [([], []), ([f"{run.alarm}; see the sheet Missing"], [BOLD_STYLE])]
    return lines


def _none(rows: BulkRows[TestVerdict], run: RunSummary) -> None:
    said = "Of no test is there anything to say." if run.night else f"{changes.UNJUDGED}."
    rows.line([said], [QUIET_STYLE])


def _columns(run: RunSummary, addresses: Addresses) -> list[Column[TestVerdict]]:
    run_dir = addresses.folder

    def page(test: TestVerdict) -> Cell:
        return Link(test.test, addresses.of(run_dir, f"{PAGE}#{anchor_of_key(test.test)}"))

    cause_names = {c.id: c.name for c in run.night.clusters} if run.night else {}
    values: dict[str, tuple[Callable[[TestVerdict], Cell], int]] = {
        "judgement": (lambda t: t.judgement.value, 16),
        "test": (page, 48),
        "device": (lambda t: t.device, 30),
        "since": (lambda t: _day(t.first_bad), 20),
        "last good": (lambda t: _day(t.last_good), 20),
        "outcome": (lambda t: t.outcome.value if t.outcome else "did not run", 24),
        "stage": (lambda t: t.stage.value if t.stage else "", 20),
        "cause": (lambda t: cause_names.get(t.cluster, ""), 44),
        "run it again": (lambda t: t.command, 48),
        "at the baseline": (lambda t: t.baseline.value if t.baseline else "", 16),
        "last 30 nights": (lambda t: t.recent, 34),
        "nights in a row": (lambda t: t.streak, 0),
        "changed between": (lambda t: changes.changes_text(t.changes), 40),
        "works on": (lambda t: ", ".join(t.works_elsewhere), 24),
        "list": (lambda t: t.list_name, 30),
    }
    return [Column(title, value, width=width) for title, (value, width) in values.items()]
