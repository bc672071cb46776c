# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reading journals while they are being written."""

import time
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.journal import JOURNAL_FOLDER, JournalWriter, pack_journals
from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.provenance import collect
from bringup.harness.records.schema import (
    AnyEvent,
    Failure,
    Outcome,
    PlannedTest,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.pipeline.running.ledger import Ledger


def a_test(model: str) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[full-eval]"
    return PlannedTest(identity=identity_of(entry, "cpu"), nodeid=nodeid_on(entry, "cpu"))


def started(test: PlannedTest, at: float = 0.0) -> TestStarted:
    return TestStarted(time=at or time.time(), identity=test.identity, nodeid=test.nodeid, pid=4242)


def ended(test: PlannedTest, outcome: Outcome = Outcome.PASSED) -> TestEnded:
    return TestEnded(time=time.time(), key=test.identity.key, outcome=outcome)


def stopped(test: PlannedTest) -> TestStopped:
    return TestStopped(
        time=time.time(),
        key=test.identity.key,
        outcome=Outcome.CRASHED,
        failure=Failure(None, "SIGSEGV", "it died"),
    )


def test_journals_are_taken_up_where_they_were_left(tmp_path: Path) -> None:
    tests = [a_test("a"), a_test("b")]
    ledger = Ledger(tmp_path, tests)
    assert ledger.read() == []
    journal = JournalWriter(tmp_path, "r", collect())
    journal.append(started(tests[0]))
    assert ledger.read() == []
    assert list(ledger.running) == [tests[0].identity.key]
    assert [t.identity.model for t in ledger.waiting] == ["b"]
    journal.append(ended(tests[0]))
    assert ledger.read() == [tests[0].identity.key]
    assert ledger.read() == []
    other = JournalWriter(tmp_path, "r", collect())
    other.append(stopped(tests[1]))
    assert ledger.read() == [tests[1].identity.key]
    assert ledger.counts == {Outcome.PASSED: 1, Outcome.CRASHED: 1}
    assert ledger.running == {} and ledger.waiting == []


def test_a_half_written_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    test = a_test("a")
    ledger = Ledger(tmp_path, [test])
    (tmp_path / JOURNAL_FOLDER).mkdir()
    path = tmp_path / JOURNAL_FOLDER / "host-1-aa.jsonl"
    line = msgspec.json.encode(started(test)) + b"\n"
    path.write_bytes(line[:20])
    ledger.read()
    assert ledger.running == {}
    path.write_bytes(line)
    ledger.read()
    assert list(ledger.running) == [test.identity.key]


def test_garbage_and_strangers_are_passed_over(tmp_path: Path) -> None:
    test = a_test("a")
    ledger = Ledger(tmp_path, [test])
    (tmp_path / JOURNAL_FOLDER).mkdir()
    lines = [b"\xff\xfe garbage", b"{}", msgspec.json.encode(ended(a_test("stranger")))]
    lines += [msgspec.json.encode(started(a_test("stranger"))), msgspec.json.encode(ended(test))]
    (tmp_path / JOURNAL_FOLDER / "host-1-aa.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert ledger.read() == [test.identity.key]
    assert list(ledger.outcomes) == [test.identity.key]


@pytest.mark.parametrize("late", [False, True])
def test_the_tests_own_word_beats_the_supervisors(tmp_path: Path, late: bool) -> None:
    test = a_test("a")
    ledger = Ledger(tmp_path, [test])
    events: list[AnyEvent] = [stopped(test), ended(test)]
    for event in reversed(events) if late else events:
        ledger.apply(event)
    assert ledger.outcomes == {test.identity.key: Outcome.PASSED}


def test_of_a_run_that_goes_on_only_words_that_stay_count(tmp_path: Path) -> None:
    tests = [a_test(name) for name in ("passed", "killed", "cut_off", "new")]
    journal = JournalWriter(tmp_path, "r", collect())
    for test in tests[:3]:
        journal.append(started(test))
    journal.append(ended(tests[0]))
    journal.append(ended(tests[1], Outcome.KILLED))
    ledger = Ledger(tmp_path, tests, attempt=2)
    ledger.read()
    assert ledger.outcomes == {tests[0].identity.key: Outcome.PASSED}
    assert ledger.waiting == tests[1:] and ledger.running == {}
    again = JournalWriter(tmp_path, "r", collect(), attempt=2)
    again.append(started(tests[1], at=0.0))  # the clock went back, and has no say in it
    ledger.read()
    assert list(ledger.running) == [tests[1].identity.key]


def test_a_packed_journal_is_read_once(tmp_path: Path) -> None:
    test = a_test("a")
    JournalWriter(tmp_path, "r", collect()).append(ended(test))
    pack_journals(tmp_path)
    ledger = Ledger(tmp_path, [test])
    assert ledger.read() == [test.identity.key]
    assert ledger.read() == []


def test_what_runs_past_its_deadline_is_overdue(tmp_path: Path) -> None:
    test = a_test("a")
    ledger = Ledger(tmp_path, [test])
    ledger.apply(started(test, at=time.time() - 100))
    deadlines = {test.identity.key: 90.0}
    assert list(ledger.overdue(deadlines, grace_s=5.0)) == [test.identity.key]
    assert ledger.overdue(deadlines, grace_s=20.0) == {}
    ledger.apply(ended(test))
    assert ledger.overdue(deadlines, grace_s=5.0) == {}
