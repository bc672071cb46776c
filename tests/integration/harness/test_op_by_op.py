# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Op by op, as users meet it: findings on record, tests pass, verdicts shared, failures run."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bringup import CompilerConfig
from bringup.harness.device_host.op_pool import MEMORY_LIMIT
from bringup.harness.device_host.shared import device
from bringup.harness.op_by_op.executors import TorchExecutor
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.fingerprint import parts
from bringup.harness.records.predictions import Predicted
from bringup.harness.records.run_dir import load_ops
from bringup.harness.records.schema import GOOD, Metric, OpResult, Outcome, Stage, Status
from bringup.harness.records.verdicts.cache import VerdictCache
from bringup.harness.reproduce.reproducer import read_bytes_of, read_expected
from bringup.harness.verify import Tolerances
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest

EXECUTE = f"{MINIATURE}/test_ops.py::test_ops[op_by_op_torch-EXECUTE_OP_BY_OP-eval]"
COMPILE = f"{MINIATURE}/test_ops.py::test_ops[op_by_op_torch-COMPILE_OP_BY_OP-eval]"
KEY = "ops[op_by_op_torch-EXECUTE_OP_BY_OP-eval]@cpu"
Run = Callable[..., Done]
CACHE = "verdicts.sqlite"
CHAIN = """
import pytest
import torch
from bringup import CompileDepth, CompilerConfig, ModelTester

class Chain(torch.nn.Module):
    def forward(self, x):
        least = torch.log(torch.exp(-90 - 12 * torch.sigmoid(x)))
        return torch.tanh(torch.clamp(least, min=-104.0) / 100) + 1

class ChainTester(ModelTester):
    def _load_model(self):
        return Chain()

    def _load_inputs(self):
        return torch.linspace(-3, 3, 32)

@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("flow", ["op_by_op_torch"])
def test_chain(record_property, flow, mode):
    config = CompilerConfig()
    config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    tester = ChainTester("chain", mode, compiler_config=config)
    tester.test_model()
    tester.finalize()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run pytest in a new run directory, all with one verdict cache."""
    cache = tmp_path_factory.mktemp("cache") / CACHE

    def once(*arguments: str, **environment: str) -> Done:
        directory = tmp_path_factory.mktemp("run")
        environment = {"BRINGUP_CACHE": str(cache), **environment}
        return run_pytest(directory, *arguments, **environment)

    return once


@pytest.fixture(scope="module")
def first(run: Run) -> Done:
    return run(EXECUTE)


def ops_of(done: Done) -> dict[str, OpResult]:
    lines = load_ops(done.directory)
    return {line.result.verdict.op.name: line.result for line in lines}


def test_findings_do_not_fail_the_test(first: Done) -> None:
    assert first.code == 0, first.output
    record = first.records[KEY]
    assert record.outcome is Outcome.REACHED, "not every op passed"
    assert record.status is min(r.verdict.status for r in ops_of(first).values())


def test_each_op_has_its_own_verdict(first: Done) -> None:
    ops = ops_of(first)
    good = ops["aten.convolution.default"].verdict
    assert (good.outcome, good.status) == (Outcome.PASSED, Status.EXECUTED)
    assert good.pcc is not None and (good.pcc.value or 0) > 0.9999
    kept = {a.level for s in good.stages for a in s.artifacts}
    assert {"torch_ir", "torch_backend_ir", "stablehlo", "hlo_optimized"} <= kept
    wrong = ops["aten.max_pool2d_with_indices.default"].verdict
    assert (wrong.outcome, wrong.status) == (Outcome.INCORRECT, Status.EXECUTED)
    refused = ops["aten.lgamma.default"].verdict
    assert refused.outcome is Outcome.FAILED and refused.status < Status.CONVERTED_TO_STABLE_HLO + 1
    assert refused.failure is not None
    assert refused.failure.stage in (Stage.TORCH_BACKEND_IR, Stage.STABLEHLO)
    stage, op, _ = parts(refused.fingerprint)
    assert stage == refused.failure.stage and "aten.lgamma" in op


