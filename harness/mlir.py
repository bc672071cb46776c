# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""torch-mlir: from a graph to torch dialect, torch backend IR, StableHLO, portable bytes.

The parts of torch-mlir that are driven here: its pipelines and the StableHLO serialiser it ships.
A failing pass says little in its exception, so every context carries a handler that collects
diagnostics with their locations. Nothing here imports torch, so that device hosts can lower too;
`fx_import` makes the torch dialect from an FX graph.
"""

import contextlib
import io
import sys
import types
from collections.abc import Iterator
from typing import Any

from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo, _torchMlir
from torch_mlir.passmanager import PassManager

from bringup.harness.errors import HarnessError
from bringup.harness.storage.writable import said_by

_BACKEND_PIPELINE = "builtin.module(torchdynamo-export-to-torch-backend-pipeline)"
_ONNX_BACKEND_PIPELINE = "builtin.module(torch-onnx-to-torch-backend-pipeline)"
STABLEHLO_PIPELINE = "builtin.module(torch-backend-to-stablehlo-backend-pipeline)"

sys.modules.setdefault("torch_mlir.dialects.stablehlo", types.ModuleType("stablehlo"))
# The bindings look for Python classes of a dialect at every op they meet until they find some, a
# tenth of a millisecond each time; torch-mlir ships none of StableHLO.

FULL_TEXT_LIMIT = 4 << 20
"""Bytes of bytecode up to which a module's text is kept whole; above, large constants are cut."""
_ELIDE_ABOVE = 256  # elements


class LoweringError(HarnessError):
    """torch-mlir gave up. `diagnostic` holds everything it said, with locations."""

    def __init__(self, message: str, diagnostic: str) -> None:
        super().__init__(message)
        self.diagnostic = diagnostic


