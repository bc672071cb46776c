# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Running an op's reproducer and saying whether it ends the same.

The op takes the way it took at night, `Device.run_op` in a device host, and its outputs are
compared with the same golden.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.devices.client import Device
from harness.devices.lease import lease
from harness.devices.op_run import Ended, OpJob, OpRun
from harness.errors import DeviceError, RecordError, UsageError
from harness.frontend.mlir import LoweringError, TorchMlir, serialized
from harness.op_by_op.reproducer import (
    ARTIFACT,
    EXPECTED,
    FX_JSON,
    GOLDEN,
    INPUTS,
    ONNX,
    TORCH_IR,
    Expected,
    fingerprint_of,
    has_drawn,
    is_seeded,
    read_bytes_of,
)
from harness.records.reproducible import REPRO_FOLDER
from harness.records.schema import Failure, Outcome, Stage, Status

if TYPE_CHECKING:
    import torch

_MESSAGE_LENGTH = 2000
_ENDS = {
    Ended.REFUSED: Outcome.FAILED,
    Ended.CRASH: Outcome.CRASHED,
    Ended.TIMEOUT: Outcome.TIMEOUT,
}
_REACHED = {
    Stage.TORCH_IR: Status.CONVERTED_TO_TORCH_IR,
    Stage.TORCH_BACKEND_IR: Status.CONVERTED_TO_TORCH_BACKEND_IR,
    Stage.STABLEHLO: Status.CONVERTED_TO_STABLE_HLO,
    Stage.COMPILE: Status.CONVERTED_TO_TTNN,
    Stage.EXECUTE: Status.EXECUTED,
}


@dataclass(frozen=True)
class Ending:
    """How an op ended."""

    status: Status
    outcome: Outcome
    failure: Failure | None = None
    diagnostic: str = ""
    """The whole text behind the failure."""


def find(which: str, results: Path) -> Path:
    """The directory of a reproducer: `which` itself, or the newest below `results/*/repro`.

    `which` is an op's whole key, its first digits, or a directory's name or path.

    Raises:
        UsageError: nothing, or several different ones, go by that name.
    """
    if (Path(which) / EXPECTED).is_file():
        return Path(which)
    kept: dict[str, Path] = {}
    for path in sorted(results.glob(f"*/{REPRO_FOLDER}/[!.]*/{EXPECTED}"), key=_written):
        kept[path.parent.name] = path.parent  # the newest of a name stays
    if which in kept:
        return kept[which]
    names = [name for name in kept if which and _goes_by(which, name)]
    if len(names) == 1:
        return kept[names[0]]
    if names:
        raise UsageError(
            f"{which!r} may be any of {len(names)} reproducers; name one:"
            f" {', '.join(sorted(names)[:8])}"
        )
    near = difflib.get_close_matches(which, kept, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {len(kept)} of other keys"
    raise UsageError(f"there is no reproducer {which!r} in {results}/*/{REPRO_FOLDER}; {hint}")


def _goes_by(which: str, name: str) -> bool:
    key = name.partition("-")[0]
    return name.startswith(which) or which.startswith(key)


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


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
        DeviceError: the device cannot be had here.
        RecordError: the reproducer is damaged, or holds nothing to start at.
    """
    torch_ir, stablehlo = _read(folder / TORCH_IR), _read(folder / ARTIFACT)
    if _is_onnx(folder) or not (torch_ir or stablehlo):
        try:
            torch_ir = _imported(folder)
        except LoweringError as error:
            why = Failure(Stage.TORCH_IR, "LoweringError", str(error)[:_MESSAGE_LENGTH])
            return Ending(Status.CREATED_GRAPH, Outcome.FAILED, why, error.diagnostic)
    inputs, golden = _values(folder, expected)
    job = OpJob(
        torch_ir=torch_ir,
        stablehlo=b"" if torch_ir else stablehlo,
        options=expected.options,
        inputs=tuple(inputs),
        execute=bool(golden),
    )
    device = Device(expected.device, memory_limit=expected.memory_limit)
    try:
        with lease(device.name):
            run = device.run_op(job, expected.deadline_s)
    finally:
        device.close()
    return _ending(run, golden, expected)


def _imported(folder: Path) -> bytes:
    """The op, or the part of a model, in the torch dialect, imported here and now.

    Raises:
        LoweringError: the importer refuses it.
        RecordError: there is nothing to import.
    """
    if _is_onnx(folder):
        return _imported_onnx(folder / ONNX)
    from harness.frontend.fx_import import import_graph
    from harness.op_by_op.fx_json import FxJsonError, loads

    text = _read(folder / FX_JSON)
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


def _imported_onnx(path: Path) -> bytes:
    import onnx

    from harness.frontend.onnx_program import import_model

    try:
        model = onnx.load_model_from_string(_read(path))
    except Exception as error:  # protobuf's own, which go by other names from release to release
        raise RecordError(f"{path}: this is no ONNX model: {error}") from error
    return serialized(import_model(TorchMlir(), model))


def _values(folder: Path, expected: Expected) -> "tuple[list[torch.Tensor], list[torch.Tensor]]":
    """Inputs and golden: as they were, or both anew where the inputs were too large to keep."""
    from harness.op_by_op.reference import References, close_references, seeded_inputs
    from harness.op_by_op.stablehlo_ops import split

    if is_seeded(folder):
        (op,) = split(_read(folder / ARTIFACT))
        inputs = seeded_inputs(op)
        answer = References(expected.device).ask(op, inputs)()
        close_references()
        return inputs, answer.outputs or []
    inputs = read_bytes_of(folder, INPUTS)
    if not has_drawn(folder):
        return inputs, read_bytes_of(folder, GOLDEN)
    print("inputs above 4 MiB were not kept; they are drawn anew, with the spread they had")
    return inputs, _computed(_read(folder / FX_JSON), inputs)


def _computed(text: bytes, inputs: "list[torch.Tensor]") -> "list[torch.Tensor]":
    import torch

    from harness.op_by_op.fx_json import loads, owned

    with torch.no_grad():
        outputs = torch.fx.Interpreter(owned(loads(text), {})).run(*inputs)
    return list(outputs)


def _ending(run: OpRun, golden: Sequence[object], expected: Expected) -> Ending:
    from harness.verify import Tolerances, compare, mismatches, verdict

    failure = run.failure
    status = _REACHED[run.stage] if run.stage else Status.CREATED_GRAPH
    if failure is not None:
        if run.ended is Ended.INFRA:
            raise DeviceError(f"{expected.device}: {failure.message}")
        if failure.stage is Stage.COMPILE and any(level.name == "ttir" for level in run.levels):
            status = Status.CONVERTED_TO_TTIR
        why = Failure(failure.stage, failure.kind, failure.message[:_MESSAGE_LENGTH])
        return Ending(status, _ENDS[run.ended], why, failure.diagnostic)
    if run.outputs is None:
        return Ending(status, Outcome.REACHED)
    tolerances = msgspec.convert(expected.tolerances, Tolerances)
    checks = compare(list(golden), list(run.outputs), tolerances)
    if verdict(checks):
        return Ending(status, Outcome.PASSED)
    said = "\n".join(mismatches(checks))
    wrong = Failure(Stage.VERIFY, Outcome.INCORRECT.value, said[:_MESSAGE_LENGTH])
    return Ending(status, Outcome.INCORRECT, wrong, said)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