def test_what_is_wrong_by_itself_is_told_from_what_inherits_it(first: Done) -> None:
    followed = first.records[KEY].followed
    assert followed is not None and not followed.ended
    assert 0 < followed.compared < followed.nodes, "some ops are refused: golden goes on there"
    assert followed.first_wrong_alone.endswith("(aten.max_pool2d_with_indices.default)")
    assert followed.first_past == followed.first_wrong_alone
    alone = {r.verdict.op.key: r.verdict.outcome for r in ops_of(first).values()}
    for one in followed.past:
        assert one.wrong_alone == (alone[one.op_key] is Outcome.INCORRECT)


def test_an_op_that_is_right_by_itself_inherits_what_came_before(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_chain.py").write_text(CHAIN)
    done = run(f"{tmp_path}/test_chain.py::test_chain[op_by_op_torch-eval]")
    followed = done.records["chain[op_by_op_torch-eval]@cpu"].followed
    assert followed is not None and followed.compared == followed.nodes
    # XLA takes values below the least normal number for 0
    assert followed.first_past == followed.first_wrong_alone == "log (aten.log.default)"
    wrong = {one.op: one.wrong_alone for one in followed.past}
    assert wrong["aten.log.default"] and not wrong["aten.clamp.default"]
    assert followed.inherited == len(followed.past) - 1
    assert "wrong by inheritance" in followed.said()


def test_how_far_a_model_gets_is_looked_up_by_its_ops(first: Done, run: Run) -> None:
    words = [EXECUTE, "--on", "cpu=executes", "iree-cpu=executes"]
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.predict", *words],
        capture_output=True,
        check=True,
        env=os.environ | {"BRINGUP_CACHE": str(first.directory.parent / "cache0" / CACHE)},
    )
    cpu, other = msgspec.json.decode(done.stdout, type=Predicted).on
    record, ops = first.records[KEY], ops_of(first)
    assert (cpu.ops, cpu.known, cpu.unknown) == (record.ops_found, len(ops), 0)
    assert cpu.status is record.status is cpu.in_the_way[0].status
    assert "aten.max_pool2d_with_indices.default" in cpu.wrong
    assert other.status is None and other.unknown == record.ops_found, "never tried there"
    assert other.said().startswith("unknown: ")


def test_an_op_that_cannot_even_be_imported_is_a_finding(first: Done) -> None:
    verdict = ops_of(first)["cond"].verdict
    assert (verdict.outcome, verdict.status) == (Outcome.FAILED, Status.CREATED_GRAPH)
    assert verdict.failure is not None and verdict.failure.stage is Stage.TORCH_IR
    assert "Higher-order operation 'cond' not implemented" in verdict.failure.message
    assert "aten.cos.default" in verdict.op.attributes["arg2"]


def test_a_number_that_another_op_computes_comes_as_a_tensor(first: Done) -> None:
    verdict = ops_of(first)["aten.mul.Tensor"].verdict
    assert [(t.shape, t.dtype) for t in verdict.op.inputs] == [((1, 8), "float32"), ((), "float64")]
    assert verdict.op.attributes["other"] == "item(%1)"
    assert verdict.outcome is Outcome.FAILED and verdict.failure is not None
    assert verdict.failure.stage is Stage.STABLEHLO


def test_equal_ops_are_counted_and_run_once(first: Done) -> None:
    lines = load_ops(first.directory)
    keys = [line.result.verdict.op.key for line in lines]
    assert len(keys) == len(set(keys))
    assert [line.result.index for line in lines] == list(range(len(lines)))


