# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Running an op's reproducer and saying whether it ends the same.

The op takes the way it took at night, `Device.run_op` in a device host, and its outputs are
compared with the same golden.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.devices.client import Device
from harness.devices.lease import lease
from harness.devices.op_run import OpJob, OpRun
from harness.errors import DeviceError, RecordError
from harness.frontend.mlir import LoweringError, TorchMlir, serialized
from harness.op_by_op.judge import conclude
from harness.op_by_op.reproducer import (
    ARTIFACT,
    FX_JSON,
    ONNX,
    TORCH_IR,
    Expected,
    fingerprint_of,
)
from harness.op_by_op.restored import golden_of, inputs_of, onnx_model, read_file
from harness.records.schema import Failure, Outcome, Stage, Status
from harness.verify import Tolerances

if TYPE_CHECKING:
    from harness.op_by_op.reference import Golden

_MESSAGE_LENGTH = 2000


@dataclass(frozen=True)
class Ending:
    """How an op ended."""

    status: Status
    outcome: Outcome
    failure: Failure | None = None
    diagnostic: str = ""
    """The whole text behind the failure."""


def compared(expected: Expected, ending: Ending) -> tuple[bool, str]:
    """Whether an op ended as expected, and a sentence that says so."""
    name = expected.op.name
    found = fingerprint_of(name, ending.outcome, ending.failure)
    wanted = fingerprint_of(name, expected.outcome, expected.failure)
    said = (
        f"It ended {ending.outcome.value} at status {ending.status.value},"
        f" {ending.status.name}, with fingerprint {found or 'none'}"
    )
    if (found, ending.outcome) == (wanted, expected.outcome):
        return True, f"{said}: the same as expected."
    before = f"{expected.outcome.value} with {wanted or 'none'}"
    return False, f"{said}: not the same as expected, {before}."


def reproduce(folder: Path, expected: Expected) -> Ending:
    """Run the op of a reproducer.

    Raises:
        DeviceError: the device cannot be had here, or the machine failed: nothing was found out.
        RecordError: the reproducer is damaged, or holds nothing to start at.
    """
    torch_ir, stablehlo = read_file(folder / TORCH_IR), read_file(folder / ARTIFACT)
    if _is_onnx(folder) or not (torch_ir or stablehlo):
        try:
            torch_ir = _imported(folder)
        except LoweringError as error:
            why = Failure(Stage.TORCH_IR, "LoweringError", str(error)[:_MESSAGE_LENGTH])
            return Ending(Status.CREATED_GRAPH, Outcome.FAILED, why, error.diagnostic)
    inputs = inputs_of(folder)
    before = expected.executes is None  # written by a program that did not say
    job = OpJob(
        torch_ir=torch_ir,
        stablehlo=b"" if torch_ir else stablehlo,
        options=expected.options,
        inputs=tuple(inputs),
        execute=bool(inputs) if before else bool(expected.executes),
    )
    device = Device(expected.device, memory_limit=expected.memory_limit)
    try:
        with lease(device.name):
            run = device.run_op(job, expected.deadline_s)
    finally:
        device.close()
    ending = _ending(run, lambda: golden_of(folder, expected, inputs), expected)
    if ending.outcome is Outcome.INFRA:
        said = ending.failure.message if ending.failure else "it gave no answer"
        raise DeviceError(f"{expected.device}: {said}")
    return ending


def _imported(folder: Path) -> bytes:
    """The op, or the part of a model, in the torch dialect, imported here and now.

    Raises:
        LoweringError: the importer refuses it.
        RecordError: there is nothing to import.
    """
    if _is_onnx(folder):
        from harness.frontend.onnx_program import import_model

        return serialized(import_model(TorchMlir(), onnx_model(folder / ONNX)))
    from harness.frontend.fx_import import import_graph
    from harness.op_by_op.fx_json import FxJsonError, loads

    text = read_file(folder / FX_JSON)
    if not text:
        raise RecordError(
            f"{folder}: there is no {TORCH_IR}, {ARTIFACT}, {FX_JSON} or {ONNX}: the op takes"
            " something that cannot be written down, so there is nothing to run; see fx.txt"
        )
    try:
        graph = loads(text)
    except FxJsonError as error:
        raise RecordError(f"{folder / FX_JSON}: {error}") from error
    return serialized(import_graph(TorchMlir(), graph))


def _is_onnx(folder: Path) -> bool:
    return (folder / ONNX).is_file()


def _ending(run: OpRun, golden: "Callable[[], Golden]", expected: Expected) -> Ending:
    """What the night says of such a run too: they have one judge."""
    compares = run.outputs is not None
    tolerances = msgspec.convert(expected.tolerances, Tolerances) if compares else Tolerances()
    end = conclude(run, golden, tolerances)
    if end.golden is not None and end.golden.outputs is None:
        print(f"what it must compute is not known: {end.golden.reason}")
    return Ending(end.status, end.outcome, end.failure, end.diagnostic)
