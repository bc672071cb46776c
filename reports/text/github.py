# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Markdown for GitHub within what it takes: what a stranger wrote is code, and mentions nobody.

GitHub finds `@name` and `#123` in all text but code, and `t5[full-eval]@cpu` would call whoever is
called cpu. So every text of a record stands in a code span.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bringup.reports.text.untrusted import clean

_TICKS = re.compile(r"`+")
_LONGEST = 300
"""Characters of a code span; a command is longer than no command can be."""


@dataclass(frozen=True)
class Section:
    """A part of a page: what stands before its lines, and lines that may be left out."""

    head: tuple[str, ...]
    lines: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    what: str = "lines"
    """What a line is, for the sentence on those that were left out."""


def code(text: str, longest: int = _LONGEST) -> str:
    """A text on one line as a code span, in a table too; empty for an empty one."""
    line = " ".join(clean(text).split())
    if not line:
        return ""
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    ticks = "`" * (1 + max((len(found) for found in _TICKS.findall(line)), default=0))
    space = " " if "`" in line else ""
    return f"{ticks}{space}{line}{space}{ticks}".replace("|", "\\|")


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def table(titles: Sequence[str]) -> tuple[str, ...]:
    """The head of a table."""
    return row(titles), row(["---"] * len(titles))


def fitted(sections: Sequence[Section], most: int, limit: str, where: str) -> str:
    """The sections as one text of at most `most` bytes of UTF-8.

    Lines are left out from the last section on, and a sentence says how many and by which `limit`;
    `where` says where all of them are. What stands before a section's lines stays.
    """
    counts = [len(section.lines) for section in sections]
    said = _joined(sections, counts, "")
    if len(said.encode()) <= most:
        return said
    for at in reversed(range(len(sections))):
        low, high = 0, counts[at]
        while low < high:  # the most lines of this section that fit
            middle = (low + high + 1) // 2
            counts[at] = middle
            fits = len(_said(sections, counts, limit, where).encode()) <= most
            low, high = (middle, high) if fits else (low, middle - 1)
        counts[at] = low
        said = _said(sections, counts, limit, where)
        if len(said.encode()) <= most:
            return said
    return said.encode()[:most].decode(errors="ignore")


def _said(sections: Sequence[Section], counts: Sequence[int], limit: str, where: str) -> str:
    return _joined(sections, counts, _cut(sections, counts, limit, where))


def _cut(sections: Sequence[Section], counts: Sequence[int], limit: str, where: str) -> str:
    """`Cut to ...: 200 of 230 known failures are left out; index.html has all.`"""
    parts = [
        f"{len(s.lines) - n:,} of {len(s.lines):,} {s.what}"
        for s, n in zip(sections, counts, strict=True)
        if n < len(s.lines)
    ]
    return f"**Cut to {limit}**: {', '.join(parts)} left out; {where}."


def _joined(sections: Sequence[Section], counts: Sequence[int], cut: str) -> str:
    lines: list[str] = []
    for number, (section, count) in enumerate(zip(sections, counts, strict=True)):
        if count or not section.lines:
            lines += [*section.head, *section.lines[:count], *section.tail, ""]
        if number == 0 and cut:
            lines += [cut, ""]
    return "\n".join(lines).rstrip("\n") + "\n"
