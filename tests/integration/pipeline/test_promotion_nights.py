# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights that move lists: a test op by op is probed, tried again, and goes up; then down again."""

from pathlib import Path

import pytest

from bringup.harness.records.moves import read_moves
from bringup.harness.records.run_dir import read_plans
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.lists.specs import NIGHTLY_FULL, NIGHTLY_OP_BY_OP, PROBE, WEEKLY_OP_BY_OP
from tests.integration.small_fleet import SmallFleet, finish

TESTS = """
from bringup.harness.recording.current_test import open_test
from bringup.harness.records.schema import (
    Check, Failure, Metric, Outcome, OutputCheck, Stage, Status
)
both = pytest.mark.parametrize("flow", ["full-eval", "op_by_op_torch-eval"])

def run():
    pcc = Check("pcc", Metric.of(0.999), 0.99, True, True)
    open_test().outputs_checked((OutputCheck("out", (1,), "float32", (pcc,)),))
    open_test().status = Status.EXECUTED

@both
def test_good(flow): run()

@both
def test_net(flow):
    if os.path.exists("broken") and flow.startswith("full"):
        open_test().end(Outcome.FAILED, Failure(Stage.COMPILE, "ValueError", "no lowering"))
    else:
        run()
"""
GOOD, NET = (f"tests/models/test_night.py::test_{name}[full-eval]" for name in ("good", "net"))
NET_OPS = NET.replace("full", "op_by_op_torch")
POLICY = """
[promote]
error_rate = 0.08
nights = 1
attempts = 2
cool_down = 0
[demote]
error_rate = 0.00003
"""


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_night", TESTS)
    (tmp_path / "tests" / "lists" / "policy.toml").write_text(POLICY)
    return fleet


def test_a_test_comes_up_by_probes(fleet: SmallFleet) -> None:
    tmp_path = fleet.root
    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD])
    fleet.write_list(NIGHTLY_OP_BY_OP, cpu=[NET_OPS])
    code, said = fleet.run("nightly", output=tmp_path / "up")
    assert code == 0, said
    [plan] = read_plans(tmp_path / "up")
    assert {t.identity.key: t.list_name for t in plan.tests} == {
        "good[full-eval]@cpu": NIGHTLY_FULL.name,
        "net[full-eval]@cpu": PROBE,
        "net[op_by_op_torch-eval]@cpu": NIGHTLY_OP_BY_OP.name,
    }
    assert "running 1 test again that may go up" in said, said
    moves = read_moves(tmp_path / "up") or ()
    assert {(m.move, m.list, m.test) for m in moves} == {
        ("add", NIGHTLY_FULL.name, NET),
        ("add", WEEKLY_OP_BY_OP.name, NET_OPS),
        ("remove", NIGHTLY_OP_BY_OP.name, NET_OPS),
    }
    assert {m.evidence.good for m in moves} == {2}
    code, said = finish(fleet.start_plain("promote", "--write"))  # by all of the history
    assert code == 0 and "wrote tests/lists/nightly_full_model_execute.toml" in said, said


@pytest.mark.slow
def test_a_test_goes_down_by_confirmation_and_its_probe_breaks_nothing(fleet: SmallFleet) -> None:
    tmp_path = fleet.root
    fleet.write_list(NIGHTLY_FULL, cpu=[GOOD, NET])
    fleet.write_list(WEEKLY_OP_BY_OP, cpu=[NET_OPS])
    code, said = fleet.run("nightly", output=tmp_path / "good")
    assert code == 0, said
    (tmp_path / "broken").touch()
    code, said = fleet.run("nightly", "--confirm", "60s", output=tmp_path / "down")
    assert code == 1, said
    [move] = [m for m in read_moves(tmp_path / "down") or () if m.move == "add"]
    assert (move.test, move.list) == (NET_OPS, NIGHTLY_OP_BY_OP.name), said
    assert move.evidence.in_a_row == move.evidence.needed > 3  # more than two reruns
    code, said = finish(fleet.start_plain("promote", str(tmp_path / "down"), "--write"))
    assert code == 0, said
    lists = read_lists(tmp_path / "tests" / "lists")
    assert [e.test for e in lists.of(NIGHTLY_FULL)] == [GOOD]

    code, said = fleet.run("nightly", "--confirm", "0", output=tmp_path / "probe")
    assert code == 0, said  # a probe that fails breaks no promise
    assert "not yet: net[full-eval]@cpu: stands on op by op; a good run; then" in said
