# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Running an op's reproducer and saying whether it ends the same.

The op takes the way it took at night, `Device.run_op` in a device host, and its outputs are
compared with the same golden.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bringup.harness.device_host.client import OPEN_TIMEOUT, Device
from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.device_host.probe import PROBE_DEADLINE
from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import DeviceError, RecordError, UsageError
from bringup.harness.mlir import LoweringError, TorchMlir, serialized
from bringup.harness.op_by_op.judge import close_run
from bringup.harness.records.reproducible import ARTIFACT, EXPECTED, FX_JSON, ONNX, TORCH_IR
from bringup.harness.records.schema import Failure, Outcome, Stage, Status
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce.pass_blame import blame, can_blame
from bringup.harness.reproduce.reproducer import Expected, fingerprint_of
from bringup.harness.reproduce.restore import golden_of, inputs_of, onnx_model, read_file
from bringup.harness.storage.decoding import UNDECODABLE, why_not
from bringup.harness.storage.writable import writable

if TYPE_CHECKING:
    from bringup.harness.reference.references import Golden
    from bringup.harness.verify import Tolerances

_MESSAGE_LENGTH = 2000
_LONGEST_S = 86400.0
_PASSES_S = 20.0
"""Seconds that looking for the pass that is to blame may take."""
_LEAST_S = 60.0
"""Seconds that an import or a golden may take at least, whatever the op's own deadline was."""
_CALLS_OUT = re.compile(rb"python_\w{0,20}callback")
"""Targets of jax's custom calls that hand a pointer out of the program to Python."""
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class OpOutcome:
    """How an op ended."""

    status: Status
    outcome: Outcome
    failure: Failure | None = None
    diagnostic: str = ""
    """The whole text behind the failure."""


def compared(expected: Expected, found: OpOutcome) -> tuple[bool, str]:
    """Whether an op ended as expected, and a sentence that says so."""
    name = expected.op.name
    cause = fingerprint_of(name, found.outcome, found.failure)
    wanted = fingerprint_of(name, expected.outcome, expected.failure)
    said = (
        f"It ended {found.outcome.value} at status {found.status.value},"
        f" {found.status.name}, with fingerprint {cause or 'none'}"
    )
    if (cause, found.outcome) == (wanted, expected.outcome):
        return True, f"{said}: the same as expected."
    before = f"{expected.outcome.value} with {wanted or 'none'}"
    return False, f"{said}: not the same as expected, {before}."


def reproduce(
    folder: Path, expected: Expected, *, trust: bool = False, passes: bool = True
) -> OpOutcome:
    """Run the op of a reproducer. Unless there is `trust` in whoever wrote it, what could run
    more than an op of PyTorch, ONNX or StableHLO is refused. With `passes` the compiler's pass that
    makes its numbers wrong is looked for and printed, where they are.

    Raises:
        DeviceError: the device cannot be had here, or the machine failed: nothing was found out.
        RecordError: the reproducer is damaged, or holds nothing to start at.
        UsageError: it needs trust, or there is no such device.
    """
    kind_of(expected.device)
    tolerances = _tolerances(folder, expected)
    torch_ir, stablehlo = read_file(folder / TORCH_IR), read_file(folder / ARTIFACT)
    if not trust:
        _refuse_untrusted(folder, expected, torch_ir, stablehlo)
    allowed = max(expected.deadline_s, _LEAST_S)
    apart.say(Stage.TORCH_IR, allowed)
    if _is_onnx(folder) or not (torch_ir or stablehlo):
        try:
            torch_ir = _imported(folder, trust)
        except LoweringError as error:
            why = Failure(Stage.TORCH_IR, "LoweringError", str(error)[:_MESSAGE_LENGTH])
            return OpOutcome(Status.CREATED_GRAPH, Outcome.FAILED, why, error.diagnostic)
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
    apart.say(None, None)  # whoever holds the device may take long
    try:
        with device.leased():
            apart.say(None, OPEN_TIMEOUT + PROBE_DEADLINE + expected.deadline_s + _LEAST_S)
            run = device.run_op(job, expected.deadline_s)
    finally:
        device.close()
    golden = cache(partial(golden_of, folder, expected, inputs, trust=trust))
    apart.say(Stage.GOLDEN, allowed)
    found = _judged(run, golden, tolerances)
    if passes and found.outcome is Outcome.INCORRECT:
        apart.say(Stage.COMPILE, OPEN_TIMEOUT + _PASSES_S)
        _name_the_pass(expected, job, run, golden, tolerances)
    return _of_the_op(found, f"{expected.device}: ")


