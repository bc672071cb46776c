# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The life of a cause over nights, in files, and what a platform is told of it."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from bringup.harness.records.night import (
    NIGHT_SCHEMA,
    Cluster,
    Judgement,
    NightVerdict,
    TestVerdict,
)
from bringup.harness.records.schema import Outcome
from bringup.pipeline.errors import ListError
from bringup.pipeline.results.incident_texts import LIMIT, body, marker, title, write_texts
from bringup.pipeline.results.incidents import (
    Incident,
    State,
    advance,
    issues_of_tests,
    read_incidents,
    with_issue,
    write_incidents,
)
from tests.unit import run_builder as made

T5, VIT = "t5[full-eval]@n150", "vit[full-eval]@n150"
DAY = 86_400.0
ISSUE = "https://example.com/issues/7"
MARK = "1|compile|stablehlo.fft|no legal lowering"


def night(
    day: int,
    tests: Iterable[str] = (T5,),
    judgement: Judgement = Judgement.KNOWN,
    mark: str = MARK,
    cause: str = "0ca5",
    **fields: object,
) -> NightVerdict:
    """A night in which some tests have one cause; of a list that gates."""
    values: dict[str, object] = {"gating": True, "list_name": "l", "outcome": Outcome.FAILED}
    values |= fields
    verdicts = tuple(
        TestVerdict(test=t, device="n150", judgement=judgement, **values)  # type: ignore[arg-type]
        for t in tests
    )
    cluster = Cluster(
        id=cause,
        name="no FFT",
        tests=tuple(tests),
        fingerprints=(mark,),
        example="failed to legalize 'stablehlo.fft'",
        command="nox -s run -- x",
    )
    return NightVerdict(
        schema=NIGHT_SCHEMA,
        run=f"n{day}",
        at=made.STARTED + day * DAY,
        tests=verdicts,
        clusters=(cluster,) if verdicts else (),
    )


def after(*nights: NightVerdict, good: Iterable[str] = ()) -> list[Incident]:
    found: list[Incident] = []
    for one in nights:
        found = advance(found, one, () if one.tests else set(good))
    return found


def test_a_cause_that_stays_is_reminded_of_escalated_and_proposed_to_be_disabled() -> None:
    states = [after(*map(night, range(day + 1)))[0].state for day in range(12)]
    assert states == [
        *[State.OPENED] * 3,
        *[State.REMINDED] * 4,
        *[State.ESCALATED] * 3,
        *[State.DISABLE] * 2,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"judgement": Judgement.DEVICE},
        {"judgement": Judgement.FLAKE},
        {"judgement": Judgement.SUSPECTED},
        {"judgement": Judgement.NEW},
        {"gating": False},
        {"tests": ("t5[op_by_op_torch-eval]@n150",)},
        {"cause": "../../t5"},
    ],
)
def test_what_is_no_broken_promise_opens_nothing(fields: dict[str, object]) -> None:
    assert after(night(0, **fields)) == []  # type: ignore[arg-type]


def test_a_failure_that_its_entry_expects_opens_nothing() -> None:
    assert advance([], night(0), (), expected={T5}) == []
    assert advance([], night(0, (T5, VIT)), (), expected={T5})[0].tests == (T5, VIT)


def test_nobody_is_reminded_of_what_the_lists_expect_by_now() -> None:
    found = after(night(0))
    assert advance(found, night(4), (), expected={T5, VIT})[0].state is State.OPENED
    [both] = advance(found, night(4, (T5, VIT)), (), expected={T5})
    assert both.state is State.REMINDED and both.tests == (T5, VIT)


def test_incorrect_tests_open_one_whatever_their_list_gates() -> None:
    [one] = after(night(0, outcome=Outcome.INCORRECT, gating=False))
    assert one.state is State.OPENED
    confirmed = night(0, judgement=Judgement.REGRESSION, settled=True)
    assert len(after(confirmed)) == 1, "a confirmation is as good as a second night"


def test_it_is_closed_by_all_of_its_tests_and_opens_again_as_the_same() -> None:
    open_one = night(0, (T5, VIT))
    assert after(open_one, night(1, ()), good=[T5, VIT])[0].state is State.OPENED
    half = after(open_one, night(1, ()), night(2, ()), good=[T5])
    assert half[0].state is State.OPENED, "of the other nobody knows"
    closed = after(open_one, night(1, ()), night(2, ()), good=[T5, VIT])
    assert closed[0].state is State.CLOSED
    [again] = advance(with_issue(closed, "0ca5", ISSUE), night(9), ())
    assert (again.state, again.issue, again.run) == (State.OPENED, ISSUE, "n9")


