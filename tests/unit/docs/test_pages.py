# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the documents say is there: every command, option, page, link, path and generated part."""

import importlib.util
import re
from pathlib import Path

import pytest

from docs.site.commands import CommandError, command_in, parse, parser_of, sessions
from docs.site.pages import GENERATED, expand
from tests.documents import ROOT, Page, pages, site

TOOLS = {
    *("tests", "slow_tests", "lint", "docs", "bench"),
    *("open_pull_request", "open_issues", "tell_pull_request"),
}
"""Sessions whose options are another program's, or that take a run and nothing else."""
PYTEST_OPTIONS = {
    *("--device", "--size", "--models", "--op_by_op_torch", "--op_by_op_stablehlo", "--crashsafe"),
    *("--splits", "--log-memory"),
}
NOT_OURS = {"$", "zstd", ".nox/bringup/bin/pytest", ".nox/bringup/bin/pip"}
OUR_PATH = re.compile(r"(?<![\w./])(?:harness|pipeline|reports|tests|docs|\.github)/[\w./-]*\w")
EVERY = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.path))


def shell_lines(page: Page) -> list[tuple[str, str]]:
    """(place, line) of every command in a page's blocks."""
    found = []
    for block in page.blocks:
        if block.language in ("console", "sh"):
            for number, line in enumerate(block.lines, start=block.line):
                assert (block.language == "console") == line.startswith("$ "), (
                    f"{page.path}:{number}: in a console block a line is `$ COMMAND`, else sh"
                )
                found.append((f"{page.path}:{number}", line.removeprefix("$ ")))
    return found


@EVERY
def test_every_command_in_a_block_would_be_taken(page: Page) -> None:
    for place, line in shell_lines(page):
        command = command_in(line)
        words = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
        if command is not None:
            try:
                parse(command)
            except CommandError as error:
                pytest.fail(f"{place}: {error}")
        elif words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]), f"{place}: there is no module {words[2]}"
        else:
            assert words[0] in NOT_OURS, f"{place}: nobody knows whether `{line}` works"


@EVERY
def test_every_command_in_a_sentence_would_be_taken(page: Page) -> None:
    for code in page.codes:
        command = command_in(
            code.replace("[", "(").replace("...", "x") if "(" not in code else code
        )
        if command is not None:
            try:
                parse(command)
            except CommandError as error:
                pytest.fail(f"{page.path}: `{code}`: {error}")


def test_commands_are_seen_at_all() -> None:
    shown = [line for page in pages() for _, line in shell_lines(page)]
    named = [code for page in pages() for code in page.codes if "nox -s" in code]
    assert len(shown) > 25 and len(named) > 15
    assert len([line for line in shown if command_in(line)]) > 20


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nox -s nigthly", "no session nigthly"),
        ("nox -s lint test", "no session test"),
        ("nox -s nightly -- --devise cpu", "takes no --devise"),
        ("nox -s plan -- --shards none", "`none` is no number"),
        ("A=1 .venv/bin/nox -s repro -- KEY --trsut", "takes no --trsut"),
        ("cd x && nox -s report -- --ir most", "refuses --ir most"),
        ("nox -s devices -- --forget", "--forget"),
        ("nox -s run -- 'x", "No closing quotation"),
    ],
)
def test_a_command_that_would_be_refused_is_seen(line: str, why: str) -> None:
    with pytest.raises(CommandError, match=re.escape(why)):
        parse(command_in(line) or pytest.fail(line))


def test_every_session_has_options_of_ours_or_is_a_tool() -> None:
    assert {name for name in sessions() if parser_of(name) is None} == TOOLS


@EVERY
def test_every_option_in_a_sentence_is_somebodys(page: Page) -> None:
    known = {"--help", *PYTEST_OPTIONS}
    for name in sessions():
        parser = parser_of(name)
        known |= {o for a in parser._actions for o in a.option_strings} if parser else set()
    named = {code.split()[0].partition("=")[0] for code in page.codes if code.startswith("--")}
    assert named - {"--"} <= known, f"{page.path}: {named - known}"


@EVERY
def test_every_path_of_ours_is_there(page: Page) -> None:
    for code in page.codes:
        for path in OUR_PATH.findall(code):
            there = (ROOT / path).exists() or (ROOT / f"{path}.py").exists()  # a room may be a file
            assert there or "NAME" in path, f"{page.path}: {path}"


@EVERY
def test_every_link_leads_somewhere(page: Page) -> None:
    for target in page.links:
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / page.path.parent / path) if path else ROOT / page.path
        assert there.resolve().is_relative_to(ROOT) and there.exists(), f"{page.path}: {target}"
        if anchor:
            anchors = Page(there.resolve().relative_to(ROOT)).anchors
            assert anchor in anchors, f"{page.path}: {target}"


def test_every_page_is_in_the_table_of_contents_once() -> None:
    listed = [
        (page.path.parent / entry).as_posix() + ".md" for page in site() for entry in page.toctree
    ]
    assert sorted([*listed, "docs/index.md"]) == sorted(page.path.as_posix() for page in site())


def test_all_that_pages_ask_for_is_generated_and_all_that_is_generated_is_shown() -> None:
    asked = [mark for page in site() for mark in page.marks]
    assert sorted(asked) == sorted(GENERATED)
    with pytest.raises(KeyError, match="nonsense"):
        expand("<!-- generated: nonsense -->")
    assert all(Page(page.path).text.count("generated:") == len(page.marks) for page in site())


def test_the_glossary_has_the_words_of_the_field_in_order() -> None:
    terms = re.findall(r"^(\w[\w -]*)$", Path(ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    assert terms == sorted(terms, key=str.lower) and len(set(terms)) == len(terms)
    assert {
        *("fleet", "device", "runner", "shard", "lease", "stage", "golden", "PCC", "op", "list"),
        *("promotion", "quarantine", "outcome", "artifact", "reference", "record", "verdict"),
    } <= set(terms)
