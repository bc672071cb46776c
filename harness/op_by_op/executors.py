# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Op-by-op executors: every unique op of a model alone on the device, crash-proof and cached.

`TorchExecutor` walks the decomposed FX graph; an op's golden value, never the device's, feeds the
next one. `StablehloExecutor` splits a StableHLO module, from a PyTorch program or an ONNX model,
and asks `reference` what each op must compute. An op that fails is a finding; the walk goes on and
its test passes. Values nobody will ask for, as of an op whose verdict is known, are not computed.
"""

import dataclasses
import functools
from collections.abc import Callable

import onnx
import torch
from torch.fx import Graph

from bringup.harness.device_host.op_run import OpJob
from bringup.harness.errors import HarnessError, UsageError
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.frontend.lowering import Program, decomposed, said_of
from bringup.harness.frontend.torch_program import random_op
from bringup.harness.mlir import LoweringError, TorchMlir, text_of
from bringup.harness.op_by_op.follow import SECONDS, Follow
from bringup.harness.op_by_op.follow_stablehlo import FollowStablehlo
from bringup.harness.op_by_op.followed_before import is_followed
from bringup.harness.op_by_op.known_ops import (
    KnownOp,
    OpList,
    basis_of_graph,
    basis_of_module,
)
from bringup.harness.op_by_op.walk import Candidate, OpByOpExecutor
from bringup.harness.ops.fx_json import FxJsonError, dumps, loads
from bringup.harness.ops.operand_values import counts_values, origins_of
from bringup.harness.ops.stablehlo_ops import StablehloOp, split
from bringup.harness.ops.torch_ops import (
    FoundOp,
    TorchOp,
    attribute,
    count_ops,
    found_ops,
    rounding_of,
    unique_ops,
)
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.followed import Followed
from bringup.harness.records.schema import Outcome, Stage, StageResult
from bringup.harness.reference.references import (
    Golden,
    References,
    Source,
    seeded_inputs,
)
from bringup.harness.reference.stablehlo_torch import ReferenceRefusal
from bringup.harness.verify import Natural


class TorchExecutor(OpByOpExecutor):
    """An FX graph, node by node, each op against its PyTorch golden."""

    def get_stable_hlo_graph(self, graph: Graph) -> str:
        """The StableHLO text of an op's own graph.

        Raises:
            LoweringError: torch-mlir cannot lower it.
        """
        mlir = TorchMlir()
        module = import_graph(mlir, graph)
        mlir.to_backend(module)
        mlir.to_stablehlo(module)
        return text_of(module)

    def walk_program(self, program: Program, arguments: list[torch.Tensor]) -> Outcome:
        """Walk a program's graph, which is not made where the ops are known and all are good."""
        kept = OpList(basis_of_graph(program.content, arguments), self.recorder)
        known = kept.take()
        if known is not None and self.settles(known):
            if not program.has_graph:
                made = StageResult(stage=Stage.DECOMPOSE, ok=True, attributes=known.attributes)
                self.recorder.take_cached([(made, self.recorder.status)], known.run)
            return self.walk_known(known)
        graph = decomposed(program, self.recorder)
        outcome = self.run_gm_op_by_op(graph, arguments)
        kept.keep((self._known_op(found) for found in found_ops(graph)), said_of(program))
        return outcome

    def _known_op(self, found: FoundOp) -> KnownOp:
        counts = counts_values(found.op)
        origin = self._known.origins.get(found.op.key, "") if counts else ""
        return KnownOp(found.op, found.count, found.node, origin)

    def run_gm_op_by_op(self, graph: Graph, arguments: list[torch.Tensor]) -> Outcome:
        """Walk a decomposed graph on its arguments, one tensor for each placeholder."""
        mlir = TorchMlir()
        self._known.origins = origins_of(graph, arguments)
        self._followed = graph, arguments
        ops = unique_ops(graph, arguments, self.needs_values)
        return self.walk((self._candidate(op, mlir) for op in ops), len(count_ops(graph)))

    def follow_on(self) -> None:
        """Follow the device's own values, where that was asked for."""
        if not is_followed(self.results):
            return
        seconds = _seconds_for(self.recorder)
        follow = Follow(self.run_op, self._options(), self.node_tolerances(), self.results, seconds)
        graph, arguments = self._followed
        text = str(graph).encode()  # which names the tensors that are inside, and no more
        inside = (attribute(node) for node in graph.nodes if node.op == "get_attr")
        values = [*arguments, *(each for each in inside if isinstance(each, torch.Tensor))]
        self.record_followed(text, values, lambda: follow.through(graph, arguments), seconds)

    def _candidate(self, op: TorchOp, mlir: TorchMlir) -> Candidate:
        @functools.cache
        def job() -> OpJob:
            if op.refused:
                raise LoweringError(op.refused, op.refused)
            text = text_of(import_graph(mlir, op.graph)).encode()
            return OpJob(
                torch_ir=text, options=self._options(), inputs=tuple(op.inputs), execute=True
            )

        written = _json_of(op)  # before importing, which changes the graph

        def natural() -> Natural | None:
            return rounding_of(loads(written), op.inputs, op.golden) if written else None

        drawn = "" if op.refused else random_op(op.graph)
        golden = Golden(op.golden, Source.TORCH, natural=natural)
        if drawn:
            golden = Golden(None, Source.NOBODY, f"{drawn} draws random numbers")
        return Candidate(
            op.op, op.index, op.count, op.node, job, lambda: golden, str(op.graph), written
        )


