# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a person sees while a plan runs."""

import io
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import (
    Failure,
    OpEnded,
    OpResult,
    OpsFound,
    Outcome,
    Plan,
    PlannedTest,
    Stage,
    StageStarted,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.pipeline.running import progress
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.progress import (
    PlainLines,
    State,
    clock,
    frame_of,
    ops_text,
    render,
    snapshot,
    summary,
)
from tests.unit.run_builder import op_result

NOW = 1_790_000_000.0


def a_test(model: str, device: str = "cpu", seconds: float | None = 10.0) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[full-eval]"
    return PlannedTest(
        identity=identity_of(entry, device), nodeid=nodeid_on(entry, device), estimate_s=seconds
    )


def a_plan(tests: list[PlannedTest]) -> Plan:
    return Plan(run_id="r", created=NOW, session="nightly", tests=tuple(tests), total=len(tests))


def started(test: PlannedTest, time: float = NOW, pid: int = 7) -> TestStarted:
    return TestStarted(time=time, identity=test.identity, nodeid=test.nodeid, pid=pid)


def ended(test: PlannedTest, outcome: Outcome, time: float = NOW + 2) -> TestEnded:
    return TestEnded(time=time, key=test.identity.key, outcome=outcome)


def a_ledger(tests: list[PlannedTest], *events: object) -> Ledger:
    ledger = Ledger(Path("nowhere"), tests)
    for event in events:
        ledger.apply(event)  # type: ignore[arg-type]
    return ledger


def seen(state: State, now: float, width: int, **console: object) -> str:
    out = io.StringIO()
    Console(file=out, width=width, **console).print(render(state, now, width))  # type: ignore[arg-type]
    return out.getvalue()


def test_the_picture_says_what_runs_where_and_for_how_long() -> None:
    tests = [a_test("resnet50", "n150"), a_test("waiting")]
    ledger = a_ledger(
        tests,
        started(tests[0]),
        StageStarted(time=NOW, key=tests[0].identity.key, stage=Stage.COMPILE),
    )
    frame = frame_of(a_plan(tests), workers=2, timeout_s=None)
    picture = seen(snapshot(ledger, frame, NOW + 65), NOW + 65, 100)
    assert "resnet50[full-eval]" in picture and "n150" in picture and "compile" in picture
    assert "1:05 of 15:00" in picture
    assert "waiting" not in picture
    assert "0/2" in picture


def op_by_op(model: str) -> PlannedTest:
    entry = f"tests/models/m.py::test_{model}[op_by_op_torch-eval]"
    return PlannedTest(identity_of(entry, "cpu"), nodeid_on(entry, "cpu"), estimate_s=500.0)


def found(test: PlannedTest, total: int, taken: int = 0) -> OpsFound:
    return OpsFound(time=NOW, key=test.identity.key, total=total, taken=taken)


def op_ended(test: PlannedTest, result: OpResult) -> OpEnded:
    return OpEnded(time=NOW, key=test.identity.key, result=result)


def test_ops_are_counted_and_their_pace_foretells_the_end() -> None:
    tests = [op_by_op("bert"), op_by_op("later")]
    results = [op_result(i, hit=i < 2) for i in range(3)]
    results.append(op_result(3, outcome=Outcome.FAILED))
    ops = [op_ended(tests[0], r) for r in results]
    ledger = a_ledger(tests, started(tests[0]), found(tests[0], 12, taken=2), *ops)
    frame = frame_of(a_plan(tests), workers=2, timeout_s=None)
    state = snapshot(ledger, frame, NOW + 8)
    picture = seen(state, NOW + 8, 120)
    assert "6/12 ops, 2 cached, 1 failed, 12 s left" in picture
    assert "left; 6/12+ ops, 2 cached, 1 failed" in summary(state)
    ledger.apply(ended(tests[0], Outcome.REACHED))
    ledger.apply(started(tests[1]))
    ledger.apply(found(tests[1], 1_000))
    assert "6/1,012 ops" in summary(snapshot(ledger, frame, NOW + 9))


def test_a_test_taken_up_again_counts_its_ops_from_its_own_start() -> None:
    test = op_by_op("bert")
    first = [started(test), found(test, 12), *(op_ended(test, op_result(i)) for i in range(5))]
    ledger = a_ledger([test], *first, started(test, NOW + 50), found(test, 12, taken=5))
    assert (ledger.ops[test.identity.key].done, ledger.ops[test.identity.key].total) == (5, 12)


def test_what_was_computed_again_is_not_called_cached() -> None:
    test = op_by_op("bert")
    audited = structs.replace(op_result(0, hit=True), rechecked=True)
    ops = [op_ended(test, audited), op_ended(test, op_result(1, hit=True))]
    ledger = a_ledger([test], started(test), found(test, 2), *ops)
    assert ops_text(ledger.ops[test.identity.key]) == "2/2 ops, 1 cached, 1 rechecked"


def test_a_finished_line_says_what_the_ops_came_to() -> None:
    test = op_by_op("bert")
    ledger = a_ledger([test], started(test), found(test, 1), op_ended(test, op_result(0, hit=True)))
    ledger.apply(ended(test, Outcome.PASSED))
    out = io.StringIO()
    PlainLines(out, frame_of(a_plan([test]), 1, None)).update(ledger, [test.identity.key])
    assert out.getvalue() == "[1/1] PASSED bert[op_by_op_torch-eval]@cpu 2.0 s, 1/1 ops, 1 cached\n"


@pytest.mark.parametrize("width", [30, 60, 200])
def test_the_picture_never_wraps_its_lines(width: int) -> None:
    tests = [a_test(f"a_model_with_a_very_long_name_{i}", "n300-llmbox") for i in range(4)]
    ledger = a_ledger(tests, *(started(t, pid=i) for i, t in enumerate(tests)))
    frame = frame_of(a_plan(tests), workers=4, timeout_s=None)
    lines = seen(snapshot(ledger, frame, NOW), NOW, width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum("of 15:00" in line for line in lines) == 4 or width < 60


def test_the_summary_counts_and_looks_ahead() -> None:
    tests = [a_test(f"m{i}") for i in range(6)]
    ledger = a_ledger(
        tests,
        *(started(t) for t in tests[:4]),
        ended(tests[0], Outcome.PASSED),
        ended(tests[1], Outcome.REACHED),
        TestStopped(
            time=NOW,
            key=tests[2].identity.key,
            outcome=Outcome.CRASHED,
            failure=Failure(None, "SIGSEGV", "it died"),
        ),
    )
    frame = frame_of(a_plan(tests), workers=2, timeout_s=None)
    state = snapshot(ledger, frame, NOW + 4)
    assert summary(state) == "3/6, 2 ok, 1 CRASHED, about 13 s left"


def test_the_end_is_no_nearer_than_the_longest_test() -> None:
    tests = [a_test("long", seconds=900), a_test("short", seconds=1)]
    state = snapshot(a_ledger(tests), frame_of(a_plan(tests), 8, None), NOW)
    assert state.eta_s == 900


def test_a_finished_plan_says_done() -> None:
    test = a_test("a")
    ledger = a_ledger([test], started(test), ended(test, Outcome.PASSED))
    state = snapshot(ledger, frame_of(a_plan([test]), 1, None), NOW)
    assert summary(state) == "1/1, 1 ok, done"
    assert ledger.seconds(test.identity.key) == 2.0


def test_a_shard_is_named() -> None:
    plan = Plan(run_id="r", created=NOW, session="nightly", shard=(2, 5))
    assert frame_of(plan, 1, None).title == "nightly 2/5"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (200, "3:20"), (7400, "2:03:20"), (-1, "0 s")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_without_a_terminal_each_finished_test_is_a_plain_line() -> None:
    tests = [a_test("a"), a_test("b"), a_test("c")]
    ledger = a_ledger(tests, started(tests[0]), ended(tests[0], Outcome.PASSED))
    out = io.StringIO()
    lines = PlainLines(out, frame_of(a_plan(tests), 1, None))
    lines.update(ledger, [tests[0].identity.key])
    ledger.apply(started(tests[1]))
    ledger.apply(ended(tests[1], Outcome.FAILED, NOW + 3.25))
    lines.update(ledger, [tests[1].identity.key])
    assert out.getvalue() == (
        "[1/3] PASSED a[full-eval]@cpu 2.0 s\n[2/3] FAILED b[full-eval]@cpu 3.2 s\n"
    )


def test_a_quiet_run_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    test = a_test("a")
    monkeypatch.setattr(progress.time, "time", lambda: NOW)
    out = io.StringIO()
    lines = PlainLines(out, frame_of(a_plan([test]), 1, None))
    ledger = a_ledger([test], started(test))
    lines.update(ledger, [])
    assert out.getvalue() == ""
    monkeypatch.setattr(progress.time, "time", lambda: NOW + 61)
    lines.update(ledger, [])
    lines.update(ledger, [])
    assert out.getvalue() == (
        "nightly: 0/1, 0 ok, about 0 s left; running: a[full-eval]@cpu 1:01\n"
    )


def test_a_reader_that_left_does_not_end_the_run() -> None:
    out = io.StringIO()
    out.close()
    test = a_test("a")
    ledger = a_ledger([test], started(test), ended(test, Outcome.PASSED))
    PlainLines(out, frame_of(a_plan([test]), 1, None)).update(ledger, [test.identity.key])


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = [a_test("a")]
    ledger = a_ledger(tests, started(tests[0]))
    state = snapshot(ledger, frame_of(a_plan(tests), 1, None), NOW)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in seen(state, NOW, 80, force_terminal=True)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in seen(state, NOW, 80, force_terminal=True)


def test_the_first_terminal_word_counts_once() -> None:
    test = a_test("a")
    ledger = a_ledger([test], started(test))
    assert ledger.apply(ended(test, Outcome.PASSED)) == test.identity.key
    late = TestStopped(
        time=NOW + 9,
        key=test.identity.key,
        outcome=Outcome.CRASHED,
        failure=Failure(None, "CRASHED", "after its end"),
    )
    assert ledger.apply(late) is None
    assert ledger.outcomes == {test.identity.key: Outcome.PASSED}
