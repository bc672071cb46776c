# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an entry of a list may say, how it is edited, and the sentence for each that is wrong."""

from pathlib import Path

import pytest

from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Expect, Expectation, Stage
from bringup.pipeline.errors import ListError
from bringup.pipeline.lists.list_file import parse
from bringup.pipeline.lists.lists import apply, diff, problems, read_lists
from bringup.pipeline.lists.specs import NIGHTLY_FULL, NIGHTLY_OP_BY_OP, SHIPPED

BERT = "tests/models/bert/test_bert.py::test_bert[full-eval]"
T5 = "tests/models/t5/test_t5.py::test_t5[full-eval]"
VIT = "tests/models/vit/test_vit.py::test_vit[full-eval]"
ISSUE = "https://example.com/issues/7"
MARK = '1|compile|ttir.fft|no "legal" lowering, } of \\\\ it'
TEXT = f"""\
# people's own words
[cpu]
tests = [
  "{BERT}",  # plain
  {{ test = "{T5}", expect = "xfail", stage = 'compile', fingerprint = '1|compile||a, b}} # c', \
reason = "no fft yet" }},  # noted
  {{test="{VIT}",expect="skip",reason="kills the card",issue="{ISSUE}"}}
]
"""


def lists_in(folder: Path, text: str) -> Path:
    for spec in SHIPPED:
        (folder / spec.file_name).write_text(text if spec is NIGHTLY_FULL else "")
    return folder


def test_an_entry_is_an_id_or_says_more(tmp_path: Path) -> None:
    entries = read_lists(lists_in(tmp_path, TEXT)).entries
    assert [(e.test, e.line) for e in entries] == [(BERT, 4), (T5, 5), (VIT, 6)]
    assert entries[0].expectation is None
    assert entries[1].expectation == Expectation(
        expect=Expect.XFAIL,
        stage=Stage.COMPILE,
        fingerprint="1|compile||a, b} # c",
        reason="no fft yet",
    )
    assert entries[2].expectation is not None
    assert entries[2].expectation.why == f"kills the card ({ISSUE})"
    assert parse(TEXT, "a list").render() == TEXT


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('{ tset = "X" }', "nightly_full_model_execute.toml:3: [cpu] tests[1] names no test; did"),
        ("{ test = 7 }", "toml:3: [cpu] tests[1].test is 7, not a pytest id"),
        ('{ test = "X", expct = "skip" }', "there is no field `expct`; did you mean expect?"),
        ('{ test = "X", expect = "xfial" }', "expect = 'xfial': it is one of pass, xfail, skip"),
        ('{ test = "X", expect = "xfial" }', "; did you mean xfail?"),
        ('{ test = "X", expect = true }', "expect = True: it is a text"),
        ('{ test = "X", reason = " " }', "reason = ' ': it is one line of text"),
        ('{ test = "X", expect = "skip", reason = "r" }', 'expect = "skip" needs `issue`'),
        ('{ test = "X", expect = "exclude" }', 'expect = "exclude" needs `reason`'),
        ('{ test = "X", expect = "xfail", reason = "r" }', 'expect = "xfail" needs `stage`'),
        (
            '{ test = "X", expect = "xfail", stage = "compile", reason = "r" }',
            'expect = "xfail" needs `fingerprint`; `nox -s explain -- TEST` prints it',
        ),
        (
            '{ test = "X", expect = "xfail", stage = "compile", fingerprint = "no lowering" }',
            "fingerprint = 'no lowering': it is VERSION|stage|op|text",
        ),
        (
            '{ test = "X", expect = "xfail", stage = "execute", fingerprint = "1|compile||a", '
            'reason = "r" }',
            "stage = 'execute', and the fingerprint says 'compile'",
        ),
        ('{ test = "X", stage = "compil" }', "stage = 'compil': it is one of load, golden,"),
        ('{ test = "X", stage = "compile" }', '`stage` goes with expect = "xfail", and it says'),
        ('{ test = "X", disabled = "pcc" }', "`disabled` needs `issue`, the address of"),
        ('{ test = "X", disabled = "pcc, atoll" }', "there is no check `atoll`; checks are"),
        ('{ test = "X", issue = "#7" }', "issue = '#7': it is an address, https://..."),
        ('{ test = "X", tests = ["Y"] }', "tests = "),
    ],
)
def test_a_bad_entry_is_one_sentence(tmp_path: Path, entry: str, sentence: str) -> None:
    lists_in(tmp_path, f'[cpu]\ntests = ["{T5}",\n{entry}]\n')
    if "tests = " in sentence:
        sentence = "there is no field `tests`"
    with pytest.raises(ListError) as raised:
        read_lists(tmp_path)
    assert sentence in str(raised.value) and "toml:3: [cpu] tests[1]" in str(raised.value)
    assert "\n" not in str(raised.value)