class TorchMlir:
    """One MLIR context with the dialects of the whole path, and the steps through them.

    With `trace`, every pass that changes a module prints what it made of it to standard error.
    """

    def __init__(self, *, trace: bool = False) -> None:
        self.context = ir.Context()
        self._trace = trace
        _torchMlir.register_dialect(self.context)  # `dialects.torch` has a class for each op
        _stablehlo.register_dialect(self.context)
        self._managers: dict[str, PassManager] = {}

    def run(self, module: ir.Module, pipeline: str) -> None:
        """Run a textual pipeline on a module, in place.

        Raises:
            LoweringError: a pass failed.
        """
        with self.explained():
            self._manager(pipeline).run(module.operation)

    def _manager(self, pipeline: str) -> PassManager:
        """A pipeline's passes; once they have run, their patterns are ready: half the time."""
        if pipeline not in self._managers:
            passes = PassManager.parse(pipeline, context=self.context)
            if self._trace:
                self.context.enable_multithreading(False)  # else their texts mix
                passes.enable_ir_printing(
                    print_before_all=False,
                    print_after_all=True,
                    print_after_change=True,
                    large_elements_limit=_ELIDE_ABOVE,
                )
            self._managers[pipeline] = passes
        return self._managers[pipeline]

    def to_backend(self, module: ir.Module) -> None:
        """What an importer made to torch backend IR, in place.

        Raises:
            LoweringError: a pass failed.
        """
        self.run(module, _ONNX_BACKEND_PIPELINE if _holds_onnx(module) else _BACKEND_PIPELINE)

    def to_stablehlo(self, module: ir.Module) -> None:
        """Torch backend IR to clean StableHLO, in place."""
        self.run(module, STABLEHLO_PIPELINE)
        replace_arith_constants(module)

    def portable(self, module: ir.Module, newest: str = "") -> bytes:
        """The portable artifact at this torch-mlir's StableHLO version, or at `newest` if older."""
        current: str = _stablehlo.get_current_version()
        version = min(newest or current, current, key=_numbers)
        with self.explained():
            return bytes(_stablehlo.serialize_portable_artifact(module, version))

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn whatever goes wrong inside into a LoweringError with every diagnostic in it."""
        said: list[str] = []

        def collect(diagnostic: Any) -> bool:
            said.append(_render(diagnostic))
            return True

        handler = self.context.attach_diagnostic_handler(collect)
        try:
            yield
        except ir.MLIRError as error:
            said += [_render(d) for d in error.error_diagnostics]
            raise _refusal(said, error) from error
        except Exception as error:  # the importer raises whatever it likes
            raise _refusal(said, error) from error
        finally:
            handler.detach()


def _refusal(said: list[str], error: Exception) -> LoweringError:
    why = said_by(error)
    first = said[0].partition(" at loc(")[0].strip() if said else ""
    text = "\n".join([*said, f"{type(error).__name__}: {why}"])
    return LoweringError((first or why).splitlines()[0][:500], text)


def read(mlir: TorchMlir, artifact: bytes) -> ir.Module:
    """A module from a portable artifact, verified.

    Raises:
        LoweringError: the bytes are no artifact this StableHLO reads.
    """
    with mlir.explained():
        return _stablehlo.deserialize_portable_artifact(mlir.context, artifact)


def main_of(module: ir.Module) -> ir.Operation:
    """A module's entry point.

    Raises:
        LoweringError: it has none.
    """
    table = ir.SymbolTable(module.operation)
    if "main" not in table:
        raise LoweringError("the module has no function named main", str(module)[:2000])
    return table["main"].operation


def at_version(artifact: bytes, version: str) -> bytes:
    """A portable artifact at an older StableHLO version, for a device that takes no newer.

    Raises:
        LoweringError: it uses something the older version does not have.
    """
    if not version or _numbers(version) >= _numbers(_stablehlo.get_current_version()):
        return artifact
    mlir = TorchMlir()
    with mlir.explained():
        module = _stablehlo.deserialize_portable_artifact(mlir.context, artifact)
        return bytes(_stablehlo.serialize_portable_artifact(module, version))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def replace_arith_constants(module: ir.Module) -> None:
    """Replace each tensor `arith.constant` by a `stablehlo.constant`, in place.

    torch-mlir leaves them behind; PJRT plugins refuse a module of mixed dialects.
    """
    found: list[ir.Operation] = []

    def visit(operation: ir.Operation) -> ir.WalkResult:
        if operation.name == "arith.constant" and isinstance(
            operation.results[0].type, ir.RankedTensorType
        ):
            found.append(operation)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for operation in found:
        with operation.location, ir.InsertionPoint(operation):
            new = ir.Operation.create(
                "stablehlo.constant",
                results=[operation.results[0].type],
                attributes={"value": operation.attributes["value"]},
            )
        operation.results[0].replace_all_uses_with(new.results[0])
        operation.erase()


def _holds_onnx(module: ir.Module) -> bool:
    """Is it as torch-mlir's ONNX importer made it? Its functions name the opset."""
    return any(
        name.startswith("torch.onnx_meta.")
        for operation in module.body.operations
        for name in operation.attributes
    )


def serialized(module: ir.Module) -> bytes:
    """A module as text, or as bytecode where that has more than `FULL_TEXT_LIMIT` bytes."""
    bytecode = io.BytesIO()
    module.operation.write_bytecode(bytecode)
    if bytecode.tell() > FULL_TEXT_LIMIT:
        return bytecode.getvalue()
    return text_of(module).encode()


def text_of(module: ir.Module, *, whole: bool = True) -> str:
    """A module's text; `whole=False` cuts constants of more than a few hundred elements."""
    if whole:
        return str(module.operation.get_asm())
    return str(
        module.operation.get_asm(large_elements_limit=_ELIDE_ABOVE, large_resource_limit=1024)
    )


def _render(diagnostic: Any) -> str:
    notes = "".join(f"\n  note: {note.message}" for note in diagnostic.notes)
    return f"{diagnostic.message} at {diagnostic.location}{notes}"