def _seconds_for(recorder: TestRecorder) -> float:
    left = recorder.seconds_left()
    return SECONDS if left is None else left


def _json_of(op: TorchOp) -> bytes:
    """The op's graph as JSON, empty for one that has none; importing changes a graph."""
    try:
        return b"" if op.refused else dumps(op.graph)
    except FxJsonError:
        return b""


class StablehloExecutor(OpByOpExecutor):
    """A StableHLO module, op by op, for PyTorch and ONNX sources alike."""

    _artifact: bytes | None = None
    _arguments: Callable[[], list[torch.Tensor]] | None = None

    def add_program(
        self, program: Program, arguments: Callable[[], list[torch.Tensor]] | None = None
    ) -> None:
        """Take a lowered program; `arguments` makes a tensor for each argument of its `main`."""
        self._artifact, self._arguments = program.artifact, arguments

    def add_onnx_model_proto(self, model: onnx.ModelProto, inputs: dict[str, torch.Tensor]) -> None:
        """Take an ONNX model: lower it to StableHLO."""
        from bringup.harness.frontend.onnx_lowering import lower_onnx  # PyTorch does without

        program = lower_onnx(model, inputs, self.compiler_config, self.recorder)
        signature = program.signature
        leaves = program.flatten(((), inputs)) if signature is not None else ()
        self.add_program(program, lambda: signature.bind(leaves) if signature else [])

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
        kept = OpList(basis_of_module(self._artifact), self.recorder)
        known = kept.take()
        if known is not None and self.settles(known):
            return self.walk_known(known)
        mlir = TorchMlir()
        references = References(self.device.name, mlir)
        ops = split(self._artifact, mlir)
        outcome = self.walk((self._candidate(op, mlir, references) for op in ops), len(ops))
        kept.keep(KnownOp(op.op, op.count, op.node) for op in ops)
        return outcome

    def follow_on(self) -> None:
        """Follow the device's own values, where that was asked for and the inputs are known."""
        if not is_followed(self.results) or self._artifact is None:
            return
        try:
            arguments = self._arguments() if self._arguments is not None else None
        except HarnessError as error:  # ops stand on inputs of their own, so no verdict is lost
            self.recorder.warn(f"the device's own values are not followed: {error}")
            return
        if arguments is None:
            self.recorder.warn("the device's own values are not followed: no inputs were given")
            return
        mlir, seconds = TorchMlir(), _seconds_for(self.recorder)
        follow = FollowStablehlo(
            self.run_op,
            self._options(),
            self.node_tolerances(),
            self.results,
            seconds,
            References(self.device.name, mlir),
        )
        artifact, values = self._artifact, arguments

        def through() -> Followed:
            return follow.through(artifact, split(artifact, mlir), values)

        self.record_followed(artifact, values, through, seconds)

    def _candidate(self, op: StablehloOp, mlir: TorchMlir, references: References) -> Candidate:
        @functools.cache
        def asked() -> tuple[tuple[torch.Tensor, ...], Callable[[], Golden]]:
            try:
                inputs = tuple(seeded_inputs(op, mlir))
            except ReferenceRefusal as error:
                nothing = Golden(None, Source.NOBODY, str(error))
                return (), lambda: nothing
            return inputs, functools.cache(references.ask(op, inputs))

        @functools.cache
        def job() -> OpJob:
            plain = OpJob(stablehlo=self.get_stable_hlo_graph(op), options=self._options())
            if not self._executes:
                return plain
            inputs, _ = asked()
            whole = len(inputs) == len(op.input_types)
            return dataclasses.replace(plain, inputs=inputs, execute=whole)

        return Candidate(op.op, op.index, op.count, op.node, job, lambda: asked()[1]())
