# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A reproducer: one directory with all it takes to see an op fail again, away from its model.

    op.torch.mlir          the one-op module in the torch dialect, where the op came from torch
    op.stablehlo.mlir      the same in StableHLO, for people, where it came so far
    op.vhlo                the same as a portable artifact, for devices
    fx.txt                 the FX node, for people
    fx.json                the same, to be imported or computed again (`fx_json`)
    part.onnx              of a part of an ONNX model: it as a model, imported for each run
    part.onnx.txt          the same, for people
    inputs.bin, .json      operands as raw bytes, and their dtypes, shapes and places in the file
    golden.bin, .json      what PyTorch or the reference made of them
    versions.json          what was installed
    expected.json          `Expected`: how it ended
    run.py                 runs it

An operand above `DRAWN_ABOVE` (4 MiB) is not kept: `inputs.json` says how to draw its like from a
seed (`drawn`), or, of a StableHLO op, whose inputs come from its key anyway, that it comes from
there. A golden is kept up to the same size, and only of inputs that are kept; else it is computed
again once the op has run.

What could not be had is left out. Nothing is pickled. `bringup.harness.repro` runs it.
"""

import contextlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bringup.harness.devices.wire import layout
from bringup.harness.errors import HarnessError, RecordError
from bringup.harness.records.fingerprint import fingerprint
from bringup.harness.records.reproducible import (
    ARTIFACT,
    EXPECTED,
    FX,
    FX_JSON,
    GOLDEN,
    INPUTS,
    ONNX,
    REPRO_FOLDER,
    RUN_OP,
    RUN_SCRIPT,
    STABLEHLO,
    TORCH_IR,
    VERSIONS,
    folder_name,
)
from bringup.harness.records.schema import Failure, Metric, Op, OpVerdict, Outcome, Stage, Status
from bringup.harness.records.versions import decode_versioned
from bringup.harness.reproduce.random_operands import DRAWN_ABOVE, Drawn, description_of, draw
from bringup.harness.storage.atomic import cannot_write
from bringup.harness.storage.decoding import UNDECODABLE, decode_json, read_bytes, why_not
from bringup.harness.storage.writable import encoded

if TYPE_CHECKING:
    import torch

    from bringup.harness.verify import Tolerances

REPRODUCER_SCHEMA = 1
SEEDED = "from the op's key"
"""What `inputs.json` says of a StableHLO op whose inputs are not kept."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """How the op ended when the reproducer was written, and how it was run."""

    op: Op
    device: str
    status: Status
    outcome: Outcome
    fingerprint: str
    stage: Stage | None
    """Where it ended; None when it did not fail."""
    deadline_s: float
    """Seconds, all stages together."""
    memory_limit: int = 0
    """Bytes of private memory of the host; 0 for none."""
    executes: bool | None = None
    """Was it to be run, not compiled only? None: where it has inputs."""
    failure: Failure | None = None
    """Its diagnostic lies in the run's artifacts, not here."""
    pcc: Metric | None = None
    atol: Metric | None = None
    options: dict[str, str] = {}
    """The device compiler's."""
    tolerances: dict[str, bool | float | str | None] = {}
    """`Tolerances` by field; empty for the defaults."""
    origin: str = ""
    """Run id of the run that computed it."""
    schema: int = REPRODUCER_SCHEMA


def fingerprint_of(op_name: str, outcome: Outcome, failure: Failure | None) -> str:
    """The fingerprint of how something ended; empty without a failure.

    A crash and a deadline leave the words of whoever noticed: only the signal and the stage
    count. Of a wrong result counts what was wrong, not which output it was found in first.
    """
    if failure is None:
        return ""
    said = failure.message
    if outcome in (Outcome.CRASHED, Outcome.TIMEOUT):
        said = failure.kind
    elif outcome is Outcome.INCORRECT:
        said = said.partition(": ")[2] or said
    return fingerprint(failure.stage or "", op_name, said or failure.kind)


