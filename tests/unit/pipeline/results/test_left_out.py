# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A test that a budget left out is not missing, breaks no promise and is no evidence; what the
budget had time for and nobody ran still is a loss."""

import io
import re
import time
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.night import Judgement
from bringup.harness.records.outcomes import LEFT_OUT, is_left_out, latest
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import read_merged, write_plan
from bringup.harness.records.schema import (
    Failure,
    Outcome,
    Plan,
    PlannedTest,
    Status,
    TestEnded,
    TestStarted,
    TestStopped,
    Turn,
)
from bringup.pipeline.history.judge.confirmation import Suspect
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.expectations import Kept, broken, kept
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.confirm import Reruns
from bringup.pipeline.results.judge_run import past_of, verdict_of_run
from bringup.pipeline.results.merge import finish, merge
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.resume import budget_left
from bringup.pipeline.running.session import Settings
from bringup.pipeline.running.supervisor import LOCAL
from bringup.reports.model.headline import headline
from bringup.reports.model.run import summarise
from tests.unit.run_builder import PROVENANCE, RUN_ID, STARTED, identity, nodeid, record, write_run

DONE, CUT, OUT = (identity(model, "cpu") for model in ("done", "cut", "out"))
TURNS = {
    DONE: Turn(1, True, 5.0, "new: nobody ran it"),
    CUT: Turn(2, True, 5.0, "changed: its file has"),
    OUT: Turn(3, False, 5.0, "steady: good in its last run"),
}
TESTS = tuple(PlannedTest(t, nodeid(t), "nightly_full_model_execute", turn=TURNS[t]) for t in TURNS)
PLAN = Plan(run_id=RUN_ID, created=STARTED, session="nightly", tests=TESTS, total=3, budget_s=900.0)
LEFT = Failure(None, LEFT_OUT, "left out by the budget of 15m: steady; about 5 s")


def left_out(**fields: object):  # type: ignore[no-untyped-def]
    unrun = record(OUT, Outcome.NOT_RUN, Status.NOT_STARTED, stage=None, started=None, ended=None)
    return msgspec.structs.replace(unrun, failure=LEFT, stages=(), **fields)  # type: ignore[arg-type]


def test_of_a_killed_run_only_what_was_in_time_is_lost(tmp_path: Path) -> None:
    write_plan(tmp_path, PLAN)
    finish(tmp_path)
    header, records = read_merged(tmp_path)
    assert [r.identity.model for r in records if is_left_out(r)] == ["out"]
    assert all(r.outcome is Outcome.NOT_RUN for r in records)
    (found,) = [r.failure for r in records if is_left_out(r)]
    assert found and "budget of 15m: steady: good in its last run" in found.message
    assert not header.unrun, "alone it misses nobody else's"


def test_a_shard_that_never_reported_misses_only_what_was_in_time(tmp_path: Path) -> None:
    shards = (TESTS[:1], TESTS[1:])
    shared = SharedPlan(
        run_id=RUN_ID, created=STARTED, session="nightly", shards=shards, budget_s=900.0
    )
    first = tmp_path / "first"
    write_plan(first, shared.of_shard(1, created=STARTED))
    journal = JournalWriter(first, RUN_ID, PROVENANCE)
    journal.append(TestStarted(time=STARTED, identity=DONE, nodeid=nodeid(DONE), pid=1))
    journal.append(TestEnded(time=STARTED + 1, key=DONE.key, outcome=Outcome.PASSED))
    journal.close()
    header = merge([first], tmp_path / "whole", shared)
    assert header.unrun == (CUT.key,)
    run = summarise(header, read_merged(tmp_path / "whole")[1], [shared.of_shard(1, created=1.0)])
    assert [m.identity.model for m in run.missing] == ["cut"]
    assert [r.identity.model for r in run.left_out] == ["out"] and run.overall.planned == 2


def test_it_breaks_no_promise_and_is_no_evidence(tmp_path: Path) -> None:
    found = left_out()
    assert kept(TESTS[2], found, DeviceState.EXECUTES) is Kept.LEFT_OUT
    by_key = {OUT.key: found, DONE.key: record(DONE)}
    unkept = broken(TESTS, by_key, {"cpu": DeviceState.EXECUTES})
    assert [test.identity.model for test, _ in unkept] == ["cut"]
    history = History(str(tmp_path / "history"))
    # it was interrupted before its turn, and left out when the run was taken up again
    before = record(OUT, Outcome.NOT_RUN, Status.NOT_STARTED, stage=None, attempt=1)
    rows = [record(DONE), before, left_out(attempt=2)]
    history.add(write_run(tmp_path / "run", rows, plan=PLAN))
    assert [s.test for s in samples(history)] == [DONE.key]
    assert history.runs()[0].planned == 2


def test_the_headline_and_the_section_say_it(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path, [record(DONE), record(CUT), left_out()], plan=PLAN)
    header, records = read_merged(run_dir)
    run = summarise(header, records, [PLAN])
    said = [one.text for one in headline(run)]
    assert said[:2] == ["All 2 tests are good.", "1 test was left out by the budget."]
    assert run.left_out_because_text == "1 steady" and not run.anything_missing


def test_what_is_left_of_a_budget(tmp_path: Path) -> None:
    """A run that was cut off goes on with the rest; one that came to its end has it all again."""
    journal = JournalWriter(tmp_path, RUN_ID, PROVENANCE)

    def stop(test: PlannedTest, outcome: Outcome, at: float, failure: Failure) -> None:
        journal.append(
            TestStopped(
                time=at,
                key=test.identity.key,
                outcome=outcome,
                failure=failure,
                nodeid=test.nodeid,
                identity=test.identity,
            )
        )

    def left() -> float:
        ledger = Ledger(tmp_path, TESTS)
        ledger.read()
        return budget_left(PLAN, ledger)

    assert left() == 900.0
    stop(TESTS[0], Outcome.PASSED, STARTED + 300.0, LEFT)
    assert left() == 600.0
    stop(TESTS[1], Outcome.PASSED, STARTED + 700.0, LEFT)
    stop(TESTS[2], Outcome.NOT_RUN, STARTED + 800.0, LEFT)
    assert left() == 900.0


@pytest.mark.parametrize("left_s", [1000.0, 40.0, -5.0])
def test_new_failures_are_run_again_in_what_is_left_of_the_time(
    tmp_path: Path, left_s: float
) -> None:
    """They would take far longer, so what is said is how long they might."""
    until = time.monotonic() + left_s
    settings = Settings(tmp_path, RUN_ID, tmp_path, tmp_path, 1, until=until)
    said = io.StringIO()
    reruns = Reruns(PLAN, settings, LOCAL, 900.0, Speaker(said))
    samples = [
        Sample(run=RUN_ID, at=1.0, test=t.key, device="cpu", outcome=outcome, seconds=5000.0)
        for t, outcome in ((DONE, Outcome.PASSED), (CUT, Outcome.FAILED))
    ]
    assert not reruns.settle([Suspect(CUT.key, "cpu", 5000.0)], samples)
    most = re.search(r"do not fit into (\d+) s", said.getvalue())
    assert most and int(most[1]) <= max(min(left_s, 900.0), 0.0)


def test_the_latest_of_a_left_out_test_is_what_a_reader_sees() -> None:
    assert is_left_out(latest([left_out(attempt=2), left_out(attempt=1)])[0])
    assert not is_left_out(record(OUT, Outcome.NOT_RUN, Status.NOT_STARTED))


def test_held_against_a_night_that_ran_it_it_is_not_missing(tmp_path: Path) -> None:
    """`compare` names its baseline, whose tests are missing where they are gone."""
    history = History(str(tmp_path / "history"))
    before = tmp_path / "before"
    plan = msgspec.structs.replace(PLAN, run_id="before", budget_s=None)
    history.add(write_run(before, [record(t) for t in TURNS], plan=plan, created=STARTED - 90_000))
    tonight = [record(DONE), record(CUT), left_out()]
    history.add(write_run(tmp_path / "tonight", tonight, plan=PLAN))
    past = past_of(history, RUN_ID, tmp_path, against="before")
    assert past.tonight.left_out == {OUT.key}
    verdict = verdict_of_run(past, tmp_path)
    assert OUT.key not in {one.test for one in verdict.tests}
    assert Judgement.MISSING not in verdict.counts and not verdict.regressed
