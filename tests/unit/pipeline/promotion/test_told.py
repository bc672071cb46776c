# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ten lines on a test that somebody understands who has never seen a list."""

import pytest

from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.moves import Evidence
from bringup.harness.records.night import Cluster, Judgement, Moment, TestVerdict
from bringup.harness.records.values import Outcome, Stage
from bringup.pipeline.promotion.account import Account, Way
from bringup.pipeline.promotion.ladder import LISTS, Standing
from bringup.pipeline.promotion.told import told

KEY = "bert[full-eval]@n150"
ISSUE = "https://example.com/issues/7"
DAY = 86_400.0
NOW = Moment("nightly-20", 1_795_317_120.0)


def account(standing: Standing, *ways: Way, blocked: tuple[str, ...] = ()) -> Account:
    return Account(
        test=KEY,
        device="n150",
        standing=standing,
        lists=tuple(spec.name for spec in LISTS.get(standing, ())),
        since=NOW.at - 9.5 * DAY,
        seen="correct in the newest run that counts (nightly-20)",
        ways=ways,
        blocked=blocked,
        owner="@ada",
    )


DOWN = Way(Standing.OP_BY_OP, Evidence(), "3 more bad attempts one after another")
UP = Way(Standing.FULL, Evidence(), "7 more good attempts one after another")


def line(lines: list[str], word: str) -> str:
    return next(text.removeprefix(word).strip() for text in lines if text.startswith(word))


@pytest.mark.parametrize("standing", list(Standing))
def test_ten_lines_wherever_a_test_stands(standing: Standing) -> None:
    lines = told(account(standing, UP, DOWN), NOW)
    assert len(lines) == 10 and all(text.strip() and "\n" not in text for text in lines)
    assert line(lines, "since") == "2026-11-12, 9 days ago"
    assert line(lines, "blocked by") == "nothing"


def test_ways_are_told_by_where_they_lead() -> None:
    lines = told(account(Standing.QUARANTINE, UP, DOWN), NOW)
    assert line(lines, "up") == "to full: 7 more good attempts one after another"
    assert line(lines, "down") == "to op by op: 3 more bad attempts one after another"
    assert line(told(account(Standing.FULL, DOWN), NOW), "up") == "it is at the top"


def test_a_failure_has_its_cause_its_issue_and_somebody_to_ask() -> None:
    verdict = TestVerdict(
        test=KEY,
        device="n150",
        judgement=Judgement.KNOWN,
        outcome=Outcome.FAILED,
        stage=Stage.COMPILE,
    )
    cluster = Cluster(id="c", name="no fft", tests=(KEY, "t5", "vit"))
    pinned = account(Standing.OP_BY_OP, UP, blocked=("it is pinned by 'bert*' in the policy",))
    lines = told(pinned, NOW, verdict, cluster)
    assert line(lines, "last night") == "known: FAILED in compile, 2026-11-22 (nightly-20)"
    assert line(lines, "whose") == "@ada; cause: no fft, shared with 2 more; no issue yet"
    assert line(lines, "blocked by") == "it is pinned by 'bert*' in the policy"
    assert line(told(pinned, NOW, verdict, cluster, issue=ISSUE), "whose").endswith(ISSUE)


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (None, "what its list promises"),
        (Expectation(disabled="pcc", issue=ISSUE), f"its list's promise, without pcc: {ISSUE}"),
        (
            Expectation(expect=Expect.XFAIL, stage=Stage.COMPILE, reason="no fft yet"),
            "to fail in compile: no fft yet",
        ),
        (
            Expectation(expect=Expect.SKIP, reason="kills the card", issue=ISSUE),
            f"not to be run: kills the card ({ISSUE})",
        ),
    ],
)
def test_what_is_expected_is_said_with_its_reason(
    expectation: Expectation | None, words: str
) -> None:
    assert line(told(account(Standing.FULL), NOW, expectation=expectation), "expected") == words
