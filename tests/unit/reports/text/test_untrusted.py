# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Text from a record is never believed."""

import shlex

import pytest

from bringup.harness.records.schema import Identity
from bringup.reports.text.untrusted import clean, command_to_repeat, first_line, link_spans

N150 = Identity("x", device="n150")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x00b\x07c", "abc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a window title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays\nline stays", "tab\tstays\nline stays"),
        ("c1 \x9b31m controls \x85", "c1 31m controls "),
        ("\ud800 lone surrogate \uffff", " lone surrogate "),
        ("שלום stays", "שלום stays"),
        ("emoji 👩\u200d🔬 stays", "emoji 👩\u200d🔬 stays"),
    ],
)
def test_what_no_format_can_carry_is_taken_away(given: str, kept: str) -> None:
    assert clean(given) == kept


def test_a_mark_that_reorders_text_is_named() -> None:
    assert clean("rm \u202efdp.exe") == "rm ⟨U+202E⟩fdp.exe"


def test_an_escape_sequence_cut_in_the_middle_leaves_nothing_that_acts() -> None:
    assert "\x1b" not in clean("\x1b[3") + clean("\x1b]0;never ends") + clean("\x1b")


def test_cleaning_does_not_make_a_sequence_out_of_the_pieces() -> None:
    assert "\x1b" not in clean("\x1b\x1b[31m[31m")


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n  \n\x1b[31merror: no\x1b[0m\nsecond") == "error: no"
    assert first_line("\x00\n") == ""


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "vbscript:x",
        "https://",
        "http://[broken",
        "//example.com/x",
    ],
)
def test_only_whole_web_addresses_become_links(text: str) -> None:
    assert all(not address for _, address in link_spans(text))


def test_a_link_ends_before_punctuation_and_markup() -> None:
    spans = link_spans('see (https://example.com/issues/1), "https://example.com/2"<b>')
    assert [address for _, address in spans if address] == [
        "https://example.com/issues/1",
        "https://example.com/2",
    ]
    assert "".join(words for words, _ in spans).endswith('"<b>')


def test_a_command_is_one_line_of_words_whatever_the_id_holds() -> None:
    nodeid = "tests/x.py::test_x[$(rm -rf ~)`id`'\"; reboot-n150]"
    command = command_to_repeat(nodeid, N150, {"GOOD": "a b; c", "BAD;NAME": "x"})
    assert shlex.split(command) == [
        "GOOD=a b; c",
        "nox",
        "-s",
        "run",
        "--",
        "tests/x.py::test_x[$(rm -rf ~)`id`'\"; reboot]",
        "--device",
        "n150",
    ]


@pytest.mark.parametrize(("nodeid", "device"), [("", "cpu"), ("-p evil", "cpu"), ("a", "--x")])
def test_no_command_for_what_pytest_would_take_as_an_option(nodeid: str, device: str) -> None:
    assert command_to_repeat(nodeid, Identity("x", device=device), {}) == ""


def test_a_rehearsal_is_repeated_at_its_size() -> None:
    tiny = Identity("x", "tiny", device="cpu")
    command = command_to_repeat("a.py::test_x[full-eval-tiny-cpu]", tiny, {})
    assert command == "nox -s run -- 'a.py::test_x[full-eval]' --device cpu --size tiny"
