# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The front end, stage by stage: a model in, a program that any device can compile out."""

import copy
import functools
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch.fx import Graph, GraphModule

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.frontend import dependence, torch_program, training
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.consteval import fold_constants
from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.lowering_cache import (
    CachedLowering,
    Content,
    content_of,
    onnx_content,
)
from bringup.harness.frontend.paths import INPUTS, MUTATED
from bringup.harness.frontend.program import Signature
from bringup.harness.frontend.refusals import ExportRefusal
from bringup.harness.mlir import TorchMlir, text_of
from bringup.harness.recording.recorder import StageScope, TestRecorder
from bringup.harness.records.schema import Stage, StageResult, Status

if TYPE_CHECKING:
    import onnx

LARGE_CONSTANTS = 4 << 20
"""Bytes of constants inside the IR above which its kept text leaves them out."""


@dataclass
class Program:
    """A model at the lowest level asked for, and how calls map onto it."""

    artifact: bytes | None = None
    """Portable StableHLO; None when the depth stops above it."""
    signature: Signature | None = None
    make_graph: Callable[[], Graph] | None = None
    """Makes `graph`; None for ONNX."""
    random: str | None = None
    """An op of the graph whose result is random, if there is one."""
    content: Content | None = None
    """What it is made from; None where that has no written form."""
    onnx: "onnx.ModelProto | None" = None
    """The prepared ONNX model it was made from; its weights are arguments, unless inlined."""
    flatten: Callable[[Call], Sequence[Any]] = field(default=lambda call: call[0])
    restore: Callable[[Sequence[Any]], Any] = field(default=lambda leaves: leaves)
    extracted: bool = False
    """Does `restore` give what the test extracts, since the model's own result has no structure?"""
    uncompared: Sequence[str] = ()
    """Paths of what the model leaves in containers and attributes, and the program does not give.
    """

    @functools.cached_property
    def graph(self) -> Graph | None:
        """The decomposed FX graph the artifact was made from; None for ONNX.

        Of a program that was lowered before it is made when it is asked for.
        """
        return self.make_graph() if self.make_graph is not None else None

    @property
    def has_graph(self) -> bool:
        """Has `graph` been made?"""
        return "graph" in vars(self)


def lower_on(
    program: Program, config: CompilerConfig, recorder: TestRecorder, known: Collection[Stage]
) -> None:
    """Take a program that another flow has lowered as far as this one wants it.

    The stages that are `known` are on record.
    """
    if config.compile_depth is CompileDepth.TORCH_FX or config.stops_at_graph:
        return
    if program.artifact is not None:
        return
    kept = CachedLowering(program.content, recorder) if program.content is not None else None
    before = kept.take(known) if kept is not None else None
    if before is not None:
        program.artifact = before[0].artifact
        return
    graph, done = decomposed(program, recorder), len(recorder.results)
    said = kept.audited() if kept is not None else {}
    program.artifact = _lower_graph(graph, config, recorder, said)
    if kept is not None:
        made = StageResult(stage=Stage.DECOMPOSE, ok=True, attributes=said_of(program))
        results = [(made, Status.CREATED_GRAPH), *recorder.results[done:]]
        assert program.signature is not None
        kept.keep(program.artifact, program.signature, program.random, results)


def decomposed(program: Program, recorder: TestRecorder) -> Graph:
    """The graph of a PyTorch program: of one whose lowering was kept, the DECOMPOSE stage."""
    if not program.has_graph:
        with recorder.stage(Stage.DECOMPOSE) as stage:
            assert program.graph is not None
            stage.attributes |= said_of(program)
    assert program.graph is not None
    return program.graph


def said_of(program: Program) -> dict[str, str]:
    """What the record says of a program's graph."""
    assert program.graph is not None
    random = {"random": program.random} if program.random is not None else {}
    return {**random, "nodes": str(torch_program.node_count(program.graph))}


def lower_torch(
    model: torch.nn.Module,
    call: Call,
    config: CompilerConfig,
    recorder: TestRecorder,
    extract: Callable[[Any], Any] = lambda result: result,
    has_graph: Callable[[Program], None] = lambda program: None,
) -> Program:
    """Take a PyTorch model down, to evaluate it.

    `extract` makes of a result that cannot be taken apart one that can. `has_graph` is called with
    the program once it has, or can make, its graph: a compiler of the front end may refuse it yet.
    """
    with recorder.stage(Stage.EXPORT) as stage:
        torch_program.accepts_call(model, call)
        entry = Entry(model, call, extract=extract)
        exported = torch_program.export_entry(entry)
        keep_level(stage, config, "torch_fx", torch_program.readable(exported))
        stage.reached(Status.CREATED_GRAPH)
    return _lower_exported(entry, exported, config, recorder, has_graph)