def test_every_failure_leaves_a_reproducer_that_ends_the_same_way(first: Done) -> None:
    folders = sorted((first.directory / "repro").iterdir())
    bad = [r for r in ops_of(first).values() if r.verdict.outcome is not Outcome.PASSED]
    assert len(folders) == len(bad) == 4
    for folder in folders:
        done = subprocess.run(
            [sys.executable, folder / "run.py"],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def reproducer_of(done: Done, name: str) -> Path:
    (folder,) = (
        path
        for path in (done.directory / "repro").iterdir()
        if read_expected(path).op.name.startswith(name)
    )
    return folder


def test_a_reproducer_has_the_text_that_the_device_was_given(run: Run, first: Done) -> None:
    for done in (first, run(EXECUTE)):  # computed, and out of the cache
        wrong = reproducer_of(done, "aten.max_pool2d")
        assert "stablehlo.reduce_window" in (wrong / "op.stablehlo.mlir").read_text()
        assert read_expected(wrong).memory_limit == MEMORY_LIMIT
        assert len(read_bytes_of(wrong, "golden")) == 1
        refused = reproducer_of(done, "aten.lgamma")
        assert not (refused / "op.stablehlo.mlir").exists(), "it never came so far"
        assert read_bytes_of(refused, "inputs") and not read_bytes_of(refused, "golden")


def test_an_unchanged_second_night_computes_nothing(run: Run, first: Done) -> None:
    again = ops_of(run(EXECUTE))
    before = ops_of(first)
    assert again.keys() == before.keys()
    assert all(r.hit for r in again.values())
    assert not any(r.hit for r in before.values())
    for name, result in again.items():
        assert result.verdict == before[name].verdict, "the verdict and its provenance are kept"


def test_a_recheck_computes_hits_again(run: Run, first: Done) -> None:
    again = ops_of(run(EXECUTE, BRINGUP_RECHECK="1.0"))
    assert all(r.hit and r.rechecked for r in again.values())


def test_a_cached_verdict_that_does_not_hold_fails_the_test_and_is_replaced(
    run: Run, first: Done
) -> None:
    cache = VerdictCache(first.directory.parent / "cache0" / "verdicts.sqlite")
    with sqlite3.connect(cache.path) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM verdict")]
    verdicts = {key: verdict for key in keys if (verdict := cache.get(key))}
    whole = {k: v for k, v in verdicts.items() if v.pcc}  # what stages are kept has no numbers
    key = next(k for k, v in whole.items() if v.op.name == "aten.relu.default")
    assert cache.put(key, msgspec.structs.replace(verdicts[key], pcc=Metric.of(0.5)))

    done = run(EXECUTE, BRINGUP_RECHECK="100%")
    record = done.records[KEY]
    assert (done.code, record.outcome) == (1, Outcome.FAILED)
    assert record.failure is not None
    said = record.failure.message
    assert said.startswith(f"aten.relu.default ({verdicts[key].op.key[:16]}) on cpu: the pcc kept")
    assert f"kept: PASSED at EXECUTED (run {first.directory.name}, " in said
    assert f"now: PASSED at EXECUTED (run {done.directory.name}, " in said
    ops = ops_of(done)
    relu = ops.pop("aten.relu.default")
    assert (relu.hit, relu.contradicts) == (False, said)
    assert all(r.hit and r.rechecked for r in ops.values()), "one does not stop the others"
    command = said.partition("once more: ")[2]
    assert f"RUN_GLOBAL_OP_IDX={relu.index} BRINGUP_NO_CACHE=1 " in command and EXECUTE in command
    again = run(EXECUTE, BRINGUP_RECHECK="1")
    assert again.code == 0 and all(r.hit for r in ops_of(again).values())


def test_without_the_cache_every_op_is_computed(run: Run, first: Done) -> None:
    assert not any(r.hit for r in ops_of(run(EXECUTE, BRINGUP_NO_CACHE="1")).values())
    assert all(r.hit for r in ops_of(run(EXECUTE)).values())


def test_what_is_wrong_with_the_cache_is_on_record(run: Run, tmp_path: Path) -> None:
    (tmp_path / "verdicts.sqlite").write_bytes(b"no database" * 999)
    record = run(COMPILE, BRINGUP_CACHE=str(tmp_path), RUN_GLOBAL_OP_IDX="0").records[
        KEY.replace("EXECUTE", "COMPILE")
    ]
    (sentence,) = record.warnings
    assert "the verdict cache is damaged" in sentence and str(tmp_path) in sentence


def test_compiling_only_executes_nothing_and_shares_no_verdict(run: Run, first: Done) -> None:
    ops = ops_of(run(COMPILE, "--device", "n150"))
    conv = ops["aten.convolution.default"]
    assert not conv.hit
    assert (conv.verdict.outcome, conv.verdict.status) == (
        Outcome.REACHED,
        Status.CONVERTED_TO_TTNN,
    )
    assert {"ttir", "ttnn"} <= {a.level for s in conv.verdict.stages for a in s.artifacts}


def test_one_op_can_be_run_by_its_index(run: Run, first: Done) -> None:
    index = ops_of(first)["aten.lgamma.default"].index
    assert list(ops_of(run(EXECUTE, RUN_GLOBAL_OP_IDX=str(index)))) == ["aten.lgamma.default"]


def test_an_index_beyond_the_graph_is_a_sentence(run: Run, first: Done) -> None:
    ops = len(ops_of(first))
    done = run(EXECUTE, RUN_GLOBAL_OP_IDX=str(ops))
    assert (done.code, done.records[KEY].outcome) == (1, Outcome.FAILED)
    said = f"the graph has {ops} ops, numbered 0 to {ops - 1}; RUN_GLOBAL_OP_IDX is {ops}\n"
    assert said in done.output and "Traceback" not in done.output and "harness/" not in done.output


def test_the_terminal_says_what_the_ops_came_to(run: Run, first: Done) -> None:
    ops = ops_of(first)
    bad = {n: r for n, r in ops.items() if r.verdict.outcome not in GOOD}
    good = len(ops) - len(bad)
    assert f"{KEY}  {len(ops)} unique ops: {good} good, {len(bad)} findings" in first.output
    for name, result in bad.items():
        verdict = result.verdict
        place = first.directory / "repro" / f"{verdict.op.key[:16]}-cpu"
        assert f"{verdict.outcome} {name}  nox -s repro -- {place}\n" in first.output
        assert place.is_dir()
    assert f"report: nox -s report -- {first.directory}\n" in first.output
    assert f"findings; {len(ops)} cached\n" in run(EXECUTE).output


def test_workers_of_xdist_say_it_too(run: Run, first: Done) -> None:
    done = run(EXECUTE, COMPILE, "-n", "2")
    said = done.output.partition(" op by op ==")[2]
    for key in (KEY, KEY.replace("EXECUTE", "COMPILE")):
        assert f"{key}  {len(ops_of(first))} unique ops: " in said
    assert said.count(f"report: nox -s report -- {done.directory}\n") == 1


def test_all_ops_can_be_required_to_execute(run: Run, first: Done) -> None:
    done = run(EXECUTE, TT_TORCH_CHECK_ALL_OPS_EXECUTE="1")
    assert done.code == 1
    assert done.records[KEY].outcome is Outcome.FAILED
    assert "ops did not execute, first aten.lgamma.default" in done.output


def test_all_ops_can_be_required_to_be_right(run: Run, first: Done) -> None:
    done = run(EXECUTE, TT_TORCH_VERIFY_OP_BY_OP="1")
    assert done.code == 1
    assert done.records[KEY].outcome is Outcome.INCORRECT
    assert "ops are wrong, first aten.max_pool2d_with_indices.default" in done.output


def test_an_op_alone_knows_nothing_of_what_its_models_golden_was_computed_in(
    recorder: TestRecorder,
) -> None:
    """Which is known only where another flow ran before: its verdicts had another key then."""
    coarse = Tolerances(golden_arithmetic="bf16")
    executor = TorchExecutor(CompilerConfig(), device("cpu"), recorder, coarse)
    assert executor.tolerances == Tolerances()
