# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Page, sheet, terminal, summary, comment and message say a night in the same words and counts."""

import io
import json
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
from rich.console import Console

from bringup.reports import catalog
from bringup.reports.build import build
from bringup.reports.terminal import print_summary
from tests.unit.reports.nights import judged_run

HEADLINE = "Worse: 1 new cause breaks 1 test. 1 of 4 planned tests is missing. 1 fixed."
ANYWHERE = (
    *HEADLINE.replace(". ", ".|").split("|"),
    "1 test of 1 model on n150",
    "since tonight",
    "since 21 Nov 2026",
    "stablehlo.scatter refused by TTIR: 1 test gets further and has nothing else in the way",
    "nox -s repro -- new",
    "nox -s repro -- old",
)


class _Text(HTMLParser):
    """What a page says, without its styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._aside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._aside = tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._aside:
            self.said.append(data)


def test_every_document_says_the_night_in_the_same_words(tmp_path: Path) -> None:
    built = build(judged_run(tmp_path), reporters=tuple(catalog.formats().values()))
    assert not built.failures
    page = _Text()
    page.feed((tmp_path / "index.html").read_text("utf-8"))
    sheet = openpyxl.load_workbook(tmp_path / "models.xlsx")["What changed"]
    blocks = json.loads((tmp_path / "webhook.json").read_text("utf-8"))["blocks"]
    terminal = io.StringIO()
    print_summary(built, Console(file=terminal, width=500))
    documents = {
        "page": " ".join(page.said),
        "sheet": " ".join(str(c.value) for row in sheet for c in row if c.value is not None),
        "terminal": terminal.getvalue(),
        "summary": (tmp_path / "summary.md").read_text("utf-8"),
        "comment": (tmp_path / "comment.md").read_text("utf-8"),
    }
    for name, text in documents.items():
        said = " ".join(text.split())
        assert [words for words in ANYWHERE if words not in said] == [], name
    message = " ".join(block["text"]["text"] for block in blocks)  # a message names what to fix
    assert [words for words in ANYWHERE if words not in message and "further" not in words] == []
