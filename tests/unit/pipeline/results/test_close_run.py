# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The end of a run: what its tests went on without is said once."""

import time
from io import StringIO
from pathlib import Path

import msgspec

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.outcomes import outcome_counts_of_run
from bringup.harness.records.run_dir import read_merged, write_plan
from bringup.harness.records.schema import (
    Check,
    Expectation,
    Failure,
    Metric,
    OpEnded,
    OpsFound,
    Outcome,
    OutputCheck,
    OutputsChecked,
    Stage,
    Status,
    TestEnded,
    TestStarted,
    TestWarned,
)
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.close_run import close_run
from bringup.pipeline.running.engine import End, Ended
from bringup.pipeline.running.ledger import Ledger
from bringup.reports.build import build
from tests.unit.run_builder import PROVENANCE, RUN_ID, identity, nodeid, op_result, plan_of

SENTENCE = "v.sqlite: the verdict cache is damaged (x); it was renamed and a new one is begun."


def test_a_warning_of_many_tests_is_on_record_and_printed_once(tmp_path: Path) -> None:
    tests = [identity("t5", flow="op_by_op_torch"), identity("bert", flow="op_by_op_torch")]
    plan = plan_of(tests)
    write_plan(tmp_path, plan)
    journal = JournalWriter(tmp_path, RUN_ID, PROVENANCE)
    for test in tests:
        now = time.time()
        journal.append(TestStarted(time=now, identity=test, nodeid=nodeid(test), pid=1))
        journal.append(TestWarned(time=now, key=test.key, warning=SENTENCE))
        journal.append(TestWarned(time=now, key=test.key, warning=SENTENCE))
        journal.append(TestEnded(time=now, key=test.key, outcome=Outcome.PASSED))
    journal.close()
    said = StringIO()
    durations = tmp_path / "durations.json"
    close_run(tmp_path, plan, Ended(End.FINISHED), {}, durations, Speaker(said))
    assert said.getvalue().count(SENTENCE) == 1
    assert f"warning: {SENTENCE}\n" in said.getvalue()
    assert [record.warnings for record in read_merged(tmp_path)[1]] == [(SENTENCE,)] * 2


def test_the_terminal_counts_what_the_page_counts(tmp_path: Path) -> None:
    """A superseded attempt is no test, and an op by op test is shown with its worst op's word."""
    good, bad = identity("t5", flow="op_by_op_torch"), identity("bert", flow="op_by_op_torch")
    again = identity("net")
    plan = plan_of([good, bad, again])
    write_plan(tmp_path, plan)
    journal = JournalWriter(tmp_path, RUN_ID, PROVENANCE)
    first = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.CRASHED)
    for test, results in ((good, [op_result(0)]), (bad, [first, op_result(1, key="k")])):
        journal.append(TestStarted(time=1.0, identity=test, nodeid=nodeid(test), pid=1))
        journal.append(OpsFound(time=1.0, key=test.key, total=len(results), taken=0))
        for result in results:
            journal.append(OpEnded(time=1.0, key=test.key, result=result))
        journal.append(TestEnded(time=2.0, key=test.key, outcome=Outcome.PASSED))
    for attempt, outcome in ((1, Outcome.KILLED), (2, Outcome.PASSED)):
        journal.append(
            TestStarted(time=3.0, identity=again, nodeid=nodeid(again), pid=1, attempt=attempt)
        )
        journal.append(TestEnded(time=4.0, key=again.key, outcome=outcome))
    journal.close()
    ledger = Ledger(tmp_path, plan.tests)
    ledger.read()
    assert ledger.shown(bad.key) is Outcome.CRASHED and ledger.shown(good.key) is Outcome.PASSED
    said = StringIO()
    durations = tmp_path / "durations.json"
    close_run(tmp_path, plan, Ended(End.FINISHED), {}, durations, Speaker(said))
    assert "3 of 3 tests did what was promised (2 PASSED, 1 CRASHED)" in said.getvalue()
    run = build(tmp_path).run
    assert (
        run.overall.counts
        == outcome_counts_of_run(tmp_path)
        == {Outcome.PASSED: 2, Outcome.CRASHED: 1}
    )


def test_no_issue_is_drafted_of_checks_that_one_tracks_already(tmp_path: Path) -> None:
    issue, test = "https://example.com/issues/7", identity("net", "cpu")
    pcc = Check("pcc", Metric.of(0.7), 0.99, False, True, "PCC is below 0.99")
    output = OutputCheck("logits", (1,), "float32", (pcc,))
    off = Expectation(disabled="pcc", issue=issue)

    def drafts(name: str, said: Expectation | None, issues: dict[str, str]) -> int:
        run_dir = tmp_path / name
        plan = plan_of([test])
        planned = msgspec.structs.replace(plan.tests[0], expectation=said)
        plan = msgspec.structs.replace(plan, tests=(planned,))
        write_plan(run_dir, plan)
        journal = JournalWriter(run_dir, RUN_ID, PROVENANCE)
        failure = Failure(Stage.VERIFY, "AssertionError", "PCC is below 0.99")
        for event in (
            TestStarted(time=1.0, identity=test, nodeid=nodeid(test), pid=1),
            OutputsChecked(time=2.0, key=test.key, outputs=(output,)),
            TestEnded(time=3.0, key=test.key, outcome=Outcome.INCORRECT, failure=failure),
        ):
            journal.append(event)
        journal.close()
        states = {"cpu": DeviceState.EXECUTES}
        durations, said_by = tmp_path / "durations.json", Speaker(StringIO())
        close_run(run_dir, plan, Ended(End.FINISHED), states, durations, said_by, None, issues)
        return len(list((run_dir / "issues").glob("*.md")))

    assert drafts("untracked", None, {}) == 1
    assert drafts("incident", None, {test.key: issue}) == 0
    assert drafts("another", None, {"bert[full-eval]@cpu": issue}) == 1
    assert drafts("disabled", off, {}) == 0
    assert drafts("other check", msgspec.structs.replace(off, disabled="atol"), {}) == 1


def test_a_model_that_no_device_got_to_see_is_told_once(tmp_path: Path) -> None:
    devices = ("a100", "cpu", "h100", "n150")
    plan = plan_of([identity("net", device) for device in devices])
    write_plan(tmp_path, plan)
    journal = JournalWriter(tmp_path, RUN_ID, PROVENANCE)
    for planned in plan.tests:
        test = planned.identity
        failure = Failure(Stage.LOAD, "ImportError", "No module named 'nothere'")
        journal.append(TestStarted(time=1.0, identity=test, nodeid=nodeid(test), pid=1))
        journal.append(TestEnded(time=2.0, key=test.key, outcome=Outcome.FAILED, failure=failure))
    journal.close()
    said, durations = StringIO(), tmp_path / "durations.json"
    close_run(tmp_path, plan, Ended(End.FINISHED), {}, durations, Speaker(said))
    text = said.getvalue()
    assert "FAILED net[full-eval]@a100 and on 3 more devices: No module named" in text
    assert text.count("nothere") == text.count("reproduce: ") == 1
    assert "0 of 4 tests did what was promised (4 FAILED)" in text
