# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One op through its stages, inside the device host: lower, compile, run.

torch-mlir is imported on the first op (a quarter of a second without torch), and its context is
kept from op to op: making one costs more than lowering with it. Its threads are off; hosts run
side by side and one op has nothing to share out.
"""

import hashlib
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bringup.harness.device_host.usage import Meter
from bringup.harness.devices.backend import Array, Backend, CompileError, Opening
from bringup.harness.devices.wire import Level, Reached, Refused, RunOp, Usage
from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Stage
from bringup.harness.storage.writable import said_by

if TYPE_CHECKING:
    from torch_mlir import ir

    from bringup.harness.mlir import TorchMlir

_Result = TypeVar("_Result")
_PROGRAMS_KEPT = 1024
"""XLA's take 175 KiB each."""
_OF_THE_HOST = ("cpu", "llvm-cpu")
"""Kinds of device whose programs take none of a device's memory."""
_PORTABLE_PRODUCER = b"StableHLO_v"
"""What a portable artifact's bytecode names as its producer, within its first bytes."""


class OpStageError(Exception):
    """A stage refused; `refused` is the reply."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


@dataclass(frozen=True)
class Step:
    """A stage that was passed, and the executable once there is one."""

    reached: Reached
    executable: Any = None


class OpStages:
    """Takes ops through the stages on one open device."""

    def __init__(self, backend: Backend, opening: Opening) -> None:
        self._backend = backend
        self._opening = opening
        self._mlir: TorchMlir | None = None
        self._programs: dict[bytes, tuple[Any, tuple[Level, ...]]] = {}
        """What was compiled last, the latest at the end: an op of PyTorch often lowers to the very
        program that one of StableHLO is, and half of an op's time is its compiler's."""
        self._keeps = not opening.executes or opening.kind in _OF_THE_HOST

    def runs(self, request: RunOp) -> bool:
        """Is the op to be executed, here?"""
        return request.execute and self._opening.executes

    def compile(self, request: RunOp) -> Iterator[Step]:
        """Lower and compile, one step per stage as it is passed.

        Raises:
            OpStageError: a stage refused.
        """
        if request.torch_ir:
            module, reached = _stage(Stage.TORCH_IR, lambda: self._parsed(request.torch_ir))
            yield Step(reached)
            yield Step(_stage(Stage.TORCH_BACKEND_IR, lambda: self._to_backend(module))[1])
            artifact, reached = _stage(Stage.STABLEHLO, lambda: self._to_stablehlo(module))
        else:
            artifact, reached = _stage(Stage.STABLEHLO, lambda: self._read(request.stablehlo))
        yield Step(reached)
        text = "".join(level.text for level in reached.levels)
        executable, reached = _stage(
            Stage.COMPILE, lambda: self._program(text, artifact, request.options)
        )
        yield Step(reached, executable)

    def run(self, executable: Any, inputs: Sequence[Array]) -> tuple[list[Array], Usage]:
        """Run the compiled op; its outputs and what that cost.

        Raises:
            OpStageError: the runtime refused.
        """
        outputs, reached = _stage(
            Stage.EXECUTE, lambda: (self._backend.run(executable, inputs), ())
        )
        return outputs, reached.usage

    def _program(
        self, text: str, artifact: bytes, options: dict[str, str]
    ) -> tuple[Any, tuple[Level, ...]]:
        """What `artifact` compiles to, whose whole text is `text`: where it came from differs."""
        key = hashlib.sha256(repr((sorted(options.items()), text)).encode()).digest()
        found = self._programs.pop(key, None) or self._backend.compile(artifact, options)
        if self._keeps:
            self._programs[key] = found
            if len(self._programs) > _PROGRAMS_KEPT:
                del self._programs[next(iter(self._programs))]
        return found

    def _lowering(self) -> "TorchMlir":
        if self._mlir is None:
            from bringup.harness.mlir import TorchMlir

            self._mlir = TorchMlir()
            self._mlir.context.enable_multithreading(False)
        return self._mlir

    def _parsed(self, torch_ir: bytes) -> "tuple[ir.Module, tuple[Level, ...]]":
        module = self._parse(torch_ir)
        return module, _level(Stage.TORCH_IR, module)

    def _parse(self, source: bytes) -> "ir.Module":
        from torch_mlir import ir

        mlir = self._lowering()
        with mlir.explained():
            return ir.Module.parse(source, context=mlir.context)

    def _to_backend(self, module: "ir.Module") -> tuple[None, tuple[Level, ...]]:
        self._lowering().to_backend(module)
        return None, _level(Stage.TORCH_BACKEND_IR, module)

    def _to_stablehlo(self, module: "ir.Module") -> tuple[bytes, tuple[Level, ...]]:
        self._lowering().to_stablehlo(module)
        return self._portable(module)

    def _read(self, stablehlo: bytes) -> tuple[bytes, tuple[Level, ...]]:
        from torch_mlir._mlir_libs import _stablehlo

        if _PORTABLE_PRODUCER in stablehlo[:64]:
            mlir = self._lowering()
            with mlir.explained():
                module = _stablehlo.deserialize_portable_artifact(mlir.context, stablehlo)
        else:
            module = self._parse(stablehlo)
        return self._portable(module)

    def _portable(self, module: "ir.Module") -> tuple[bytes, tuple[Level, ...]]:
        """The artifact at the newest version that both we and the device take, and the text."""
        levels = _level(Stage.STABLEHLO, module)  # serialising turns the module into VHLO
        return self._lowering().portable(module, self._opening.stablehlo_version), levels


def _level(stage: Stage, module: "ir.Module") -> tuple[Level, ...]:
    from bringup.harness.mlir import text_of

    return (Level(stage.value, text_of(module)),)


def _stage(
    stage: Stage, step: Callable[[], tuple[_Result, tuple[Level, ...]]]
) -> tuple[_Result, Reached]:
    """Take one step; whatever goes wrong in it becomes the refusal of that stage."""
    meter = Meter()
    try:
        result, levels = step()
    except Exception as error:  # whatever a library raises is the answer
        if not isinstance(error, CompileError | HarnessError):
            traceback.print_exc()
        raise OpStageError(_refused(stage, error, Usage(*meter.read()))) from error
    return result, Reached(stage, levels, Usage(*meter.read()))


def _refused(stage: Stage, error: Exception, usage: Usage) -> Refused:
    return Refused(
        type(error).__name__,
        said_by(error),
        error.levels if isinstance(error, CompileError) else (),
        usage=usage,
        stage=stage,
        diagnostic=getattr(error, "diagnostic", "") if isinstance(error, HarnessError) else "",
    )
