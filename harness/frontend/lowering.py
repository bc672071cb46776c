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
from torch.export import ExportedProgram
from torch.fx import Graph, GraphModule

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.errors import HarnessError
from bringup.harness.frontend import dependence, torch_program, training
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.consteval import fold_constants
from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.export_cache import (
    CachedExport,
    Exported,
    Loading,
    Made,
    constants,
    digest_of_outline,
)
from bringup.harness.frontend.lowering_cache import (
    CachedLowering,
    Content,
    Lowered,
    content_as,
    content_of,
)
from bringup.harness.frontend.paths import INPUTS, MUTATED
from bringup.harness.frontend.program import Signature
from bringup.harness.frontend.refusals import ExportRefusal
from bringup.harness.mlir import TorchMlir, text_of
from bringup.harness.recording.recorder import StageScope, TestRecorder
from bringup.harness.records.schema import Stage, StageResult, Status
from bringup.harness.verify.structure import UnsupportedOutputError, outline_of

if TYPE_CHECKING:
    import onnx


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
    confirm: Callable[[], None] = field(default=lambda: None)
    """Raises `StaleExportError` if an earlier night's export was taken that is not the model's now.
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
    loading: Loading | None = None,
) -> Program:
    """Take a PyTorch model down, to evaluate it.

    `extract` makes of a result that cannot be taken apart one that can. `has_graph` is called with
    the program once it has, or can make, its graph: a compiler of the front end may refuse it yet.
    Of a model whose `loading` is known the export of an earlier night is taken.
    """
    front = _FrontEnd(
        config,
        recorder,
        has_graph,
        lambda: Entry(model, call, extract=extract),
        torch_program.export_entry,
        loading,
    )
    return front.lower(lambda: torch_program.accepts_call(model, call))


def lower_training(
    model: torch.nn.Module,
    call: Call,
    loss: Callable[[Any], torch.Tensor],
    config: CompilerConfig,
    recorder: TestRecorder,
    has_graph: Callable[[Program], None] = lambda program: None,
    loading: Loading | None = None,
) -> Program:
    """Take forward, loss and backward of a PyTorch model down, as one program.

    `has_graph` and `loading` as of `lower_torch`.
    """
    front = _FrontEnd(
        config,
        recorder,
        has_graph,
        lambda: training.entry_of(model, call, loss),
        training.export_step,
        loading,
        training.result_names,
    )
    return front.lower(lambda: torch_program.accepts_call(model, call))


@dataclass(frozen=True)
class _FrontEnd:
    """How one PyTorch model is taken down: exported, or taken as an earlier night exported it."""

    config: CompilerConfig
    recorder: TestRecorder
    has_graph: Callable[[Program], None]
    make_entry: Callable[[], Entry]
    export: Callable[[Entry], ExportedProgram]
    loading: Loading | None
    names: Callable[[ExportedProgram, Entry], tuple[str, ...]] | None = None
    """Of a training step's results."""

    def lower(self, accepts: Callable[[], None]) -> Program:
        """The program, as far down as the config says; what is refused is so in its stage."""
        kept = None
        if self.loading is not None and self.config.compile_depth is not CompileDepth.TORCH_FX:
            kept = CachedExport(self.loading, self.recorder)
            program = self._as_before(kept)
            if program is not None:
                return program
        with self.recorder.stage(Stage.EXPORT) as stage:
            accepts()
            entry = self.make_entry()
            exported = self.export(entry)
            text = torch_program.readable(exported)
            keep_level(stage, self.config, "torch_fx", text)
            stage.attributes |= kept.audited() if kept is not None else {}
            stage.reached(Status.CREATED_GRAPH)
        names = None if self.names is None else self.names(exported, entry)
        if kept is not None:
            kept.keep(entry, Made(exported, text, names), self.config)
        if self.config.compile_depth is CompileDepth.TORCH_FX:
            return Program()
        return self._lower_exported(entry, exported, names)

    def _as_before(self, kept: CachedExport) -> Program | None:
        """What an earlier night exported and lowered; None where the one or the other is not kept,
        or this night does it again."""
        found, loading = kept.find(), self.loading
        if found is None or loading is None:
            return None
        with_gradients = torch.is_grad_enabled()  # PyTorch chooses other ops without

        def exported() -> ExportedProgram:
            with loading.within(), torch.set_grad_enabled(with_gradients):
                return kept.checked(lambda: self.export(entry), self.config)

        try:
            entry = self.make_entry()
            entry.as_exported(
                found.found,
                found.beside,
                found.uncompared,
                lambda: _result(loading, found, exported),
            )
            content = content_as(entry, found.program, constants(found, entry), self.config)
        except (
            HarnessError,
            AttributeError,
            RuntimeError,
            ValueError,
        ):  # it is otherwise after all
            return None
        if content is None:
            return None
        lowering = CachedLowering(content, self.recorder)
        before = lowering.find()
        if before is None:
            return None
        kept.record(found)
        if not self.config.stops_at_graph:
            lowering.take()
        program = self._lowered_before(entry, content, before, exported, found.names)

        def confirm() -> None:
            if not kept.confirmed:
                exported()

        program.confirm = confirm
        return program

    def _lower_exported(
        self, entry: Entry, exported: ExportedProgram, names: tuple[str, ...] | None
    ) -> Program:
        config, recorder = self.config, self.recorder
        content = content_of(entry, exported, config)
        kept = CachedLowering(content, recorder) if content is not None else None
        before = None
        if kept is not None:
            before = kept.find() if config.stops_at_graph else kept.take()
        if before is not None:
            return self._lowered_before(entry, content, before, lambda: exported, names)
        done = len(recorder.results)
        with recorder.stage(Stage.DECOMPOSE) as stage:
            graph, signature = _decomposed(entry, exported, config)
            # one that is random is compiled all the same, and its golden differs from itself
            random = torch_program.random_op(graph)
            program = _program(entry, signature, lambda: graph, random, content, names)
            program.graph = graph
            stage.attributes |= said_of(program)
            if kept is not None and not config.stops_at_graph:
                stage.attributes |= kept.audited()
        self.has_graph(program)
        if config.stops_at_graph:
            return program
        program.artifact = _lower_graph(graph, config, recorder)
        if kept is not None:
            kept.keep(program.artifact, signature, random, recorder.results[done:])
        return program

    def _lowered_before(
        self,
        entry: Entry,
        content: Content | None,
        before: tuple[Lowered, Signature],
        make_exported: Callable[[], ExportedProgram],
        names: tuple[str, ...] | None,
    ) -> Program:
        with_gradients = torch.is_grad_enabled()

        def again() -> Graph:
            exported = make_exported()
            with torch.set_grad_enabled(with_gradients):  # PyTorch chooses other ops without
                return _decomposed(entry, exported, self.config)[0]

        lowered, signature = before
        program = _program(entry, signature, again, lowered.random, content, names)
        program.artifact = None if self.config.stops_at_graph else lowered.artifact
        self.has_graph(program)
        return program


def _result(loading: Loading, found: Exported, export: Callable[[], object]) -> Any:
    """A result of the structure that the program's has: eager mode's, or, where that is another,
    none, and the model is exported, which finds it."""
    result = loading.golden()
    try:
        alike = digest_of_outline(outline_of(result)) == found.outline
    except UnsupportedOutputError:
        alike = False
    if not alike:
        export()
    return result


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
    names: tuple[str, ...] | None,
) -> Program:
    """`names` are a training step's results."""
    return Program(
        signature=signature,
        make_graph=make_graph,
        random=random,
        content=content,
        flatten=entry.flatten,
        restore=entry.restore if names is None else training.named_results(names),
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
    return lower_module(mlir, module, whole, config, recorder)


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


def lower_module(
    mlir: TorchMlir,
    module: Any,
    whole: bool,
    config: CompilerConfig,
    recorder: TestRecorder,
) -> bytes:
    """Take a module of torch-mlir's importers down; `whole`: its texts with all constants."""
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
