# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Executors: a lowered program on a device, called like the model it was made from."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from bringup.harness.builds.compiled import CachedCompilation, CompiledBefore
from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Binary, Device
from bringup.harness.devices.catalog import kind_of, reached_by
from bringup.harness.devices.failures import DOES_NOT_FIT, DeviceFailure
from bringup.harness.devices.wire import Analysis, Level, Opened, Placed, Usage
from bringup.harness.errors import DoesNotFitError, UsageError
from bringup.harness.estimate.roofline import estimate, told
from bringup.harness.estimate.stablehlo_work import work_of
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.lowering import Program, keep_level
from bringup.harness.frontend.program import UserInput, fit
from bringup.harness.mlir import TorchMlir, at_version, read
from bringup.harness.recording.recorder import StageScope, TestRecorder
from bringup.harness.records.schema import Estimate, Stage, Status
from bringup.harness.records.values import CACHED_FROM
from bringup.harness.verify import Tolerances

if TYPE_CHECKING:
    from bringup.harness.graph.intermediates import Callback, IntermediateReport


_MOST_NAMED = 8
"""Arguments that the record names of those that are divided."""


class Executor:
    """Compiles a program for a device and runs it there.

    A device lease is held while the device works. Inputs are cast to the dtypes the program
    declares, never to another kind. The result has the model's own structure.
    """

    def __init__(
        self, program: Program, config: CompilerConfig, device: Device, recorder: TestRecorder
    ) -> None:
        self.program = program
        self.compiler_config = config
        self.device = device
        self.recorder = recorder
        self.binary: Binary | None = None
        self.placed: Placed | None = None
        """The chips to compile for; None: the first."""
        self.intermediates: IntermediateReport | None = None
        """What the last walk over the nodes found."""
        self.mutated: dict[str, torch.Tensor] = {}
        """By path, what the last call made of parameters, buffers and inputs it wrote to."""
        self.computed = False
        """Had the device a hand in anything that the last call gave?"""
        self.wrote = False
        """Had it in anything that the last call wrote to?"""
        self._outputs: Sequence[torch.Tensor] = ()
        self._callbacks: list[Callback] = []
        self._found: tuple[Opened, CompiledBefore] | None = None

    def finds_compiled(self) -> bool:
        """Did an earlier run compile this, so that `compile` does without opening the device?

        Only of one that does not execute here.
        """
        cached = self._cached()
        self._found = cached.unopened() if cached is not None else None
        return self._found is not None

    def executes(self) -> bool:
        """Can the program run on the device, and not be compiled only?

        Raises:
            DeviceError: as `Device.executes`.
        """
        return self._found is None and self.device.executes()

    def _cached(self) -> CachedCompilation | None:
        """Where the compilation is kept; None for one that leaves more than is kept."""
        config = self.compiler_config
        if config.save_binary or config.ir_log_level:
            return None
        assert self.program.artifact is not None
        asked = self.program.artifact, self.device.name, self._options(), self.placed
        return CachedCompilation(*asked, self.recorder)

    def compile(self) -> None:
        """Compile for the device: the COMPILE stage."""
        assert self.program.artifact is not None, "the program stops above StableHLO"
        with (
            self.recorder.stage(Stage.COMPILE) as stage,
            self.device.leased(self.recorder.uncounted),
        ):
            opened = self._found[0] if self._found is not None else self.device.open()
            stage.attributes["device"] = f"{opened.kind}, {opened.platform}"
            if self.device.board.numbers:
                stage.attributes["board"] = self.device.board.title
            if opened.note:
                stage.attributes["note"] = opened.note
            try:
                binary = self._compiled(opened, stage)
            except DeviceFailure as error:
                self._keep_levels(stage, error.levels, error.usage)
                if error.kind != DOES_NOT_FIT:
                    raise
                stage.estimate = self._estimate(Analysis(), refused=True)
                raise DoesNotFitError(str(error), error.diagnostic) from error
            self._keep_levels(stage, binary.levels, binary.usage)
            stage.estimate = self._estimate(binary.analysis)
            if self.placed is not None:
                stage.attributes["chips"] = ", ".join(map(str, self.placed.chips))
                if len(self.placed.chips) > 1:
                    stage.attributes["split"] = self._split_names(self.placed)
            stage.reached(Status.CONVERTED_TO_TTNN)
            if self.compiler_config.save_binary:
                stage.plain_file("binary").write_bytes(binary.serialized)
        self.set_binary(binary)
        if stage.estimate is not None and not stage.estimate.fits and not opened.executes:
            raise DoesNotFitError(f"{self.device.name}: {told(stage.estimate.memory)}")

    def _compiled(self, opened: Opened, stage: StageScope) -> Binary:
        """Compile, unless that was done before."""
        cached = None if opened.executes and not self._reloads(opened) else self._cached()
        if cached is None:
            return self._compile_now(opened)
        before = self._found[1] if self._found is not None else cached.take(opened)
        binary = self._again(before) if before is not None else None
        if before is not None and binary is not None:
            stage.attributes[CACHED_FROM] = before.run
            return binary
        stage.attributes |= cached.audited()
        cached.forget()
        binary = self._compile_now(opened, keep=opened.executes)
        cached.keep(opened, binary)
        return binary

    def _reloads(self, opened: Opened) -> bool:
        """Does the device take a program that another process compiled, and is it but libraries?"""
        return opened.loads and self.placed is None and not kind_of(self.device.name).exclusive()

    def _again(self, before: CompiledBefore) -> Binary | None:
        """What was compiled before, loaded where it is to run; None: it does not load."""
        if not before.binary:
            return Binary(None, before.as_compiled())
        try:
            return self.device.load(before.as_compiled(), timeout=self.recorder.seconds_left())
        except DeviceFailure:
            return None

    def _compile_now(self, opened: Opened, *, keep: bool = False) -> Binary:
        assert self.program.artifact is not None
        return self.device.compile(
            at_version(self.program.artifact, opened.stablehlo_version),
            self._options(),
            timeout=self.recorder.seconds_left(),
            keep_binary=keep or self.compiler_config.save_binary,
            placed=self.placed,
        )

    def _estimate(self, said: Analysis, *, refused: bool = False) -> Estimate | None:
        """What the program would take on the device; None of one that nobody has figures of."""
        figures = kind_of(self.device.name).figures
        if figures is None:
            return None
        assert self.program.artifact is not None
        mlir = TorchMlir()
        with mlir.context:
            work = work_of(read(mlir, self.program.artifact))
        chips = len(self.placed.chips) if self.placed is not None else 1
        return estimate(work, said, figures, chips, refused=refused)

    def over(
        self,
        mesh: tuple[tuple[str, int], ...],
        shards: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
    ) -> Placed:
        """One program over the first chips of the device, arranged in named axes.

        The first axis divides every input whose first dimension can be; `shards` say what divides
        other arguments, by place. The program computes the same whatever is divided.
        """
        assert self.program.signature is not None
        arguments = enumerate(self.program.signature.arguments)
        ways = mesh[0][1]
        split = tuple(
            place
            for place, argument in arguments
            if isinstance(argument, UserInput)
            and argument.shape
            and 1 < ways <= argument.shape[0]
            and argument.shape[0] % ways == 0
        )
        chips = math.prod(size for _, size in mesh)
        return Placed(tuple(range(chips)), split, mesh, tuple(shards.items()))

    def _split_names(self, placed: Placed) -> str:
        assert self.program.signature is not None
        arguments = self.program.signature.arguments
        places = (*placed.split, *(place for place, _ in placed.shards))
        names = [arguments[place].name for place in places]
        more = f" and {len(names) - _MOST_NAMED} more" if names[_MOST_NAMED:] else ""
        return ", ".join(names[:_MOST_NAMED]) + more or "no input: every chip computes all"

    def set_binary(self, binary: Binary) -> None:
        """Use a compiled program from now on; the previous one is released."""
        if self.binary is not None and self.binary is not binary:
            with self.device.using:
                self.binary.release()
        self.binary = binary

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on the device: the EXECUTE stage. Returns what the model itself would return.

        Raises:
            UsageError: nothing was compiled.
            SignatureError: an input does not fit the program.
        """
        if self.binary is None:
            raise UsageError("there is no binary; call compile() or set_binary() first")
        signature = self.program.signature
        assert signature is not None
        with (
            self.recorder.stage(Stage.EXECUTE) as stage,
            self.device.leased(self.recorder.uncounted),
        ):
            leaves = self.program.flatten((args, kwargs))
            outputs, usage = self.device.run(
                self.binary,
                signature.bind(self.typecast_inputs(leaves)),
                timeout=self.recorder.seconds_left(),
            )
            stage.usage = (usage.cpu_s, usage.peak_rss)
            stage.attributes["on device"] = f"{usage.wall_s:.6f} s"
            stage.reached(Status.EXECUTED)
        if self._callbacks:
            self.run_intermediates((args, kwargs))
        self.mutated = signature.mutated(outputs)
        self.computed, self.wrote = signature.computes(outputs), signature.writes(outputs)
        self._outputs = outputs
        return self.program.restore(signature.collect(outputs))

    def otherwise(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
        """What the last call would have given if the device had changed all it had a hand in.

        Constants of the model stay as they are.
        """
        signature = self.program.signature
        assert signature is not None
        outputs = [*self._outputs]
        for index in {r.index for r in signature.results if r.computed and r.index is not None}:
            outputs[index] = change(outputs[index])
        return self.program.restore(signature.collect(outputs))

    def typecast_inputs(self, inputs: Sequence[Any]) -> list[Any]:
        """A call's leaves, each cast to the dtype its program argument declares.

        int32 becomes int64, float64 becomes float32 and so on; a float never becomes an integer.

        Raises:
            SignatureError: a leaf has another shape or kind than declared.
        """
        assert self.program.signature is not None
        cast = list(inputs)
        for argument in self.program.signature.arguments:
            if isinstance(argument, UserInput) and argument.leaf < len(cast):
                cast[argument.leaf] = fit(argument, cast[argument.leaf])
        return cast

    def register_intermediate_callback(self, callback: "Callback") -> None:
        """Have `callback(name, actual, golden)` called for every node after the next call."""
        self._callbacks.append(callback)

    def run_intermediates(self, call: Call) -> "IntermediateReport":
        """Compute every node's value on the device; calls back, names the first wrong one.

        Raises:
            UsageError: the program stops above its graph.
            DeviceError: the device does not execute here.
        """
        # few tests ask for it, and sympy comes with it
        from bringup.harness.graph.intermediates import walk
        from bringup.harness.graph.program_graph import graph_of

        graph = graph_of(self.program, self.program.flatten(call))
        with self.device.leased(self.recorder.uncounted):
            self.intermediates = walk(
                graph,
                self.device,
                self.node_tolerances(),
                callbacks=self._callbacks,
                options=self._options(),
            )
        return self.intermediates

    def node_tolerances(self) -> Tolerances:
        """What is asked of an intermediate value; what is below rounding beside 1 is noise."""
        return Tolerances(
            required_pcc=self.compiler_config.rti_pcc_fail_thresh,
            arithmetic=kind_of(self.device.name).coarsest,
            scale=1.0,
        )

    def release(self) -> None:
        """Free the binary on the device."""
        if self.binary is not None:
            with self.device.using:
                self.binary.release()
            self.binary, self._outputs = None, ()

    def _options(self) -> dict[str, str]:
        kind = kind_of(self.device.name)
        return dict(kind.optimizer_options) if self.compiler_config.enable_optimizer else {}

    def _keep_levels(self, stage: StageScope, levels: Sequence[Level], usage: Usage | None) -> None:
        for level in levels:
            keep_level(stage, self.compiler_config, level.name, level.text)
        stage.reached(reached_by(level.name for level in levels))
        if usage is not None:
            stage.usage = (usage.cpu_s, usage.peak_rss)


class OnnxExecutor(Executor):
    """An ONNX model: by onnxruntime (`run_onnxruntime`), and converted to the device's binary."""

    @staticmethod
    def run_onnxruntime(model: Any, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Run the model by onnxruntime on the CPU; outputs by name."""
        from bringup.harness.frontend.onnx_program import run_onnxruntime

        return run_onnxruntime(model, inputs)
