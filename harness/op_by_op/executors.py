# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Op-by-op executors: every unique op of a model alone on the device, crash-proof and cached.

`TorchExecutor` walks the decomposed FX graph; an op's golden value, never the device's, feeds the
next one. `StablehloExecutor` splits a StableHLO module, from a PyTorch program or an ONNX model,
and asks the reference interpreter for each op's golden. An op that fails is a finding; the walk
goes on and its test passes.
"""

import onnx
import torch
from torch.fx import Graph

from harness.devices.op_run import OpJob
from harness.errors import UsageError
from harness.frontend.fx_import import import_graph
from harness.frontend.mlir import BACKEND_PIPELINE, TorchMlir, text_of
from harness.lowering import Program, lower_onnx
from harness.op_by_op.reference import ReferenceRefusal, golden, seeded_inputs
from harness.op_by_op.stablehlo_ops import StablehloOp, split
from harness.op_by_op.torch_ops import TorchOp, count_ops, unique_ops
from harness.op_by_op.walk import Candidate, OpByOpExecutor
from harness.records.schema import Outcome


class TorchExecutor(OpByOpExecutor):
    """An FX graph, node by node, each op against its PyTorch golden."""

    def get_stable_hlo_graph(self, graph: Graph) -> str:
        """The StableHLO text of an op's own graph.

        Raises:
            LoweringError: torch-mlir cannot lower it.
        """
        mlir = TorchMlir()
        module = import_graph(mlir, graph)
        mlir.run(module, BACKEND_PIPELINE)
        mlir.to_stablehlo(module)
        return text_of(module)

    def run_gm_op_by_op(self, graph: Graph, arguments: list[torch.Tensor]) -> Outcome:
        """Walk a decomposed graph on its arguments, one tensor for each placeholder."""
        ops = unique_ops(graph, arguments)
        return self.walk((self._candidate(op) for op in ops), len(count_ops(graph)))

    def _candidate(self, op: TorchOp) -> Candidate:
        options = self._options()

        def job() -> OpJob:
            text = text_of(import_graph(TorchMlir(), op.graph)).encode()
            return OpJob(torch_ir=text, options=options, inputs=tuple(op.inputs), execute=True)

        return Candidate(
            op.op, op.index, op.count, op.node, job, op.inputs, op.golden, str(op.graph)
        )


class StablehloExecutor(OpByOpExecutor):
    """A StableHLO module, op by op, for PyTorch and ONNX sources alike."""

    _artifact: bytes | None = None

    def add_program(self, program: Program) -> None:
        """Take a lowered PyTorch program."""
        self._artifact = program.artifact

    def add_onnx_model_proto(self, model: onnx.ModelProto, inputs: dict[str, torch.Tensor]) -> None:
        """Take an ONNX model: lower it to StableHLO."""
        self.add_program(lower_onnx(model, inputs, self.compiler_config, self.recorder))

    def get_stable_hlo_graph(self, op: StablehloOp) -> bytes:
        """One op as a program that compiles alone: a portable artifact with a `main`."""
        return op.artifact

    def shlo_op_by_op(self) -> Outcome:
        """Walk the module that was added.

        Raises:
            UsageError: none was.
        """
        if self._artifact is None:
            raise UsageError("there is no program; call add_program or add_onnx_model_proto first")
        mlir = TorchMlir()
        ops = split(self._artifact, mlir)
        return self.walk((self._candidate(op, mlir) for op in ops), len(ops))

    def _candidate(self, op: StablehloOp, mlir: TorchMlir) -> Candidate:
        inputs: list[torch.Tensor] = []
        expected: list[torch.Tensor] | None = None
        if self._executes:
            try:
                inputs = seeded_inputs(op, mlir)
                expected = golden(op, inputs)
            except ReferenceRefusal:
                expected = None  # executed, and nothing honest to compare with
        ready = OpJob(
            stablehlo=self.get_stable_hlo_graph(op),
            options=self._options(),
            inputs=tuple(inputs),
            execute=True,
        )
        return Candidate(op.op, op.index, op.count, op.node, lambda: ready, inputs, expected)