def _name_the_pass(
    expected: Expected,
    job: OpJob,
    wrong: OpRun,
    golden: "Callable[[], Golden]",
    tolerances: "Tolerances",
) -> None:
    """Say which pass of the compiler makes the numbers wrong, as they were in a run."""
    if not can_blame(kind_of(expected.device)):
        print(f"The compiler of {expected.device} has no option that leaves out one of its passes.")
        return

    def is_wrong(run: OpRun) -> bool:
        pairs = zip(run.outputs or (), wrong.outputs or (), strict=True)
        if all(ours.equal(theirs) for ours, theirs in pairs):  # judging takes longer than running
            return True
        return close_run(run, golden, tolerances).outcome is Outcome.INCORRECT

    device = Device(expected.device, memory_limit=expected.memory_limit)
    try:
        with device.leased():
            blamed = blame(device, job, is_wrong, expected.deadline_s, _PASSES_S)
    finally:
        device.close()
    print(blamed.told())


def outcome_of_run(run: OpRun) -> OpOutcome:
    """How something ended that took the process it was in with it, by the night's own judge.

    Raises:
        DeviceError: the machine failed, or somebody ended it: nothing was found out.
    """
    from bringup.harness.verify import Tolerances

    end = close_run(run, lambda: None, Tolerances())
    return _of_the_op(OpOutcome(end.status, end.outcome, end.failure, end.diagnostic))


def _of_the_op(found: OpOutcome, where: str = "") -> OpOutcome:
    if found.outcome is Outcome.INFRA:
        said = found.failure.message if found.failure else "it gave no answer"
        raise DeviceError(f"{where}{said}")
    return found


def _tolerances(folder: Path, expected: Expected) -> "Tolerances":
    """What is asked of its outputs; its deadline is looked at on the way."""
    from bringup.harness.verify import Tolerances

    try:
        if not 0 < expected.deadline_s <= _LONGEST_S:
            raise ValueError(f"a deadline of {expected.deadline_s:g} s")
        return msgspec.convert(expected.tolerances, Tolerances)
    except UNDECODABLE as error:
        raise RecordError(f"{folder / EXPECTED}: it cannot be run: {why_not(error)}") from None


def _refuse_untrusted(folder: Path, expected: Expected, *programs: bytes) -> None:
    """Options of a compiler and calls out of a program reach further than an op."""
    known = set(kind_of(expected.device).optimizer_options.items())
    for name, value in expected.options.items():
        if (name, value) not in known:
            raise UsageError(
                f"{folder / EXPECTED}: the compiler's option {writable(name)[:80]!r} is none that"
                " we set; if you know who wrote it, --trust takes it"
            )
    for program in programs:
        if _CALLS_OUT.search(_ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()), program)):
            raise UsageError(
                f"{folder}: its program calls back into Python, which no op does; if you know who"
                " wrote it, --trust takes it"
            )


def _imported(folder: Path, trust: bool) -> bytes:
    """The op, or the part of a model, in the torch dialect, imported here and now.

    Raises:
        LoweringError: the importer refuses it.
        RecordError: there is nothing to import.
    """
    if _is_onnx(folder):
        from bringup.harness.frontend.onnx_program import import_model

        return serialized(import_model(TorchMlir(), onnx_model(folder / ONNX)))
    from bringup.harness.frontend.fx_import import import_graph
    from bringup.harness.ops.fx_json import FxJsonError, loads

    text = read_file(folder / FX_JSON)
    if not text:
        raise RecordError(
            f"{folder}: there is no {TORCH_IR}, {ARTIFACT}, {FX_JSON} or {ONNX}: the op takes"
            " something that cannot be written down, so there is nothing to run; see fx.txt"
        )
    try:
        graph = loads(text, trust=trust)
    except FxJsonError as error:
        raise RecordError(f"{folder / FX_JSON}: {error}") from error
    return serialized(import_graph(TorchMlir(), graph))


def _is_onnx(folder: Path) -> bool:
    return (folder / ONNX).is_file()


def _judged(run: OpRun, golden: "Callable[[], Golden]", tolerances: "Tolerances") -> OpOutcome:
    """What the night says of such a run too: they have one judge."""
    end = close_run(run, golden, tolerances)
    if end.golden is not None and end.golden.outputs is None:
        print(f"what it must compute is not known: {end.golden.reason}")
    return OpOutcome(end.status, end.outcome, end.failure, end.diagnostic)
