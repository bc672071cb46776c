# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the op of a reproducer takes and must compute: as it was kept, or had again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bringup.harness.errors import RecordError
from bringup.harness.records.reproducible import ARTIFACT, FX_JSON, GOLDEN, INPUTS, ONNX
from bringup.harness.reproduce.reproducer import Expected, has_drawn, is_seeded, read_bytes_of
from bringup.harness.session import begin
from bringup.harness.storage.decoding import read_bytes, why_not
from bringup.harness.storage.writable import said_by

if TYPE_CHECKING:
    import onnx
    import torch

    from bringup.harness.reference.references import Golden
    from bringup.harness.verify import Natural


def inputs_of(folder: Path) -> "list[torch.Tensor]":
    """An op's inputs, one tensor for each operand: those it had, or their like.

    Raises:
        RecordError: a file is absent or damaged.
    """
    if is_seeded(folder):
        from bringup.harness.ops.stablehlo_ops import split
        from bringup.harness.reference.references import seeded_inputs

        (op,) = split(read_file(folder / ARTIFACT))
        return seeded_inputs(op)
    if has_drawn(folder):
        print("inputs above 4 MiB were not kept; they are drawn anew, with the spread they had")
    return read_bytes_of(folder, INPUTS)


def golden_of(
    folder: Path, expected: Expected, inputs: "Sequence[torch.Tensor]", *, trust: bool = False
) -> "Golden":
    """What an op must compute from its inputs: as kept, or by whoever can compute it again.

    Raises:
        RecordError: a file is absent or damaged.
    """
    from bringup.harness.reference.references import Golden, Source

    kept = read_bytes_of(folder, GOLDEN)
    if kept:
        text = read_file(folder / FX_JSON)
        return Golden(
            kept,
            Source.NOBODY,
            natural=lambda: _natural(kept, text, inputs, trust),
            orders=lambda: _orders(folder, expected, inputs),
        )
    try:
        if (folder / ONNX).is_file():
            return Golden(_by_onnxruntime(onnx_model(folder / ONNX), inputs), Source.ONNXRUNTIME)
        if text := read_file(folder / FX_JSON):
            outputs = _by_torch(text, inputs, trust)
            return Golden(
                outputs,
                Source.TORCH,
                natural=lambda: _natural(outputs, text, inputs, trust),
            )
    except RecordError:
        raise
    except Exception as error:  # whatever a reference raises on an op that it does not compute
        return Golden(None, Source.NOBODY, said_by(error).splitlines()[0])
    if expected.op.source != "stablehlo":
        return Golden(None, Source.NOBODY, "nothing was kept that it could be computed by")
    return _by_reference(read_file(folder / ARTIFACT), expected.device, inputs)


def onnx_model(path: Path) -> "onnx.ModelProto":
    """The ONNX model in a file; all of it is in the file.

    Raises:
        RecordError: it is none, or takes weights from other files, which could be any.
    """
    import onnx

    try:
        model = onnx.load_model_from_string(read_file(path))
        outside = _is_outside(model)
    except Exception as error:  # protobuf's own, which go by other names from release to release
        raise RecordError(f"{path}: this is no ONNX model: {why_not(error)}") from error
    if outside:
        raise RecordError(f"{path}: the model takes weights from other files; no reproducer does")
    return model


def _is_outside(message: Any) -> bool:
    """Does a tensor anywhere in a message lie in another file?"""
    waiting = [message]
    while waiting:
        for field, value in waiting.pop().ListFields():
            if field.name == "external_data" or (field.name, value) == ("data_location", 1):
                return True
            if field.message_type is not None:
                waiting += value if isinstance(value, Sequence) else [value]
    return False


def read_file(path: Path) -> bytes:
    """A file's content; nothing where there is none.

    Raises:
        RecordError: it cannot be read.
    """
    return read_bytes(path) if path.exists() else b""


def _by_onnxruntime(
    model: "onnx.ModelProto", inputs: "Sequence[torch.Tensor]"
) -> "list[torch.Tensor]":
    from bringup.harness.frontend.onnx_program import run_onnxruntime

    names = [value.name for value in model.graph.input]
    return list(run_onnxruntime(model, dict(zip(names, inputs, strict=True)), fused=False).values())


def _by_torch(text: bytes, inputs: "Sequence[torch.Tensor]", trust: bool) -> "list[torch.Tensor]":
    import torch

    from bringup.harness.ops.fx_json import loads, owned

    with torch.no_grad():
        outputs = torch.fx.Interpreter(owned(loads(text, trust=trust), {})).run(*inputs)
    return list(outputs)


def _natural(
    outputs: "list[torch.Tensor]", text: bytes, inputs: "Sequence[torch.Tensor]", trust: bool
) -> "Natural | None":
    """How far outputs are off by rounding; None of an op that has no graph to compute it by."""
    from bringup.harness.ops.fx_json import loads
    from bringup.harness.ops.torch_ops import rounding_of

    return rounding_of(loads(text, trust=trust), inputs, outputs) if text else None


def _orders(
    folder: Path, expected: Expected, inputs: "Sequence[torch.Tensor]"
) -> "Iterable[list[torch.Tensor]]":
    """What else is right of a StableHLO op, as a night takes it."""
    from bringup.harness.mlir import TorchMlir, main_of, read
    from bringup.harness.reference.stepwise import stepwise

    if expected.op.source != "stablehlo":
        return ()
    return stepwise(main_of(read(TorchMlir(), read_file(folder / ARTIFACT))), inputs)


def _by_reference(artifact: bytes, device: str, inputs: "Sequence[torch.Tensor]") -> "Golden":
    from bringup.harness.ops.stablehlo_ops import split
    from bringup.harness.reference.references import References

    (op,) = split(artifact)
    with begin():  # the workers that are asked end with their answer
        return References(device).ask(op, inputs)()
