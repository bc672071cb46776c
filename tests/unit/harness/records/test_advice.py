# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How a run was started is kept with it, and says how to start a command on it."""

from pathlib import Path

import pytest

from bringup.harness.options.option import Source
from bringup.harness.records.advice import THROUGH_NOX, Advice, advice_here, read_advice
from bringup.harness.records.door import Door
from bringup.harness.records.naming import identity_of, run_again
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.recorded_options import advice_of

ODD = Advice(Door.CLI, ("--tests", "../their <models> $(x)", "--lists", "-l"))
TEST = "t/test_a.py::test_a[full-eval]"


def test_it_is_read_as_it_was_kept() -> None:
    assert read_advice(ODD.text) == ODD and read_advice(THROUGH_NOX.text) == THROUGH_NOX


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", THROUGH_NOX),
        ("rm -rf /", THROUGH_NOX),
        ("bringup --tests", THROUGH_NOX),
        ("bringup 'x", THROUGH_NOX),
        ("bringup --trust x --tests a", Advice(Door.CLI, ("--tests", "a"))),
    ],
)
def test_of_what_anybody_wrote_only_the_form_is_kept(text: str, advice: Advice) -> None:
    assert read_advice(text) == advice


def test_a_command_is_a_shells_words_whatever_they_hold() -> None:
    line = run_again(f"{TEST[:-1]}-cpu]", identity_of(TEST, "cpu"), TEST, ODD)
    assert line == (
        "bringup run 't/test_a.py::test_a[full-eval]' --device cpu "
        "--tests '../their <models> $(x)' --lists -l"
    )
    assert ODD.command("op_by_op") == "bringup op-by-op"


def test_it_has_what_was_given_and_holds_nowhere_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"tests": Source.COMMAND_LINE, "lists": Source.PROJECT}
    options = RunOptions(tests="a b", lists=Path("l"), sources=given)
    assert advice_of(options) == Advice(Door.CLI, ("--tests", "a b"))
    options = RunOptions(tests="tests/models", lists=Path("l"), sources={"lists": Source.PLAN})
    assert advice_of(options).text == "bringup --lists l"
    monkeypatch.setenv("BRINGUP_STARTED_BY", ODD.text)
    assert advice_here() == ODD
