# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A declared option: its parser, its help, its variable, where its value came from."""

from dataclasses import dataclass
from typing import Any

import pytest

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import Command, parser_of, read
from bringup.harness.options.exit_codes import MEANINGS, ExitCode
from bringup.harness.options.option import Source, Takes, declared, option


@dataclass(frozen=True)
class Options:
    places: tuple[str, ...] = option((), "PLACE", "where", metavar="PLACE")
    names: tuple[str, ...] = option((), "--name", "who", verbs=["one"])
    share: str = option(
        "", "--recheck", "how much, 100% at most", variable="BRINGUP_RECHECK", excludes="none"
    )
    none: bool = option(False, "--no-cache", "nothing", variable="BRINGUP_NO_CACHE")
    kind: str = option("a", "--kind", "which kind", choices=("a", "bee"))
    again: str | None = option(None, "--again", "once more", takes=Takes.MAYBE)


ONE = Command("one", "nox -s one --", "Does one thing.", (("--kind bee", "the other kind"),))
OTHER = Command("other", "nox -s other --", "Does another.", (("", "as it is"),), "Mind the gap.")


def of(*words: str, **variables: str) -> tuple[dict[str, Any], dict[str, Source]]:
    found = read(ONE, Options, words, variables)
    return found.values, found.sources


def test_words_that_are_not_given_leave_no_value_behind() -> None:
    assert of() == ({}, {})
    assert Options(**of()[0]) == Options()


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("x", "--name", "a", "y", "--name", "b"), {"places": ("x", "y"), "names": ("a", "b")}),
        (("--no-cache", "--kind=bee"), {"none": True, "kind": "bee"}),
        (("--again",), {"again": ""}),
        (("--again", "x"), {"again": "x"}),
    ],
)
def test_words_may_stand_in_any_order(words: tuple[str, ...], values: dict[str, Any]) -> None:
    assert of(*words) == (values, dict.fromkeys(values, Source.COMMAND_LINE))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--nam", "x"), "`one` takes no `--nam`; did you mean --name?"),
        (("--kind", "be"), "--kind: invalid choice: 'be'; there are a, bee"),
        (("--kind",), "--kind: expected one argument"),
        (("--recheck", "2%", "--no-cache"), "--recheck and --no-cache exclude each other"),
        (("--no-cache=x",), "--no-cache"),
    ],
)
def test_what_is_no_option_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        of(*words)
    assert "\n" not in str(refused.value)


def test_only_the_commands_that_are_named_take_an_option() -> None:
    assert "names" in declared(Options, "one") and "names" not in declared(Options, "other")
    with pytest.raises(UsageError, match="`other` takes no `--name`"):
        read(OTHER, Options, ["--name", "x"], {})


def test_the_command_line_goes_before_the_environment() -> None:
    assert of(BRINGUP_RECHECK="5%") == ({"share": "5%"}, {"share": Source.ENVIRONMENT})
    assert of("--recheck", "1%", BRINGUP_RECHECK="5%")[0] == {"share": "1%"}
    assert of(BRINGUP_RECHECK="  ") == ({}, {})
    assert of(BRINGUP_NO_CACHE="false")[0] == {"none": False}


def test_of_two_that_exclude_each_other_the_stronger_counts() -> None:
    assert of("--recheck", "1%", BRINGUP_NO_CACHE="1")[0] == {"share": "1%"}
    assert of("--no-cache", BRINGUP_RECHECK="1%")[0] == {"none": True}
    assert of("--recheck", "1%", BRINGUP_NO_CACHE="0")[0] == {"share": "1%", "none": False}
    with pytest.raises(UsageError, match="BRINGUP_RECHECK and BRINGUP_NO_CACHE exclude"):
        of(BRINGUP_RECHECK="1%", BRINGUP_NO_CACHE="yes")


def test_help_has_what_was_declared_and_the_commands_own_end() -> None:
    said = parser_of(ONE, Options).format_help()
    for words in ("--name", "who", "100% at most", "or BRINGUP_RECHECK", "default: a", "a|bee"):
        assert words in said
    assert "nox -s one -- --kind bee   the other kind" in said and "Mind the gap" not in said
    said = parser_of(OTHER, Options).format_help()
    assert "Mind the gap." in said and "--name" not in said
    assert "  nox -s other   as it is\n" in said


def test_every_exit_code_has_one_meaning_and_help_says_them_all() -> None:
    assert set(MEANINGS) == set(ExitCode)
    said = parser_of(ONE, Options).format_help()
    assert all(f"\n  {code:d} " in said for code in ExitCode)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("BERT", "bert"), ("brt", "bert"), ("Albrt", "albert"), ("xyzzy", ""), ("", "")],
)
def test_a_near_word_is_named_whatever_its_capitals(word: str, meant: str) -> None:
    assert hint(word, ["albert", "bert", "T5"]) == (f"; did you mean {meant}?" if meant else "")
