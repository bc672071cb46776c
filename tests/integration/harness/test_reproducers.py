# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reproducers: what failed on a device fails alone, in a fresh process, in the same way."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch
from torch_mlir import ir

from bringup.harness.frontend import torch_program
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.mlir import TorchMlir, text_of
from bringup.harness.ops.fx_json import dumps
from bringup.harness.ops.stablehlo_ops import StablehloOp, split
from bringup.harness.ops.torch_ops import TorchOp, unique_ops
from bringup.harness.records.schema import Failure, OpVerdict, Outcome, Stage, Status
from bringup.harness.reduce.run_op import OpOutcome, compared, reproduce
from bringup.harness.reference.references import seeded_inputs
from bringup.harness.reproduce.reproducer import (
    Expected,
    fingerprint_of,
    read_bytes_of,
    read_expected,
)
from tests.integration.harness.test_devices import EMPTY_CONTRACTION, FFT, portable
from tests.integration.made_reproducers import KEY, RELU, op, placeholder, write

ROOT = Path(__file__).parents[3]
ENDLESS = """
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.while(%i = %x) : tensor<f32>
    cond {
      %c = stablehlo.compare EQ, %i, %i : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %c : tensor<i1>
    } do {
      %n = stablehlo.sine %i : tensor<f32>
      stablehlo.return %n : tensor<f32>
    }
  return %0 : tensor<f32>
}"""
NO_LOWERING = """
func.func @main(%x: !torch.vtensor<[4],f32>) -> !torch.vtensor<[4],f32> {
  %0 = torch.operator "torch.aten.no_such_op"(%x)
    : (!torch.vtensor<[4],f32>) -> !torch.vtensor<[4],f32>
  return %0 : !torch.vtensor<[4],f32>
}"""


def needs(module: str, package: str) -> None:
    pytest.importorskip(module, reason=f"the package {package} is not installed")


