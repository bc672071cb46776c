# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The ops of a test are counted once each, however many of its testers have them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.run_dir import load_journals, load_ops
from bringup.harness.records.schema import Outcome
from bringup.harness.session import begin
from bringup.pipeline.running.ledger import Ledger
from tests.unit.run_builder import identity, op_result, plan_of

NET = identity("net", "cpu", flow="op_by_op_torch")


@pytest.fixture(autouse=True)
def session() -> Iterator[None]:
    with begin():
        yield


def test_an_op_that_two_testers_have_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path))
    ledger = Ledger(tmp_path, plan_of([NET]).tests)
    test = TestRecorder(NET, "")
    for name, ops in (("prefill", (0, 1, 2)), ("decode", (1, 2, 3)), ("again", (3,))):
        share = test.share(name)
        share.ops_found(len(ops), 0)
        for index in ops:
            share.op_ended(op_result(index))
        share.ops_through()
        ledger.read()
    assert (ledger.ops[NET.key].done, ledger.ops[NET.key].total) == (4, 4)
    test.end(Outcome.PASSED)
    assert test.ops.text == "4 unique ops: 4 good, 0 findings"
    (record,) = load_journals(tmp_path)[0]
    assert record.ops_found == 4 == len(load_ops(tmp_path))


def test_one_that_is_wrong_in_any_tester_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path))
    test = TestRecorder(NET, "")
    for name, outcome in (("a", Outcome.PASSED), ("b", Outcome.FAILED), ("c", Outcome.FAILED)):
        share = test.share(name)
        share.ops_found(1, 0)
        share.op_ended(op_result(0, outcome=outcome))
    assert test.ops.text == "1 unique op: 0 good, 1 finding"