def test_a_cause_is_known_by_its_fingerprint_whatever_it_is_called() -> None:
    [one] = after(night(0), night(1, cause="other"))
    assert one.cause == "0ca5" and one.run == "n0"
    assert len(after(night(0), night(1, cause="other", mark="1|compile||else"))) == 2


def test_a_replay_gives_the_same_files_and_a_night_twice_changes_nothing(tmp_path: Path) -> None:
    nights = [night(day) for day in range(5)]
    found: list[Incident] = []
    for one in [*nights, nights[2], nights[4]]:
        write_incidents(tmp_path, advance(read_incidents(tmp_path), one, ()))
        found = read_incidents(tmp_path)
    assert found == after(*nights)
    assert write_incidents(tmp_path, found) == []


def test_the_number_is_written_back_once(tmp_path: Path) -> None:
    write_incidents(tmp_path, with_issue(after(night(0)), "0ca5", ISSUE))
    assert issues_of_tests(tmp_path) == {T5: ISSUE}
    for cause, issue, why in (
        ("0ca6", ISSUE, "no incident '0ca6'; did you mean 0ca5"),
        ("0ca5", f"{ISSUE}7", "is tracked in https://example.com/issues/7 already"),
    ):
        with pytest.raises(ListError, match=why):
            with_issue(read_incidents(tmp_path), cause, issue)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"opened"', '"open"', "Invalid enum value 'open' - at `$.state`"),
        ("clear = 0", "cleer = 0", "cleer"),
        ('cause = "0ca5"', 'cause = "x"', "cause = 'x' is not the name of its file"),
        ("00Z", "00", "a date without a time zone"),
        ("clear = 0", "clear =", "not TOML"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    [path] = write_incidents(tmp_path, after(night(0)))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ListError) as raised:
        read_incidents(tmp_path)
    assert sentence in str(raised.value) and "0ca5.toml" in str(raised.value)


# --- texts ----------------------------------------------------------------------------------


def test_a_new_issue_is_looked_for_before_it_is_made(tmp_path: Path) -> None:
    """The commands are run as they are, with a tool in place of GitHub's."""
    found = after(night(0))
    write_texts(tmp_path, [], found, night(0), {T5: "# `t5` on `n150`: wrong\n"})
    text = (tmp_path / "issues/0ca5.md").read_text()
    assert marker(found[0]) in text and "failed to legalize" in text and "`t5` on" in text
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "log"
    for name in ("gh", "nox"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {log}\n')
        (tools / name).chmod(0o755)
    script = tmp_path / "issues/commands.sh"
    subprocess.run(["sh", str(script)], check=True, env={"PATH": f"{tools}:/usr/bin:/bin"})
    looked, created, written_back = log.read_text().splitlines()
    assert f"{marker(found[0])} in:body" in looked
    assert created.startswith("gh issue create --title no FFT (1 test) --body-file")
    assert written_back == "nox -s issues -- --opened 0ca5="


def test_a_change_of_state_is_a_comment_and_only_then(tmp_path: Path) -> None:
    before = with_issue(after(night(0)), "0ca5", ISSUE)
    assert write_texts(tmp_path, before, advance(before, night(1), ()), night(1), {}) == []
    reminded = advance(before, night(3), ())
    write_texts(tmp_path, before, reminded, night(3), {})
    assert "3 days after it was opened" in (tmp_path / "issues/0ca5.comment.md").read_text()
    closed = advance(advance(reminded, night(4, ()), {T5}), night(5, ()), {T5})
    write_texts(tmp_path, reminded, closed, night(5, ()), {})
    assert f"gh issue close {ISSUE}" in (tmp_path / "issues/commands.sh").read_text()


def test_whatever_a_compiler_says_makes_a_short_text_that_mentions_nobody() -> None:
    tests = [f"m{i}[full-eval]@n150" for i in range(5000)]
    [one] = after(night(0, tests))
    huge = Cluster(id="0ca5", name="@all `x`", example="@team ```" * 9000, command="x")
    text = body(one, huge, "evidence " * 9000)
    assert len(text.encode()) < LIMIT and marker(one) in text
    assert "and 4950 more." in text and "5000 tests" in title(one)