def judged(folder: Path, name: str, device: str, **parts: object) -> tuple[Path, OpOutcome]:
    """Run an op here for its verdict, then leave the reproducer of that verdict."""
    draft = write(folder / "draft", placeholder(name, device, Outcome.PASSED), **parts)  # type: ignore[arg-type]
    found = reproduce(draft, read_expected(draft))
    verdict = OpVerdict(
        op=op(name),
        device=device,
        status=found.status,
        outcome=found.outcome,
        failure=found.failure,
        fingerprint=fingerprint_of(name, found.outcome, found.failure),
    )
    return write(folder / "results" / "run1", verdict, **parts), found  # type: ignore[arg-type]


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "run.py", *arguments],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ends_the_same(folder: Path) -> str:
    done = run_alone(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith(": the same as expected.")
    assert read_expected(folder).fingerprint in done.stdout
    return read_expected(folder).fingerprint


def test_a_refusal_of_the_tenstorrent_compiler(tmp_path: Path) -> None:
    needs("jax_plugins.libtt", "jax-tt-plugin")
    folder, found = judged(tmp_path, "stablehlo.fft", "n150", stablehlo=portable(FFT))
    assert (found.outcome, found.status) == (Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO)
    assert ends_the_same(folder) == "1|compile|stablehlo.fft|no legal lowering"
    assert "stablehlo.fft" in (folder / "op.stablehlo.mlir").read_text()


def test_a_compiler_that_divides_by_zero(tmp_path: Path) -> None:
    needs("iree.compiler", "iree-base-compiler")
    parts = {
        "stablehlo": portable(EMPTY_CONTRACTION),
        "inputs": [torch.empty(4, 0), torch.empty(0, 4)],
        "golden": [torch.zeros(4, 4)],
    }
    folder, found = judged(tmp_path, "stablehlo.dot_general", "iree-cpu", **parts)
    assert found.outcome is Outcome.CRASHED
    assert ends_the_same(folder) == "1|compile|stablehlo.dot_general|SIGFPE"


def test_an_op_that_never_ends(tmp_path: Path) -> None:
    parts = {"stablehlo": portable(ENDLESS), "golden": [torch.zeros(())], "deadline_s": 3.0}
    folder, found = judged(tmp_path, "stablehlo.while", "cpu", inputs=[torch.zeros(())], **parts)
    assert (found.outcome, found.status) == (Outcome.TIMEOUT, Status.CONVERTED_TO_TTNN)
    assert ends_the_same(folder) == "1|execute|stablehlo.while|TIMEOUT"


class Pool(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)


def test_a_wrong_result_from_torch_down(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 2, 6, 6)
    program = torch_program.decompose(torch_program.export(Pool(), ((x,), {})))

    mlir = TorchMlir()
    torch_ir = text_of(import_graph(mlir, program.graph))
    folder, found = judged(
        tmp_path, "aten.max_pool2d", "cpu", torch_ir=torch_ir, inputs=[x], golden=[Pool()(x)]
    )
    assert (found.outcome, found.status) == (Outcome.INCORRECT, Status.EXECUTED)
    assert ends_the_same(folder).startswith("1|verify|aten.max_pool2d|pcc is ")


def test_a_refusal_of_the_lowering(tmp_path: Path) -> None:
    folder, found = judged(tmp_path, "aten.no_such_op", "cpu", torch_ir=NO_LOWERING)
    assert found.failure is not None
    assert found.failure.stage in (Stage.TORCH_BACKEND_IR, Stage.STABLEHLO)
    ends_the_same(folder)


def test_another_ending_is_told_and_exits_with_1(tmp_path: Path) -> None:
    failure = Failure(Stage.COMPILE, "SIGSEGV", "the process that serves cpu died (SIGSEGV)")
    verdict = placeholder("aten.relu", "cpu", Outcome.CRASHED, failure=failure)
    x = torch.tensor([-1.0, 0.0, 1.0, 2.0])
    folder = write(tmp_path, verdict, torch_ir=RELU, inputs=[x], golden=[x.relu()])
    done = run_alone(folder)
    assert done.returncode == 1
    assert "It ended PASSED at status 7, EXECUTED" in done.stdout
    assert "not the same as expected, CRASHED with 1|compile|aten.relu|SIGSEGV." in done.stdout


def test_a_device_that_cannot_be_had_exits_with_3(tmp_path: Path) -> None:
    verdict = placeholder("aten.relu", "pjrt:nowhere", Outcome.FAILED)
    folder = write(tmp_path, verdict, torch_ir=RELU)
    assert folder.name == f"{KEY[:16]}-pjrt-nowhere"
    done = run_alone(folder)
    assert done.returncode == 3 and "nowhere" in done.stderr and "Traceback" not in done.stderr


def test_a_python_without_the_project_is_told_what_it_lacks(tmp_path: Path) -> None:
    folder = write(tmp_path, placeholder("aten.relu", "cpu", Outcome.FAILED), torch_ir=RELU)
    done = subprocess.run(
        [sys.executable, "-S", "-E", folder / "run.py"],  # without site-packages and PYTHONPATH
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert f"nox -s repro -- {folder}" in done.stderr and "'bringup'" in done.stderr


class Branches(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cond(x.sum() > 0, lambda y: y.sin(), lambda y: y.cos(), (x,))


def alone(model: torch.nn.Module, x: torch.Tensor, name: str) -> TorchOp:
    graph = torch_program.decompose(torch_program.export(model, ((x,), {}))).graph
    return next(op for op in unique_ops(graph, [x]) if op.op.name == name)


def test_an_op_that_the_importer_refuses_is_imported_again(tmp_path: Path) -> None:
    fx_json = dumps(alone(Branches(), torch.ones(3), "cond").graph)
    folder, found = judged(tmp_path, "cond", "cpu", fx_json=fx_json)
    assert (found.outcome, found.status) == (Outcome.FAILED, Status.CREATED_GRAPH)
    assert ends_the_same(folder).startswith("1|torch_ir|cond|Higher-order operation 'cond' not")


def test_an_op_that_cannot_be_written_down_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path, placeholder("aten.x", "cpu", Outcome.FAILED))
    done = run_alone(folder)
    assert done.returncode == 2 and "cannot be written down" in done.stderr
    (folder / "fx.json").write_text('{"nodes": [{"op": "call", "target": "os.system"}]}')
    done = run_alone(folder)
    assert done.returncode == 2 and "this is no graph" in done.stderr
    assert "Traceback" not in done.stderr


# --- inputs too large to keep ---------------------------------------------------------------


def test_large_inputs_of_a_torch_op_are_drawn_with_the_spread_they_had(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = 5 + torch.randn(1, 2, 900, 900)
    op = alone(Pool(), x, "aten.max_pool2d_with_indices.default")
    parts = {
        "fx_json": dumps(op.graph),
        "torch_ir": text_of(import_graph(TorchMlir(), op.graph)),
        "inputs": op.inputs,
        "golden": op.golden,
    }
    folder, found = judged(tmp_path, op.op.name, "cpu", **parts)
    assert found.outcome is Outcome.INCORRECT
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1 << 16
    (again,) = read_bytes_of(folder, "inputs")
    assert again.shape == x.shape and torch.equal(again, *read_bytes_of(folder, "inputs"))
    assert abs(again.mean() - x.mean()) < 0.01 and abs(again.std() - x.std()) < 0.01
    ends_the_same(folder)


class Repeated(torch.nn.Module):
    """Wrong on `cpu`, as `Pool` is, and repeated often."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        return pooled.repeat(1, 1, 400, 400)


def test_a_large_golden_is_computed_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 2, 6, 6)
    graph = torch_program.decompose(torch_program.export(Repeated(), ((x,), {}))).graph
    parts = {
        "fx_json": dumps(graph),
        "torch_ir": text_of(import_graph(TorchMlir(), graph)),
        "inputs": [x],
        "golden": [Repeated()(x)],
    }
    folder, found = judged(tmp_path, "aten.repeat", "cpu", **parts)
    assert found.outcome is Outcome.INCORRECT
    assert parts["golden"][0].nbytes > 4 << 20
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1 << 16
    ends_the_same(folder)
    (folder / "fx.json").unlink()
    done = run_alone(folder)
    assert done.returncode == 1 and "what it must compute is not known" in done.stdout


def incorrect(text: str) -> tuple[StablehloOp, OpVerdict]:
    """The op that a StableHLO module holds, and a verdict that its output was wrong."""
    mlir = TorchMlir()
    (found,) = split(mlir.portable(ir.Module.parse(text, mlir.context)), mlir)
    failure = Failure(Stage.VERIFY, "INCORRECT", "output: pcc is 0.1, required is 0.99")
    verdict = OpVerdict(
        op=found.op,
        device="cpu",
        status=Status.EXECUTED,
        outcome=Outcome.INCORRECT,
        failure=failure,
    )
    return found, verdict


def test_a_large_golden_of_a_stablehlo_op_is_asked_for_again(tmp_path: Path) -> None:
    text = """func.func @main(%a: tensor<f32>) -> tensor<1100x1100xf32> {
        %0 = stablehlo.broadcast_in_dim %a, dims = []
          : (tensor<f32>) -> tensor<1100x1100xf32>
        return %0 : tensor<1100x1100xf32>
    }"""
    found, verdict = incorrect(text)
    x = torch.tensor(3.0)
    golden = [x.expand(1100, 1100)]
    folder = write(tmp_path, verdict, stablehlo=found.artifact, inputs=[x], golden=golden)
    assert read_bytes_of(folder, "inputs") == [x] and read_bytes_of(folder, "golden") == []
    assert reproduce(folder, read_expected(folder)).outcome is Outcome.PASSED


def test_small_inputs_and_infinite_ones_are_kept_beside_those_that_are_drawn(
    tmp_path: Path,
) -> None:
    large = 1 << 21
    inputs = [
        torch.full((large,), 3).index_fill(0, torch.tensor([7]), -2),
        torch.tensor([5, 6]),
        torch.full((large,), float("-inf")),
        torch.rand(large) < 0.5,
        torch.rand(large, 3) < 0.5,
    ]
    verdict = placeholder("aten.x", "cpu", Outcome.FAILED)
    folder = write(tmp_path, verdict, torch_ir=RELU, inputs=inputs, golden=[torch.ones(1)])
    back = read_bytes_of(folder, "inputs")
    assert [(a.dtype, a.shape) for a in back] == [(a.dtype, a.shape) for a in inputs]
    assert (back[0].min(), back[0].max()) == (-2, 3) and not torch.equal(back[0], inputs[0])
    assert all(torch.equal(back[i], inputs[i]) for i in (1, 2, 3))
    assert 0 < back[4].sum() < back[4].numel()
    assert read_bytes_of(folder, "golden") == [], "it is of other inputs"


def test_large_inputs_of_a_stablehlo_op_come_from_its_key(tmp_path: Path) -> None:
    kind = "tensor<1100x1100xf32>"
    text = f"""func.func @main(%a: {kind}) -> {kind} {{
        %0 = stablehlo.sine %a : {kind}
        return %0 : {kind}
    }}"""
    found, verdict = incorrect(text)
    inputs = seeded_inputs(found)
    folder = write(tmp_path, verdict, stablehlo=found.artifact, inputs=inputs, golden=inputs)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1 << 16
    found = reproduce(folder, read_expected(folder))
    assert found.outcome is Outcome.PASSED, "compared with a golden, which had to be had again"


# --- what is the same -----------------------------------------------------------------------


def crashed(message: str, kind: str = "SIGSEGV", stage: Stage = Stage.COMPILE) -> Failure:
    return Failure(stage, kind, message)


def test_of_a_crash_only_the_signal_and_the_stage_count() -> None:
    expected = Expected(
        op=op("aten.x"),
        device="cpu",
        status=Status.CREATED_GRAPH,
        outcome=Outcome.CRASHED,
        fingerprint="any",
        stage=Stage.COMPILE,
        deadline_s=1.0,
        failure=crashed("the process that serves cpu died (SIGSEGV)"),
    )
    found = OpOutcome(Status.CREATED_GRAPH, Outcome.CRASHED, crashed("in other words"))
    assert compared(expected, found)[0]
    for other in (crashed("", "SIGABRT"), crashed("", stage=Stage.EXECUTE)):
        assert not compared(expected, OpOutcome(Status.CREATED_GRAPH, Outcome.CRASHED, other))[0]
    timeout = msgspec.structs.replace(expected, outcome=Outcome.TIMEOUT)
    assert not compared(timeout, found)[0]
