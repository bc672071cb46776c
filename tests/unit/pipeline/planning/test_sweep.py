# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How many cases of which op a limited sweep runs, and which options it has."""

import pytest

from bringup.harness.errors import HarnessError
from bringup.harness.records.naming import identity_of
from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.cli import main, options_of
from bringup.pipeline.planning.sweep import limited


def planned(op: str, device: str) -> PlannedTest:
    entry = f"tests/sweep/test_op_sweep.py::test_op_sweep[op_by_op_torch-{op}-eval]"
    return PlannedTest(
        nodeid=f"{entry[:-1]}-{device}]", entry=entry, identity=identity_of(entry, device)
    )


TESTS = [planned(op, device) for op in ("a", "b", "c", "d", "e") for device in ("cpu", "n150")]


@pytest.mark.parametrize(
    ("limit", "ops", "each"), [(1, "a", "1"), (2, "ac", "1"), (5, "abcde", "1"), (23, "abcde", "4")]
)
def test_a_limit_is_of_cases_and_spread_over_the_ops(limit: int, ops: str, each: str) -> None:
    found = limited(TESTS, limit)
    assert {t.identity.variant for t in found} == set(ops)
    assert {t.environment["BRINGUP_SWEEP_LIMIT"] for t in found} == {each}
    assert len(found) == 2 * len(ops) and len(ops) * int(each) <= limit
    assert limited([], limit) == []


def test_a_sweep_runs_its_own_tests_unless_told_otherwise() -> None:
    assert options_of("op_sweep", []).tests == "tests/sweep"
    assert options_of("op_sweep", ["--tests", "mine"]).tests == "mine"
    assert options_of("plan", ["--shards", "2", "--session", "op_sweep"]).tests == "tests/sweep"
    assert options_of("run", []).tests == "tests/models"


@pytest.mark.parametrize("limit", ["0", "-3", "many", "1.5", ""])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(HarnessError, match=r"is no number of cases|expected"):
        options_of("op_sweep", [f"--limit={limit}"])


def test_a_list_is_printed_and_an_unknown_op_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["op_sweep", "--list", "--op", "baddbmm"]) == 0
    assert "baddbmm/f32-bias" in capsys.readouterr().out
    assert main(["op_sweep", "--list", "--op", "badbadbad"]) == 2
    assert "no op with 'badbadbad' in its name" in capsys.readouterr().err
