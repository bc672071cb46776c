# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The end of a run: what its tests went on without is said once."""

import time
from io import StringIO
from pathlib import Path

from harness.records.journal import JournalWriter
from harness.records.run_dir import read_merged, write_plan
from harness.records.schema import Outcome, TestEnded, TestStarted, TestWarned
from pipeline.conclude import conclude
from pipeline.run import End, Ended
from pipeline.speech import Speaker
from tests.unit.run_builder import PROVENANCE, RUN_ID, identity, nodeid, plan_of

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
    conclude(tmp_path, plan, Ended(End.FINISHED), {}, None, [], durations, Speaker(said))
    assert said.getvalue().count(SENTENCE) == 1
    assert f"warning: {SENTENCE}\n" in said.getvalue()
    assert [record.warnings for record in read_merged(tmp_path)[1]] == [(SENTENCE,)] * 2