def add(test: str, expectation: Expectation | None = None) -> Move:
    return Move(test, "cpu", "add", NIGHTLY_FULL.name, "it is so", expectation=expectation)


def test_an_edit_adds_changes_and_takes_back_what_is_expected(tmp_path: Path) -> None:
    lists_in(tmp_path, TEXT)
    path = tmp_path / NIGHTLY_FULL.file_name
    off = Expectation(disabled="pcc", issue=ISSUE)
    xfail = Expectation(
        expect=Expect.XFAIL, stage=Stage.COMPILE, fingerprint=MARK, reason="it's so"
    )
    moves = [add(BERT, off), add(T5, xfail), add(VIT, Expectation())]
    shown = diff(tmp_path, moves)
    assert apply(tmp_path, moves) == [path]
    assert f'  {{ test = "{BERT}", disabled = "pcc", issue = "{ISSUE}" }},  # plain\n' in (
        path.read_text()
    )
    assert shown.count("\n-  ") == 3 and shown.count("\n+  ") == 3, "and nothing else"
    said = {e.test: e.expectation for e in read_lists(tmp_path).entries}
    assert said == {BERT: off, T5: xfail, VIT: None}
    assert apply(tmp_path, moves) == [], "applying twice is applying once"


def test_an_add_that_says_nothing_leaves_what_is_said(tmp_path: Path) -> None:
    lists_in(tmp_path, TEXT)
    assert apply(tmp_path, [add(T5), add(BERT)]) == []


def test_what_no_list_could_hold_is_not_written(tmp_path: Path) -> None:
    lists_in(tmp_path, TEXT)
    with pytest.raises(ListError, match="needs `issue`"):
        apply(tmp_path, [add(BERT, Expectation(disabled="pcc"))])
    assert (tmp_path / NIGHTLY_FULL.file_name).read_text() == TEXT


def test_an_entry_that_goes_elsewhere_takes_its_note_and_not_what_was_expected(
    tmp_path: Path,
) -> None:
    lists_in(tmp_path, TEXT)
    name, other = NIGHTLY_FULL.name, "nightly_e2e_compile"
    apply(tmp_path, [Move(T5, "cpu", "remove", name, ""), Move(T5, "cpu", "add", other, "")])
    assert (tmp_path / f"{other}.toml").read_text() == (
        f'[cpu]\ntests = [\n  "{T5}",  # noted\n]\n'
    )


def test_op_by_op_nothing_is_expected_to_fail(tmp_path: Path) -> None:
    test = T5.replace("full", "op_by_op_torch")
    lists_in(tmp_path, "")
    (tmp_path / NIGHTLY_OP_BY_OP.file_name).write_text(
        f'[cpu]\ntests = [{{ test = "{test}", expect = "xfail", stage = "compile", '
        'fingerprint = "1|compile||a", reason = "r" }]\n'
    )
    [said] = problems(read_lists(tmp_path), [test], ["cpu"])
    assert "no xfail goes here" in said
