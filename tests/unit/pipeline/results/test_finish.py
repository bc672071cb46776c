# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs that nobody merged are in the history once they are finished, as what they are."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.night import Judgement, read_night
from bringup.harness.records.run_dir import write_plan
from bringup.harness.records.schema import (
    Expect,
    Expectation,
    Identity,
    Outcome,
    OutputsChecked,
    Plan,
    Stage,
    TestEnded,
    TestStarted,
)
from bringup.pipeline.cli import main
from bringup.pipeline.history.store.history import History
from tests.unit import run_builder as made

T5, BERT = made.identity("t5"), made.identity("bert")
ADDRESS = "kept"


@pytest.fixture(autouse=True)
def own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRINGUP_HISTORY", ADDRESS)


def left(
    name: str,
    tests: Sequence[Identity],
    plan: Plan | None = None,
    at: float = made.STARTED,
    outcome: Outcome = Outcome.PASSED,
) -> Path:
    """What processes leave that ran some tests and were never merged."""
    run_dir = Path(name)
    run_dir.mkdir()
    if plan is not None:
        write_plan(run_dir, plan)
    journal = JournalWriter(run_dir, plan.run_id if plan else name, made.PROVENANCE)
    for test in tests:
        nodeid = made.nodeid(test)
        journal.append(TestStarted(time=at, identity=test, nodeid=nodeid, pid=1))
        journal.append(OutputsChecked(time=at, key=test.key, outputs=(made.output(),)))
        journal.append(TestEnded(time=at + 1, key=test.key, outcome=outcome))
    journal.close()
    return run_dir


def plan(run_id: str = "nightly-1", **fields: object) -> Plan:
    return msgspec.structs.replace(made.plan_of([T5, BERT]), run_id=run_id, **fields)


def sessions() -> dict[str, str]:
    return {run.run: run.session for run in History(ADDRESS).runs()}


def test_a_run_of_plain_pytest_is_remembered_once_and_is_no_night() -> None:
    left("mine", [T5])
    for _ in range(2):
        assert main(["finish", "mine"]) == 0
    assert sessions() == {"mine": "local"}
    assert read_night(Path("mine")) is None


def test_a_night_that_was_cut_off_is_judged_when_it_is_finished() -> None:
    left("night", [T5], plan())
    assert main(["finish", "night"]) == 0
    assert sessions() == {"nightly-1": "nightly"}
    night = read_night(Path("night"))
    assert night is not None and night.counts[Judgement.GOOD] == 1


def test_what_was_tried_is_no_baseline_and_no_evidence() -> None:
    left("tried", [T5, BERT])
    left("night", [T5, BERT], plan(created=made.STARTED + 99), made.STARTED + 99, Outcome.FAILED)
    assert main(["finish", "tried", "night"]) == 0
    night = read_night(Path("night"))
    assert night is not None and night.baseline is None
    assert night.counts == {Judgement.NEW: 2}, "a pass of the desk makes no regression of it"


def test_a_shard_is_left_to_the_merge() -> None:
    left("shard", [T5], plan(shard=(1, 2)))
    assert main(["finish", "shard"]) == 0
    assert sessions() == {}


def judged(name: str, outcome: Outcome, list_name: str, *states: DeviceState) -> list[str]:
    """How two shards' tests are judged once they are merged, each of a machine of its own."""
    for i, (test, state) in enumerate(zip((T5, BERT), states, strict=True), start=1):
        planned = msgspec.structs.replace(
            made.plan_of([test], list_name),
            run_id=name,
            total=2,
            shard=(i, 2),
            devices={test.device: state},
        )
        left(f"{name}-{i}", [test], planned, outcome=outcome)
    assert main(["merge", f"{name}-1", f"{name}-2", "--into", name, "--history", name + "-h"]) == 0
    night = read_night(Path(name))
    assert night is not None
    return [t.test for t in night.tests if t.judgement is Judgement.UNEXPECTED_PASS]


def test_merged_shards_are_held_to_what_their_machines_promised() -> None:
    """A merge has no devices: what each could do stands in the plan of the shard that had it."""
    executes, compiles = DeviceState.EXECUTES, DeviceState.COMPILES
    stops = "nightly_e2e_compile"
    assert judged("a", Outcome.PASSED, stops, executes, executes) == [BERT.key, T5.key]
    full = "nightly_full_model_execute"
    assert judged("b", Outcome.REACHED, full, executes, compiles) == [T5.key]


def test_who_wants_no_history_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    left("mine", [T5])
    assert main(["finish", "mine", "--history", "none"]) == 0
    assert not Path(ADDRESS).exists() and not Path("results/history").exists()


def test_an_unexpected_pass_is_loud_wherever_the_night_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = Expectation(
        expect=Expect.XFAIL, stage=Stage.COMPILE, fingerprint="1|compile||a", reason="no fft yet"
    )
    planned = made.plan_of([T5, BERT])
    tests = tuple(msgspec.structs.replace(t, expectation=expected) for t in planned.tests)
    states = {T5.device: DeviceState.EXECUTES}
    left("night", [T5], msgspec.structs.replace(planned, tests=tests, devices=states))
    assert main(["finish", "night"]) == 0
    assert "1 unexpectedly good" in capsys.readouterr().out
    main(["why", "night"])
    assert f"unexpected pass {T5.key}" in capsys.readouterr().out
