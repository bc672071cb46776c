# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The flows of a test: one load and one export for all of them, and what each gives as if alone."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from bringup.harness.records.run_dir import load_ops
from bringup.harness.records.schema import Op, Outcome, Stage, TestRecord
from tests.integration.pytest_runs import MINIATURE, ROOT, Done, run_command, run_pytest

FILE = f"{MINIATURE}/test_flows.py"
FIRST_TO_SPEAK = "op_by_op_stablehlo"
ALL = (
    *(Stage.LOAD, Stage.EXPORT, Stage.DECOMPOSE),
    *(Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO),
)


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Done:
    cache = tmp_path_factory.mktemp("cache")
    rest = ("-k", "not speaking and not written_to")
    return run_pytest(tmp_path_factory.mktemp("run"), FILE, *rest, BRINGUP_CACHE=str(cache))


def record_of(done: Done, test: str, flow: str, mode: str) -> TestRecord:
    found = [
        record
        for record in done.records.values()
        if record.identity.model == test
        and record.identity.mode == mode
        and record.identity.flow == flow
    ]
    (record,) = found
    return record


def stages_of(record: TestRecord, *, reused: bool) -> tuple[Stage, ...]:
    """Those before the device, that another test did or this one did itself."""
    found = (s for s in record.stages if ("reused from" in s.attributes) is reused)
    return tuple(stage.stage for stage in found if stage.stage in ALL)


def ops_of(done: Done, record: TestRecord) -> list[Op]:
    lines = load_ops(done.directory)
    return [line.result.verdict.op for line in lines if line.test == record.identity.key]


def keys_of(done: Done, record: TestRecord) -> list[str]:
    return sorted(op.key for op in ops_of(done, record))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_flows_lower_a_model_once_and_only_as_far_as_each_goes(flows: Done, mode: str) -> None:
    reused = {
        flow: stages_of(record_of(flows, "down", flow, mode), reused=True)
        for flow in ("full", "op_by_op_stablehlo", "op_by_op_torch")
    }
    assert reused == {"full": (), "op_by_op_stablehlo": ALL, "op_by_op_torch": ALL[:3]}


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_what_one_flow_left_at_its_graph_the_next_lowers_on(flows: Done, mode: str) -> None:
    first, second, third = (
        record_of(flows, "up", flow, mode)
        for flow in ("op_by_op_torch", "op_by_op_stablehlo", "full")
    )
    assert stages_of(first, reused=False) == ALL[:3]
    assert stages_of(second, reused=True) == ALL[:3]
    assert stages_of(second, reused=False) == ALL[3:]
    assert stages_of(third, reused=True) == ALL
    assert third.outcome is Outcome.PASSED


def test_a_run_of_our_own_loads_a_model_once_for_all_flows(tmp_path: Path) -> None:
    """Its runner sets variables before each test, which are no reason to load it anew."""
    run = [sys.executable, "-m", "bringup", "run", "--tests", MINIATURE, f"{FILE}::test_down"]
    alone = ["--device", "cpu", "--workers", "1", "--history", "none", "--output", str(tmp_path)]
    done = run_command(tmp_path, ROOT, [*run, *alone])
    assert len(done.records) == 6, done.output
    by_itself = [r for r in done.records.values() if Stage.LOAD in stages_of(r, reused=False)]
    assert sorted(r.identity.mode for r in by_itself) == ["eval", "train"]


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("flow", ["op_by_op_torch", "op_by_op_stablehlo"])
def test_the_ops_are_those_of_a_flow_that_came_first(
    flows: Done, tmp_path: Path, flow: str, mode: str
) -> None:
    """Importing a graph changes it, and with it the keys of its ops."""
    after = record_of(flows, "down", flow, mode)
    first = run_pytest(tmp_path, f"{FILE}::test_down[{mode}-{flow}]")
    (alone,) = first.records.values()
    assert stages_of(alone, reused=True) == ()
    assert keys_of(flows, after) == keys_of(first, alone) != []
    assert after.outcome is alone.outcome is Outcome.PASSED


