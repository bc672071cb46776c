# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run that is taken up again after the clock went back: attempts are counted, not timed."""

import time
from itertools import permutations
from pathlib import Path

import pytest

from bringup.harness.deadline import LONGEST_WAIT_S, Timer
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.fold import fold
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import (
    AnyEvent,
    Failure,
    OpEnded,
    OpStarted,
    Outcome,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.harness.session import begin, current
from bringup.pipeline.results.merge import finish
from bringup.pipeline.running.ledger import Ledger
from tests.unit.run_builder import PROVENANCE, identity, nodeid, op_result, plan_of

NET = identity("net", "cpu")
LATE, EARLY = 2e9, 1e9
"""Seconds since the epoch: the first attempt ran while the clock was wrong."""
KILLED = Failure(None, "KILLED", "the run was killed")


def started(at: float, attempt: int) -> TestStarted:
    return TestStarted(time=at, identity=NET, nodeid=nodeid(NET), pid=1, attempt=attempt)


def stopped(at: float, attempt: int, outcome: Outcome = Outcome.KILLED) -> TestStopped:
    return TestStopped(time=at, key=NET.key, outcome=outcome, failure=KILLED, attempt=attempt)


def journals(run_dir: Path, *parts: tuple[int, list[AnyEvent]]) -> None:
    for attempt, events in parts:
        journal = JournalWriter(run_dir, "r", PROVENANCE, attempt)
        for event in events:
            journal.append(event, sync=False)
        journal.close()


FIRST: list[AnyEvent] = [started(LATE, 1)]
WORD: list[AnyEvent] = [stopped(LATE + 5, 1)]
SECOND: list[AnyEvent] = [
    started(EARLY, 2),
    TestEnded(time=EARLY + 1, key=NET.key, outcome=Outcome.PASSED),
]


def test_what_the_first_attempt_left_is_run_again(tmp_path: Path) -> None:
    test = plan_of([NET]).tests[0]
    journals(tmp_path, (1, FIRST), (1, WORD))
    ledger = Ledger(tmp_path, [test], attempt=2)
    ledger.read()
    assert ledger.waiting == [test], "the words of the first attempt lie in the future"
    journals(tmp_path, (2, SECOND))
    assert ledger.read() == [NET.key] and ledger.outcomes == {NET.key: Outcome.PASSED}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_attempt_has_the_word(order: tuple[int, ...]) -> None:
    parts = [FIRST, WORD, SECOND]
    tries = fold((event, f"j{i}") for i in order for event in parts[i])
    assert [(r.attempt, r.outcome) for r in tries] == [(1, Outcome.KILLED), (2, Outcome.PASSED)]
    assert [r.outcome for r in latest(tries)] == [Outcome.PASSED]


def test_a_merged_run_has_the_new_word_too(tmp_path: Path) -> None:
    journals(tmp_path, (1, FIRST), (1, WORD), (2, SECOND))
    finish(tmp_path)
    assert [r.outcome for r in load_journals(tmp_path)[0]] == [Outcome.KILLED, Outcome.PASSED]


def test_of_what_never_started_again_the_newest_word_counts() -> None:
    words = [*FIRST, *WORD, stopped(EARLY, 2, Outcome.NOT_RUN)]
    assert [r.outcome for r in latest(fold((e, "j") for e in words))] == [Outcome.NOT_RUN]
    settled: list[AnyEvent] = [stopped(LATE, 1, Outcome.NOT_RUN), *SECOND]
    assert [r.outcome for r in fold((e, "j") for e in settled)] == [Outcome.PASSED]


def test_ops_are_in_the_order_of_their_journal() -> None:
    ops = identity("net", "cpu", flow="op_by_op_torch")
    result = op_result(0)
    events: list[AnyEvent] = [
        TestStarted(time=LATE, identity=ops, nodeid=nodeid(ops), pid=1),
        OpStarted(time=LATE, key=ops.key, op_key=result.verdict.op.key, index=0),
        OpEnded(time=EARLY, key=ops.key, result=result),  # the clock went back meanwhile
        TestEnded(time=EARLY, key=ops.key, outcome=Outcome.PASSED),
    ]
    (record,) = fold((event, "j") for event in events)
    assert record.status is result.verdict.status


def test_a_clock_that_goes_ahead_ends_no_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path, plan_of([NET]).tests)
    ledger.apply(started(time.time(), 1))
    monkeypatch.setattr("bringup.pipeline.running.ledger.time.time", lambda: LATE + 1e9)
    assert ledger.overdue({NET.key: 900.0}, grace_s=5.0) == {}


def test_a_clock_that_goes_ahead_between_a_start_and_its_reading_ends_no_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path, plan_of([NET]).tests)
    ledger.read()
    event = started(time.time(), 1)
    monkeypatch.setattr("bringup.pipeline.running.ledger.time.time", lambda: LATE + 1e9)
    ledger.apply(event)
    assert ledger.overdue({NET.key: 900.0}, grace_s=5.0) == {}


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_tests_own_deadline_and_its_seconds_do_not_follow_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("BRINGUP_TEST_DEADLINE", str(time.time() + 100))
    now = time.time
    try:
        with begin():
            recorder = TestRecorder(NET, "")
            share = recorder.share("net")
            module = "bringup.harness.recording.recorder"
            monkeypatch.setattr(f"{module}.time.time", lambda: now() + jump)
            assert 90 < (share.seconds_left() or 0) <= 97
            recorder.end(Outcome.PASSED)
    finally:
        monkeypatch.undo()
    (record,) = load_journals(tmp_path / "run")[0]
    assert record.wall_s is not None and 0 <= record.wall_s < 10


def test_waiting_for_a_device_counts_towards_no_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the test's own, nor its process's timer, nor what the supervisor counts."""
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("BRINGUP_TEST_DEADLINE", str(time.time() + 100))
    ledger = Ledger(tmp_path / "run", plan_of([NET]).tests)
    armed: list[float] = []
    with begin():
        current().get(Timer).arm(armed.append, 100.0)
        recorder = TestRecorder(NET, "")
        share = recorder.share("net")
        clock = time.monotonic()
        ledger.read()
        with share.uncounted("n150"):
            ledger.read()
            monkeypatch.setattr("time.monotonic", lambda: clock + 1000.0)
            assert ledger.overdue({NET.key: 100.0}, grace_s=5.0) == {}
        assert 90 < (share.seconds_left() or 0) <= 97 and 90 < (recorder.seconds_left() or 0) <= 97
        assert [round(s, -1) for s in armed] == [100.0, LONGEST_WAIT_S + 100.0, 100.0]
        ledger.read()
        assert ledger.overdue({NET.key: 100.0}, grace_s=5.0) == {}
        monkeypatch.setattr("time.monotonic", lambda: clock + 1200.0)
        assert NET.key in ledger.overdue({NET.key: 100.0}, grace_s=5.0)
        recorder.end(Outcome.PASSED)
    monkeypatch.undo()
    (record,) = load_journals(tmp_path / "run")[0]
    assert record.seconds is not None and 199 < record.seconds < 300  # the thousand are not its own
