# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run as Markdown: the page's words, GitHub's limits, and nobody called."""

import re
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from bringup.reports import summary
from bringup.reports.build import build, load
from bringup.reports.catalog import chosen
from bringup.reports.model import changes
from bringup.reports.text.github import Section, code, fitted
from tests.unit.reports.nights import EVIL, judged_run
from tests.unit.reports.op_runs import summary_text
from tests.unit.run_builder import identity, record

MOST = 1 << 20


def test_it_says_what_the_terminal_says_each_failure_once(tmp_path: Path) -> None:
    late = record(identity("late"), Outcome.CRASHED)
    run = load(judged_run(tmp_path, more=[late]))
    text, terminal = summary.render(run, MOST, "x"), summary_text(run)
    assert text.startswith("## `Night of 22 Nov 2026, nightly, 5 tests on 1 device`")
    for words in (changes.headline(run), "nox -s repro -- new", "since tonight", "#412"):
        assert words in text and words in terminal
    for test in ("bert[full-eval]", "vit[full-eval]", "late[full-eval]"):
        assert len(re.findall(rf"^\| `{re.escape(test)}@", text, re.MULTILINE)) == 1, test
        assert len(re.findall(rf"^ *\S+ +{re.escape(test)}  n150", terminal, re.MULTILINE)) == 1
    assert text.index("NEW") < text.index("KNOWN") < text.index("### Devices")


def test_a_comment_is_cut_within_its_limit_and_says_what_was(tmp_path: Path) -> None:
    more = [record(identity(f"m{i}"), Outcome.FAILED, message=EVIL) for i in range(900)]
    judged_run(tmp_path, more=more)
    built = build(tmp_path, reporters=chosen(["summary"]))
    assert not built.failures
    comment, whole = ((tmp_path / n).read_text() for n in ("comment.md", "summary.md"))
    assert 60_000 < len(comment) <= len(comment.encode()) <= 65_536
    assert "Cut to the 65,536 characters of a comment" in comment[:500]
    (left,) = re.findall(r"(\d+) of 900 failures left out", comment)
    assert int(left) + len(re.findall(r"^\| `m\d+\[", comment, re.MULTILINE)) == 900
    assert "### Devices" in comment and "NEW" in comment
    assert "Cut to" not in whole and len(re.findall(r"^\| `m\d+\[", whole, re.MULTILINE)) == 900


@pytest.mark.parametrize("most", [60, 200, 400, 1_000])
def test_whatever_the_limit_it_is_kept(most: int) -> None:
    lines = tuple(f"- line {i} é" for i in range(100))
    sections = [Section(("# head",)), Section(("## a",), lines), Section(("## b",), lines)]
    text = fitted(sections, most, "a limit", "elsewhere")
    assert len(text.encode()) <= most and text.startswith("# head")
    assert "Cut to a limit" in text


@pytest.mark.parametrize(
    "text", [EVIL, "@team", "``", "`", "a``b`c", "| x |", "\n\n# head", "x" * 500, "<img src=x>"]
)
def test_a_strangers_text_is_code_on_one_line(text: str) -> None:
    """CommonMark: a code span ends at the next run of as many backticks as began it."""
    made = code(text)
    ticks = made[: len(made) - len(made.lstrip("`"))]
    inner = made[len(ticks) : -len(ticks)]
    assert made.endswith(ticks) and "\n" not in made and len(made) < 600
    assert not re.search(rf"(?<!`){ticks}(?!`)", inner)
    assert not re.search(r"(?<!\\)\|", made)
