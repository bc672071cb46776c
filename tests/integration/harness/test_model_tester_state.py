# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What forward writes, and what a model sets: compared, put back, and never shared between runs."""

import os
import sys
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome, Stage
from tests.integration.pytest_runs import MINIATURE, ROOT, Done, run_command, run_pytest

WRITES = {
    "relu_on_input": {"inputs.args[0]"},
    "view_of_input": {"inputs.args[0]"},
    "kv_at_position": {"buffers.kv"},
    "kv_in_one_piece": {"buffers.kv"},
    "norm_in_train_mode": {
        "buffers.norm.running_mean",
        "buffers.norm.running_var",
        "buffers.norm.num_batches_tracked",
    },
    "counted": set(),
    "counted_in_a_buffer": {"buffers.count"},
    "appended": set(),
    "table_on_first_use": set(),
    "popped": set(),
    "nested": {"inputs.args[0].layers[1].k"},
    "one_tensor_twice": {"inputs.args[0]"},
    "clamped_weight": {"parameters.scale"},
    "nothing_but_a_write": {"buffers.kv"},
}


@pytest.fixture(scope="module")
def mutating(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run_pytest(tmp_path_factory.mktemp("run"), f"{MINIATURE}/test_mutating.py")


@pytest.mark.parametrize("case", WRITES)
def test_what_forward_writes_is_an_output_and_the_model_stays_as_loaded(
    mutating: Done, case: str
) -> None:
    record = mutating.records[f"writes[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure
    paths = [o.path.partition("/mutated.")[2] for o in record.outputs if "/mutated." in o.path]
    assert sorted(paths) == sorted([*WRITES[case]] * 2), "of either tester of the test"


@pytest.mark.parametrize("case", ["kv_at_position", "norm_in_train_mode", "nested"])
@pytest.mark.parametrize("flow", ["op_by_op_torch", "op_by_op_stablehlo"])
def test_ops_that_only_write_are_ops_like_any_other(mutating: Done, case: str, flow: str) -> None:
    record = mutating.records[f"writes_op_by_op[{flow}-{case}-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


@pytest.mark.parametrize("case", ["relu", "kv_elsewhere", "kv_not_written"])
def test_a_compiler_that_drops_the_write_is_incorrect(mutating: Done, case: str) -> None:
    record = mutating.records[f"dropped[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.INCORRECT
    assert record.failure is not None and "mutated." in record.failure.message


def test_inputs_in_one_memory_may_be_read_and_not_written(mutating: Done) -> None:
    read = mutating.records["views_of_one_memory[full-read_only-eval]@cpu"]
    assert read.outcome is Outcome.PASSED, read.failure
    written = mutating.records["views_of_one_memory[full-written-eval]@cpu"]
    assert written.outcome is Outcome.FAILED and written.failure is not None
    assert "inputs x and y share memory" in written.failure.message


@pytest.mark.parametrize(
    ("builder", "written"),
    [
        ("spectral", {"weight_u", "weight_v"}),
        (
            "parametrised_spectral",
            {"parametrizations.weight.0._u", "parametrizations.weight.0._v"},
        ),
        ("frozen_norm", {"1.running_mean", "1.running_var", "1.num_batches_tracked"}),
        ("counting", {"count"}),
        ("writing", set()),
    ],
)
def test_training_compares_buffers_too(mutating: Done, builder: str, written: set[str]) -> None:
    record = mutating.records[f"trains[full-{builder}-train]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure
    paths = {o.path for o in record.outputs if o.path.startswith("mutated.buffers.")}
    assert paths == {f"mutated.buffers.{name}" for name in written}


KEEPING = {
    "last": {"left.attributes.last"},
    "added_to_last": {"mutated.attributes.last"},
    "seen": {"left.attributes.seen[0]"},
    "into_a_list": {"left.inputs.held.list[1]"},
    "into_a_cache": {"left.inputs.held.cache.keys[0]", "left.inputs.held.cache.values[0]"},
    "not_into_a_cache": {"left.inputs.held.cache.keys[0]", "left.inputs.held.cache.values[0]"},
}


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("case", KEEPING)
def test_what_forward_leaves_is_an_output(mutating: Done, case: str, mode: str) -> None:
    record = mutating.records[f"keeps[full-{case}-{mode}]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure
    paths = {o.path for o in record.outputs if o.path.startswith(("left.", "mutated."))}
    assert paths == KEEPING[case]


@pytest.mark.parametrize("case", KEEPING)
def test_what_forward_leaves_may_be_wrong(mutating: Done, case: str) -> None:
    record = mutating.records[f"keeps_something_else[full-{case}-eval]@cpu"]
    assert record.outcome is Outcome.INCORRECT
    assert record.failure is not None
    assert record.failure.message.startswith(tuple(KEEPING[case])), record.failure


def test_what_forward_leaves_and_no_program_gives_is_unverified(mutating: Done) -> None:
    record = mutating.records["keeps_a_number[full-eval]@cpu"]
    assert record.outcome is Outcome.UNVERIFIED and record.failure is not None
    assert "forward leaves attributes.seen[0], which no exported" in record.failure.message


def test_nothing_that_a_model_sets_stays(tmp_path: Path) -> None:
    files = [f"{MINIATURE}/test_settings{suffix}.py" for suffix in ("", "_after")]
    done = run_pytest(tmp_path, *files)
    outcomes = {key: record.outcome for key, record in done.records.items()}
    assert outcomes.pop("raises_after_setting[full-eval]@cpu") is Outcome.FAILED
    assert len(outcomes) == 12 and set(outcomes.values()) == {Outcome.PASSED}, done.output


def test_a_run_directory_is_where_it_was_before_the_model_changed_directory(tmp_path: Path) -> None:
    test = f"{ROOT / MINIATURE}/test_settings.py::test_sets[eval]"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = run_command(tmp_path / "run", tmp_path, command, BRINGUP_RUN_DIR="run")
    (record,) = done.records.values()
    assert record.outcome is Outcome.PASSED, done.output
    kept = [a for stage in record.stages for a in stage.artifacts]
    assert kept and all(list((tmp_path / "run").rglob(f"{a.sha256}*")) for a in kept)


def test_a_tester_outside_pytest_puts_back_what_its_model_sets(tmp_path: Path) -> None:
    script = """
import os, torch
from bringup import ModelTester

class Setting(ModelTester):
    def _load_model(self):
        os.chdir("/"), torch.set_grad_enabled(False), torch.set_default_dtype(torch.float64)
        return torch.nn.Linear(4, 4)

    def _load_inputs(self):
        return torch.randn(3, 4)

tester = Setting("setting")
tester.test_model()
tester.finalize()
assert torch.is_grad_enabled() and torch.get_default_dtype() is torch.float32
assert os.getcwd() != "/"
"""
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = run_command(tmp_path / "run", tmp_path, [sys.executable, "-c", script], **environment)
    assert done.code == 0, done.output
    assert done.records["setting[full-eval]@cpu"].outcome is Outcome.PASSED


def test_golden_is_sampled_where_something_fails_by_little(tmp_path: Path) -> None:
    records = run_pytest(tmp_path, f"{MINIATURE}/test_nearly.py").records.values()
    noted = {
        r.identity.variant: (r.outcome, *map(s.attributes.get, ("reference", "samples")))
        for r in records
        for s in r.stages
        if s.stage is Stage.VERIFY
    }
    assert noted == {
        "1.0": (Outcome.PASSED, "not needed", None),
        "1.012": (Outcome.INCORRECT, "float64", "4"),
        "1.5": (Outcome.INCORRECT, "float64", None),
    }
