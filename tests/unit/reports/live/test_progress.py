# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far a run is, read from journals while they are written."""

import os
from pathlib import Path

import pytest

from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.run_dir import write_plan
from bringup.harness.records.schema import (
    Failure,
    Identity,
    OpEnded,
    OpsFound,
    Outcome,
    Stage,
    StageStarted,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.pipeline.running.run_lock import RunLock
from bringup.reports.live.progress import LiveRun, Snapshot
from tests.unit.run_builder import PROVENANCE, RUN_ID, identity, nodeid, op_result, plan_of

A, B, C, D = (identity(name) for name in ("bert", "vit", "t5", "gpt2"))
CPU = identity("bert", "cpu", flow="op_by_op_torch")


class Run:
    """A run directory that is being written, and what is seen of it."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        write_plan(run_dir, plan_of([A, B, C, D, CPU]))
        self.journal = JournalWriter(run_dir, RUN_ID, PROVENANCE)
        self.live = LiveRun(run_dir)

    def start(self, test: Identity, at: float) -> None:
        started = TestStarted(time=at, identity=test, nodeid=nodeid(test), pid=1)
        self.journal.append(started, sync=False)

    def end(self, test: Identity, at: float, outcome: Outcome = Outcome.PASSED) -> None:
        failure = None if outcome is Outcome.PASSED else Failure(Stage.COMPILE, "X", "no fft\nat 3")
        ended = TestEnded(time=at, key=test.key, outcome=outcome, failure=failure)
        self.journal.append(ended, sync=False)

    def look(self, now: float) -> Snapshot:
        self.live.read()
        return self.live.snapshot(now)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_run_that_has_not_begun_knows_what_is_planned(run: Run) -> None:
    seen = run.look(0.0)
    assert (seen.planned, seen.done, seen.left_s, seen.over) == (5, 0, None, False)
    assert [(d.name, d.planned) for d in seen.devices] == [("cpu", 1), ("n150", 4)]


def test_what_runs_what_ended_and_what_is_left(run: Run) -> None:
    run.start(A, 100.0)
    run.journal.append(StageStarted(time=101.0, key=A.key, stage=Stage.COMPILE), sync=False)
    seen = run.look(110.0)
    (one,) = seen.running
    assert (one.test, one.device, one.stage, one.seconds) == (
        "bert[full-eval]",
        "n150",
        "compile",
        10.0,
    )
    run.end(A, 120.0)
    run.start(B, 120.0)
    run.end(B, 140.0, Outcome.FAILED)
    run.start(C, 140.0)
    seen = run.look(150.0)
    assert (seen.done, seen.good, seen.failed) == (2, 1, 1)
    assert seen.outcomes == {"PASSED": 1, "FAILED": 1}
    (bad,) = seen.failures
    assert (bad.test, bad.outcome, bad.stage, bad.why) == (B.key, "FAILED", "compile", "no fft")
    assert bad.command.startswith("nox -s run -- 'tests/models/vit/")
    # 10 s of `t5` are left, and `gpt2` and cpu's as long as the median: one place at a time
    assert seen.left_s == 10.0 + 20.0 + 20.0
    assert seen.utilisation == 1.0


def test_two_at_once_share_the_time_and_waiting_lowers_utilisation(run: Run) -> None:
    run.start(A, 0.5)
    run.start(B, 0.5)
    run.end(A, 10.5)
    run.end(B, 20.5)
    (device,) = (d for d in run.look(99.0).devices if d.name == "n150")
    assert device.busy == pytest.approx(30 / 40)


def test_ops_are_counted_once_each(run: Run) -> None:
    run.start(CPU, 1.0)
    run.journal.append(OpsFound(time=2.0, key=CPU.key, total=4), sync=False)
    for index in (0, 1, 1):
        result = op_result(index, device="cpu")
        run.journal.append(OpEnded(time=3.0, key=CPU.key, result=result), sync=False)
    assert run.look(4.0).running[0].ops == "2/4 ops"


def test_the_word_of_the_test_stays_and_a_new_attempt_begins_anew(run: Run) -> None:
    late = Failure(None, "TIMEOUT", "too late")
    run.start(A, 1.0)
    run.end(A, 2.0)
    stopped = TestStopped(time=3.0, key=A.key, outcome=Outcome.TIMEOUT, failure=late)
    run.journal.append(stopped, sync=False)
    assert run.look(4.0).outcomes == {"PASSED": 1}
    again = JournalWriter(run.run_dir, RUN_ID, PROVENANCE, attempt=2)
    started = TestStarted(time=5.0, identity=A, nodeid=nodeid(A), pid=2, attempt=2)
    again.append(started, sync=False)
    seen = run.look(6.0)
    assert (seen.done, len(seen.running)) == (0, 1)


def test_a_torn_line_waits_and_a_newer_schema_is_a_sentence(run: Run, tmp_path: Path) -> None:
    run.start(A, 1.0)
    (journal,) = (tmp_path / "journal").iterdir()
    with journal.open("ab") as file:
        file.write(b'{"event":"test_ended","time":')
    assert len(run.look(2.0).running) == 1
    (tmp_path / "journal" / "z.jsonl").write_text(
        '{"event":"journal_opened","time":1,"schema":99,"run_id":"x","provenance":{}}\n'
    )
    seen = run.look(2.0)
    assert "schema 99" in seen.error and len(seen.running) == 1


def test_a_run_that_was_killed_is_not_one_that_runs(run: Run, tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    run.start(A, 100.0)
    run.end(A, 130.0)
    run.start(B, 140.0)
    seen = run.look(200.0)
    assert not seen.killed and seen.resume == "" and seen.running[0].seconds == 60.0
    os.close(lock.descriptor)  # as the kernel does with the last process of a run
    seen = run.look(5_000.0)
    assert seen.killed and not seen.over and (seen.left_s, seen.left) == (None, "")
    assert seen.running[0].seconds == 0.0  # nobody knows how long it went on
    assert [device.running for device in seen.devices] == [0, 0]
    assert seen.resume.endswith(f"--resume {tmp_path}")
    with RunLock(tmp_path):  # taken up again
        assert not run.look(5_001.0).killed
    assert not run.look(5_002.0).killed  # it ended, and took its lock away