def lower_training(
    model: torch.nn.Module,
    call: Call,
    loss: Callable[[Any], torch.Tensor],
    config: CompilerConfig,
    recorder: TestRecorder,
    has_graph: Callable[[Program], None] = lambda program: None,
) -> Program:
    """Take forward, loss and backward of a PyTorch model down, as one program.

    `has_graph` as of `lower_torch`.
    """
    with recorder.stage(Stage.EXPORT) as stage:
        torch_program.accepts_call(model, call)
        entry = training.entry_of(model, call, loss)
        exported = training.export_step(entry)
        keep_level(stage, config, "torch_fx", torch_program.readable(exported))
        stage.reached(Status.CREATED_GRAPH)
    restore = training.results_of(exported, entry)

    def restored(program: Program) -> None:
        program.restore = restore
        has_graph(program)

    return _lower_exported(entry, exported, config, recorder, restored)


def _lower_exported(
    entry: Entry,
    exported: torch.export.ExportedProgram,
    config: CompilerConfig,
    recorder: TestRecorder,
    has_graph: Callable[[Program], None],
) -> Program:
    if config.compile_depth is CompileDepth.TORCH_FX:
        return Program()
    content = content_of(entry, exported, config)
    kept = CachedLowering(content, recorder) if content is not None else None
    before = None
    if kept is not None:
        before = kept.find() if config.stops_at_graph else kept.take()
    if before is not None:
        with_gradients = torch.is_grad_enabled()

        def again() -> Graph:
            with torch.set_grad_enabled(with_gradients):  # PyTorch chooses other ops without
                return _decomposed(entry, exported, config)[0]

        program = _program(entry, before[1], again, before[0].random, content)
        program.artifact = None if config.stops_at_graph else before[0].artifact
        has_graph(program)
        return program
    done = len(recorder.results)
    with recorder.stage(Stage.DECOMPOSE) as stage:
        graph, signature = _decomposed(entry, exported, config)
        # one that is random is compiled all the same, and its golden differs from itself
        random = torch_program.random_op(graph)
        program = _program(entry, signature, lambda: graph, random, content)
        program.graph = graph
        stage.attributes |= said_of(program)
        if kept is not None and not config.stops_at_graph:
            stage.attributes |= kept.audited()
    has_graph(program)
    if config.stops_at_graph:
        return program
    program.artifact = _lower_graph(graph, config, recorder)
    if kept is not None:
        kept.keep(program.artifact, signature, random, recorder.results[done:])
    return program


def _decomposed(
    entry: Entry, exported: torch.export.ExportedProgram, config: CompilerConfig
) -> tuple[Graph, Signature]:
    """The graph that is lowered, and how a call maps onto it."""
    decomposed = torch_program.decompose(exported)
    signature = torch_program.signature_of(decomposed, entry.places, entry.beside)
    _refuse_shared_writes(entry, signature)
    signature = _consteval(decomposed.graph, signature, config)
    if config.inline_parameters and not config.splits_fx:
        signature = torch_program.inline(decomposed, signature)
    return decomposed.graph, dependence.of_graph(decomposed.graph, signature)


def _program(
    entry: Entry,
    signature: Signature,
    make_graph: Callable[[], Graph],
    random: str | None,
    content: Content | None,
) -> Program:
    return Program(
        signature=signature,
        make_graph=make_graph,
        random=random,
        content=content,
        flatten=entry.flatten,
        restore=entry.restore,
        extracted=entry.extracted,
        uncompared=entry.uncompared,
    )