def write_reproducer(
    folder: Path,
    verdict: OpVerdict,
    *,
    stablehlo: bytes | None,
    stablehlo_text: bytes = b"",
    torch_ir: str | bytes | None,
    fx_text: str = "",
    fx_json: bytes = b"",
    sources: Mapping[str, bytes] | None = None,
    inputs: "Sequence[torch.Tensor]",
    keep_inputs: bool = False,
    golden: "Sequence[torch.Tensor]",
    executes: bool,
    device: str,
    deadline_s: float,
    versions: Mapping[str, str],
    options: Mapping[str, str],
    tolerances: "Tolerances | None" = None,
    memory_limit: int = 0,
) -> Path:
    """Write the reproducer of a verdict below `folder`, a run directory; return its directory.

    It appears whole or not at all, and takes the place of an older one of the same op and device.
    `stablehlo` is a portable artifact to start at, `stablehlo_text` what a lowering made of the
    op. `sources` are further files, by name, of the graph that the op was imported from; with
    `keep_inputs` inputs are kept whatever their size, and so is the golden of a wrong result that
    nobody could compute again. `golden` may be empty for an op that was not compared.

    Raises:
        RecordError: the disk is full or gone.
    """
    expected = Expected(
        op=verdict.op,
        device=device,
        status=verdict.status,
        outcome=verdict.outcome,
        fingerprint=verdict.fingerprint
        or fingerprint_of(verdict.op.name, verdict.outcome, verdict.failure),
        stage=verdict.failure.stage if verdict.failure else None,
        deadline_s=deadline_s,
        memory_limit=memory_limit,
        executes=executes and _have_bytes([*inputs, *golden]),  # else no device takes them either
        failure=msgspec.structs.replace(verdict.failure, diagnostic=None)
        if verdict.failure
        else None,
        pcc=verdict.pcc,
        atol=verdict.atol,
        options=dict(options),
        tolerances=msgspec.to_builtins(tolerances) if tolerances is not None else {},
        origin=verdict.origin,
    )
    place = folder / REPRO_FOLDER / folder_name(verdict.op.key, device)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            part.chmod(0o755)
            files = {FX: fx_text.encode(), FX_JSON: fx_json, **(sources or {})}
            _write_levels(part, stablehlo, stablehlo_text, torch_ir)
            _write_sources(part, files)
            taken = inputs if expected.executes else ()
            whole = _write_inputs(part, taken, verdict.op, keep=keep_inputs)
            small = all(tensor.nbytes <= DRAWN_ABOVE for tensor in golden)
            wrong = verdict.outcome is Outcome.INCORRECT
            only_here = wrong and keep_inputs and not (files.get(FX_JSON) or files.get(ONNX))
            kept = expected.executes and whole and (small or only_here)
            write_bytes_of(part, GOLDEN, golden if kept else ())
            (part / VERSIONS).write_bytes(_pretty(dict(versions)))
            (part / EXPECTED).write_bytes(_pretty(expected))
            (part / RUN_SCRIPT).write_text(RUN_OP)
            _take_place(part, place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise cannot_write(f"the reproducer {place}", error) from error
    return place


def read_expected(folder: Path) -> Expected:
    """A reproducer's `expected.json`.

    Raises:
        RecordError: it is absent, damaged or of a newer program.
    """
    path = folder / EXPECTED
    data, what = read_bytes(path), "a reproducer's record"
    return decode_versioned(data, Expected, path, what, REPRODUCER_SCHEMA)


def _write_inputs(folder: Path, inputs: "Sequence[torch.Tensor]", op: Op, *, keep: bool) -> bool:
    """Write an op's inputs, or how to have them again; False when their values are not kept."""
    if keep:
        write_bytes_of(folder, INPUTS, inputs)
        return True
    if op.source == "stablehlo" and any(tensor.nbytes > DRAWN_ABOVE for tensor in inputs):
        (folder / f"{INPUTS}.json").write_bytes(_pretty(SEEDED))
        return False
    seed = zlib.crc32(op.key.encode())
    drawn = [description_of(tensor, seed + i) for i, tensor in enumerate(inputs)]
    write_bytes_of(folder, INPUTS, inputs, drawn)
    return not any(drawn)


def write_bytes_of(
    folder: Path,
    name: str,
    tensors: "Sequence[torch.Tensor]",
    drawn: "Sequence[Drawn | None]" = (),
) -> None:
    """Write tensors of wire dtypes as `NAME.bin`, and where they lie in it as `NAME.json`.

    Of those that are to be `drawn` again, only how.
    """
    from bringup.harness.dense import bytes_of, strided
    from bringup.harness.devices.tensors import wire_name

    tensors = [strided(tensor) for tensor in tensors]
    drawn = drawn or [None] * len(tensors)
    described = []
    for tensor, how in zip(tensors, drawn, strict=True):
        size = 0 if how else tensor.numel() * tensor.element_size()
        described.append((wire_name(tensor.dtype), tuple(tensor.shape), size))
    specs, whole = layout(described)
    with (folder / f"{name}.bin").open("wb") as file:
        for spec, tensor in zip(specs, tensors, strict=True):
            file.seek(spec.offset)
            if spec.size:
                file.write(bytes_of(tensor))
        file.truncate(whole)
    rows = [_Place(s.dtype, s.shape, s.offset, how) for s, how in zip(specs, drawn, strict=True)]
    (folder / f"{name}.json").write_bytes(_pretty(rows))


def read_bytes_of(folder: Path, name: str) -> "list[torch.Tensor]":
    """The tensors `write_bytes_of` wrote, or their like where they were to be drawn again.

    Raises:
        RecordError: a file is absent or does not hold what is said of it.
    """
    import torch

    from bringup.harness.devices.tensors import WIRE_NAMES

    dtypes = {text: dtype for dtype, text in WIRE_NAMES.items()}
    try:
        rows = msgspec.json.decode(read_bytes(folder / f"{name}.json"), type=list[_Place])
        data = bytearray(read_bytes(folder / f"{name}.bin"))
        found = []
        for row in rows:
            if row.drawn is not None:
                found.append(draw(row.drawn, row.dtype, row.shape))
                continue
            empty = torch.empty(row.shape, dtype=dtypes[row.dtype], device="meta")
            count = empty.numel()
            found.append(
                torch.frombuffer(data, dtype=empty.dtype, count=count, offset=row.offset).reshape(
                    row.shape
                )
                if count
                else torch.empty(row.shape, dtype=empty.dtype)
            )
    except (OSError, RuntimeError, *UNDECODABLE) as error:
        said = f"{folder / name}.bin and .json do not hold tensors: {why_not(error)}"
        raise RecordError(said) from None
    return found


def has_drawn(folder: Path) -> bool:
    """Are some of a reproducer's inputs not those that the op had?

    Raises:
        RecordError: the file is absent or damaged.
    """
    path = folder / f"{INPUTS}.json"
    rows = decode_json(read_bytes(path), list[_Place], path, "a list of inputs")
    return any(row.drawn for row in rows)


def is_seeded(folder: Path) -> bool:
    """Do a reproducer's inputs come from the op's key?"""
    try:
        return read_bytes(folder / f"{INPUTS}.json") == _pretty(SEEDED)
    except RecordError:
        return False


class _Place(msgspec.Struct, frozen=True, omit_defaults=True):
    dtype: str
    shape: tuple[int, ...]
    offset: int
    drawn: Drawn | None = None


def _have_bytes(tensors: "Sequence[torch.Tensor]") -> bool:
    from bringup.harness.devices.tensors import WIRE_NAMES

    return all(tensor.dtype in WIRE_NAMES for tensor in tensors)


def _write_levels(
    part: Path, stablehlo: bytes | None, text: bytes, torch_ir: str | bytes | None
) -> None:
    if torch_ir is not None:
        (part / TORCH_IR).write_bytes(torch_ir.encode() if isinstance(torch_ir, str) else torch_ir)
    if stablehlo is not None:
        (part / ARTIFACT).write_bytes(stablehlo)
        with contextlib.suppress(HarnessError):  # the text is for people; the run needs none
            text = text or _text_of(stablehlo).encode()
    if text:
        (part / STABLEHLO).write_bytes(text)


def _write_sources(part: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if content:
            (part / name).write_bytes(content)


def _text_of(artifact: bytes) -> str:
    from torch_mlir._mlir_libs import _stablehlo

    from bringup.harness.mlir import TorchMlir, text_of

    mlir = TorchMlir()
    with mlir.explained():
        return text_of(_stablehlo.deserialize_portable_artifact(mlir.context, artifact))


def _take_place(part: Path, place: Path) -> None:
    """Rename, over an older one if need be; of two writers at once the last one stays."""
    for _ in range(3):
        try:
            part.rename(place)
            return
        except OSError:
            if not place.exists():
                raise
        with contextlib.suppress(OSError):
            gone = place.with_name(f".{place.name}-{os.getpid()}-old")
            place.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(encoded(value), indent=2) + b"\n"