def test_a_model_that_depends_on_the_flow_is_loaded_for_each(flows: Done) -> None:
    full, *split = (
        record_of(flows, "by_flow", flow, "eval")
        for flow in ("full", "op_by_op_torch", "op_by_op_stablehlo")
    )
    assert full.outcome is Outcome.PASSED
    for record in split:
        assert stages_of(record, reused=True) == ()
        assert ["tanh" in op.name for op in ops_of(flows, record)] == [True]


@pytest.mark.parametrize("tester", ["ByVariable", "ByEnvironment", "ByConfig", "ByForward"])
def test_a_model_that_a_body_chooses_by_flow_is_loaded_for_each(flows: Done, tester: str) -> None:
    full, split = (
        next(
            record
            for record in flows.records.values()
            if f"test_by_body[{tester}-{flow}]" in record.nodeid
        )
        for flow in ("full", "op_by_op_torch")
    )
    assert full.outcome is split.outcome is Outcome.PASSED
    assert stages_of(split, reused=True) == ()
    assert ["tanh" in op.name for op in ops_of(flows, split)] == [True]


def test_inputs_that_depend_on_what_is_split_are_given_to_each(flows: Done) -> None:
    for flow, rows in (("op_by_op_torch", 3), ("op_by_op_stablehlo", 2)):
        record = record_of(flows, "by_backend", flow, "train")
        assert stages_of(record, reused=True) == ()
        assert any(i.shape == (rows, 4) for op in ops_of(flows, record) for i in op.inputs)


def test_a_lowering_kept_of_another_run_serves_the_flow_over_its_ops(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    one = f"{FILE}::test_down[eval-full]"
    run_pytest(tmp_path / "first", one, BRINGUP_CACHE=cache)
    split = f"{FILE}::test_down[eval-op_by_op_stablehlo]"
    graph = f"{FILE}::test_down[eval-op_by_op_torch]"
    second = run_pytest(tmp_path / "second", one, graph, BRINGUP_CACHE=cache)
    by_graph = record_of(second, "down", "op_by_op_torch", "eval")
    assert stages_of(by_graph, reused=True) == ALL[:2]
    assert stages_of(by_graph, reused=False) == (Stage.DECOMPOSE,)
    assert ops_of(second, by_graph)
    (alone,) = run_pytest(tmp_path / "third", split, BRINGUP_CACHE=cache).records.values()
    kept = [s.stage for s in alone.stages if "cached from" in s.attributes]
    assert kept == [*ALL[1:]] and alone.outcome is Outcome.PASSED


def test_the_graphs_of_a_steered_model_are_traced_once_for_all_flows(tmp_path: Path) -> None:
    """Those of one whose forward asks for the flow, or that compiles itself, for each flow."""
    traces = tmp_path / "traces"
    done = run_pytest(tmp_path / "run", f"{FILE}::test_speaking", PYTEST_TRACES=str(traces))
    assert Counter(traces.read_text().split()) == {
        **{"Speaking": 2, "Forgetful": 2},
        **{"SpeakingByFlow": 6, "SpeakingOtherwise": 6},
    }
    assert len(done.records) == 12, done.output
    for record in done.records.values():
        tester, whole = record.identity.variant, record.identity.flow == "full"
        assert record.outcome is Outcome.PASSED
        stages = Counter(stage.stage for stage in record.stages)
        assert (stages[Stage.EXPORT], stages[Stage.EXECUTE]) == (2, 2 if whole else 0)
        again = tester in ("Speaking", "Forgetful") and record.identity.flow != FIRST_TO_SPEAK
        assert stages_of(record, reused=True) == ((Stage.LOAD,) if again else ())
        names = " ".join(op.name for op in ops_of(done, record))
        asked = "tanh" if tester == "SpeakingByFlow" else "logistic|sigmoid"
        assert whole or re.search(asked, names), names


def test_what_a_body_writes_to_the_weights_is_its_own_flows_alone(tmp_path: Path) -> None:
    """To `tensor.data` and by numpy, which nothing counts: the model is loaded for each."""
    traces = str(tmp_path / "traces")
    done = run_pytest(tmp_path / "run", f"{FILE}::test_written_to", PYTEST_TRACES=traces)
    assert done.code == 0, done.output
    assert {record.outcome for record in done.records.values()} == {Outcome.PASSED}
    assert not [r for r in done.records.values() if stages_of(r, reused=True)]