def _lower_graph(
    graph: Graph,
    config: CompilerConfig,
    recorder: TestRecorder,
    said: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The artifact of a graph; `said` is put on record with the first stage."""
    from bringup.harness.frontend.fx_import import import_graph  # sympy: not to collect tests

    mlir = TorchMlir(trace=config.ir_log_level == "DEBUG")
    with recorder.stage(Stage.TORCH_IR) as stage:
        stage.attributes |= said
        module = import_graph(mlir, _copy(graph))  # importing rewrites some ops in place
        whole = not config.inline_parameters
        keep_level(stage, config, "torch_ir", text_of(module, whole=whole))
        stage.reached(Status.CONVERTED_TO_TORCH_IR)
    return _lower_module(mlir, module, whole, config, recorder)


def _copy(graph: Graph) -> Graph:
    """A graph of its own, with the same tensors inside where there are any."""
    copied = copy.deepcopy(graph)
    if graph.owning_module is not None:
        GraphModule(graph.owning_module, copied)
    return copied


def _refuse_shared_writes(entry: Entry, signature: Signature) -> None:
    """Of two inputs in one memory a program cannot say that what is written to one is in the other.

    Raises:
        ExportRefusal: forward writes to such an input.
    """
    for mutation in signature.mutations:
        path = mutation.path.removeprefix(MUTATED + INPUTS)
        if path != mutation.path and path in entry.sharing:
            raise ExportRefusal(
                f"inputs {path} and {entry.sharing[path]} share memory, and forward writes to it,"
                " which no exported program can say: give one of them memory of its own"
            )


def _consteval(graph: Graph, signature: Signature, config: CompilerConfig) -> Signature:
    if not (config.enable_consteval or config.consteval_parameters):
        return signature
    return fold_constants(graph, signature, parameters=config.consteval_parameters)


def lower_onnx(
    model: "onnx.ModelProto",
    inputs: Mapping[str, torch.Tensor],
    config: CompilerConfig,
    recorder: TestRecorder,
) -> Program:
    """Take an ONNX model down; its own graph takes the place of the FX graph."""
    from bringup.harness.frontend import onnx_program  # PyTorch models do without onnx

    with recorder.stage(Stage.EXPORT) as stage:
        prepared = onnx_program.prepare(model, inputs)
        keep_level(stage, config, "onnx", onnx_program.readable(prepared))
        stage.attributes["nodes"] = str(len(prepared.graph.node))
        random = onnx_program.random_op(model)
        if random is not None:
            stage.attributes["random"] = random
        stage.reached(Status.CREATED_GRAPH)
    if config.compile_depth is CompileDepth.TORCH_FX:
        return Program()
    weights = {} if config.inline_parameters else onnx_program.lift_weights(prepared)
    program = Program(
        signature=onnx_program.signature_of(prepared, inputs, weights),
        onnx=prepared,
        flatten=lambda call: list(onnx_program.named_inputs(model, call[1] or call[0]).values()),
        restore=tuple,
    )
    if config.stops_at_graph:
        return program
    assert program.signature is not None
    content = onnx_content(prepared, program.signature, config)
    kept = CachedLowering(content, recorder) if content is not None else None
    before = kept.take() if kept is not None else None
    if before is not None:
        program.artifact = before[0].artifact
        return program
    done = len(recorder.results)
    mlir = TorchMlir(trace=config.ir_log_level == "DEBUG")
    with recorder.stage(Stage.TORCH_IR) as stage:
        stage.attributes |= kept.audited() if kept is not None else {}
        whole = onnx_program.constant_bytes(prepared) < LARGE_CONSTANTS
        module = onnx_program.import_model(mlir, prepared)
        keep_level(stage, config, "torch_ir", text_of(module, whole=whole))
        stage.reached(Status.CONVERTED_TO_TORCH_IR)
    program.artifact = _lower_module(mlir, module, whole, config, recorder)
    if kept is not None:
        kept.keep(program.artifact, program.signature, None, recorder.results[done:])
    return program


def _lower_module(
    mlir: TorchMlir,
    module: Any,
    whole: bool,
    config: CompilerConfig,
    recorder: TestRecorder,
) -> bytes:
    with recorder.stage(Stage.TORCH_BACKEND_IR) as stage:
        mlir.to_backend(module)
        keep_level(stage, config, "torch_backend_ir", text_of(module, whole=whole))
        stage.reached(Status.CONVERTED_TO_TORCH_BACKEND_IR)
    with recorder.stage(Stage.STABLEHLO) as stage:
        mlir.to_stablehlo(module)
        keep_level(stage, config, "stablehlo", text_of(module, whole=whole))
        artifact = mlir.portable(module)
        stage.attributes["bytes"] = str(len(artifact))
        stage.reached(Status.CONVERTED_TO_STABLE_HLO)
    return artifact


def keep_level(stage: StageScope, config: CompilerConfig, level: str, text: str) -> None:
    """Keep a level's IR; print it and write it as a plain file where the config asks for that."""
    stage.keep(level, text)
    if config.ir_log_level:
        print(f"// ----- {level} -----\n{text}", file=sys.stderr)
    if level.upper() in config.save_mlir:
        path = stage.plain_file(f"{level}.mlir")
        path.write_text(text)
