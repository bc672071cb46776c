# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a StableHLO op must compute: inputs made from its key, and its golden outputs.

Where these come from is on record with every verdict (`Source`): the first that has an answer of

1. the reference interpreter, the specification's own, where that takes milliseconds;
2. PyTorch (`stablehlo_evaluate`), in float64 and in no compiler's hands: matrix products,
   convolutions and whatever else is too long for the interpreter, the same for every device; and
   sums of 16-bit floats of any length, since the interpreter's own are rounded at every step;
3. the interpreter again, for what PyTorch cannot compute and a person would wait for;
4. the `cpu` device, where its compiler, XLA, is not the one under test.

The interpreter and the `cpu` device answer from workers of their own: what kills them costs that
answer, and the next source is asked. An op that nobody answers for is executed and not compared,
and its record says so.
"""

import enum
import functools
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import torch
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.devices.backends.interpreter import WORK_LIMIT, divides, refusal
from bringup.harness.devices.catalog import DEFAULT_DEVICE, INTERPRETER, kind_of
from bringup.harness.mlir import TorchMlir, main_of, read
from bringup.harness.ops.stablehlo_ops import StablehloOp
from bringup.harness.records.schema import TensorType
from bringup.harness.reference.stablehlo_evaluate import compute
from bringup.harness.reference.stablehlo_torch import DTYPES, ReferenceRefusal
from bringup.harness.reference.stepwise import adds_narrow_floats, stepwise
from bringup.harness.reference.workers import reference_worker
from bringup.harness.verify.natural import Natural

# --- inputs ---------------------------------------------------------------------------------

_POSITIVE = frozenset({"log", "log_plus_one", "sqrt", "rsqrt", "cbrt", "power", "cholesky"})
_SHAPE_OPERANDS = {
    "stablehlo.dynamic_iota": 0,
    "stablehlo.dynamic_reshape": 1,
    "stablehlo.dynamic_broadcast_in_dim": 1,
}
"""Ops with the operand that has to say their result's shape."""
_INTEGERS = 8
"""Integers are smaller than this."""
_UNIQUE_LIMIT = 1 << 22
_BLOCK = 1_048_573
"""Elements drawn once; a prime, so that no shape falls in step with it."""
_ALL_BITS = 1 + 1e-8 / 3
"""Gives a float32 the many digits of a float64."""


def seeded_inputs(op: StablehloOp, mlir: TorchMlir | None = None) -> list[torch.Tensor]:
    """Inputs for an op alone, the same for the same key; `mlir` saves making a context.

    Floats are standard normal (positive where the op is defined only there), integers small, not
    negative and in bounds where they index, booleans mixed.

    Raises:
        ReferenceRefusal: an input is of a type that torch has no tensor for.
    """
    generator = torch.Generator().manual_seed(int(op.op.key[:15], 16))
    main = main_of(read(mlir or TorchMlir(), op.artifact))
    target = _target(main)
    operands = list(target.operands)
    inputs = []
    for argument, type_ in zip(main.regions[0].blocks[0].arguments, op.input_types, strict=True):
        position = operands.index(argument) if argument in operands else None
        given = None if position is None else _prescribed(target, position, generator)
        values = _plain(op, type_, main, generator) if given is None else given
        inputs.append(values.reshape(type_.shape).to(DTYPES[type_.dtype]))
    return inputs


def _target(main: ir.Operation) -> ir.Operation:
    """The op that a one-op module is about: what stands before the return."""
    return list(main.regions[0].blocks[0].operations)[-2].operation


def _plain(
    op: StablehloOp, type_: TensorType, main: ir.Operation, generator: torch.Generator
) -> torch.Tensor:
    dtype = DTYPES.get(type_.dtype)
    if dtype is None:
        raise ReferenceRefusal(f"an input of type {type_.dtype} cannot be made")
    if dtype is torch.bool:
        return torch.randint(0, 2, type_.shape, generator=generator)
    if dtype.is_complex:
        return torch.complex(*(_normal(type_.shape, generator).double() for _ in range(2)))
    if dtype.is_floating_point:
        values = _normal(type_.shape, generator)
        return _in_domain(op, values.double() * _ALL_BITS if dtype is torch.float64 else values)
    return torch.randint(int(divides(main)), _INTEGERS, type_.shape, generator=generator)


@functools.cache
def _normals() -> torch.Tensor:
    return torch.randn(_BLOCK, generator=torch.Generator().manual_seed(0))


def _normal(shape: Sequence[int], generator: torch.Generator) -> torch.Tensor:
    """Standard normal float32: from somewhere in one block, since drawing takes longer than ops."""
    count, start = math.prod(shape), int(torch.randint(0, _BLOCK, (1,), generator=generator))
    rounds = -(-(start + count) // _BLOCK)
    whole = _normals() if rounds <= 1 else _normals().repeat(rounds)
    return whole[start : start + count].reshape(list(shape))


def _in_domain(op: StablehloOp, values: torch.Tensor) -> torch.Tensor:
    name = op.op.name.removeprefix("stablehlo.")
    unsigned = name == "convert" and op.op.outputs[0].dtype.startswith("uint")
    if name in _POSITIVE or unsigned or name.startswith("batch_norm"):
        values = values.abs() + 0.1
    if name in ("cholesky", "triangular_solve") and values.ndim >= 2:
        square = values.shape[-1] == values.shape[-2]
        if square:  # well conditioned, and symmetric where only half of it is read
            eye = torch.eye(values.shape[-1], dtype=values.dtype)
            values = values + values.mT + 4 * values.shape[-1] * eye
    return values


def _prescribed(
    target: ir.Operation, position: int, generator: torch.Generator
) -> torch.Tensor | None:
    """Values for an operand that cannot be just any; None for one that can."""
    name = target.name
    if _SHAPE_OPERANDS.get(name) == position:
        return torch.tensor(target.results[0].type.shape)
    if name == "stablehlo.case" and position == 0:
        return torch.randint(0, len(target.regions), (1,), generator=generator)
    if name == "stablehlo.dynamic_slice" and position > 0:
        sizes = list(ir.DenseI64ArrayAttr(target.attributes["slice_sizes"]))
        return _start(target.operands[0], sizes, position - 1, generator)
    if name == "stablehlo.dynamic_update_slice" and position > 1:
        sizes = target.operands[1].type.shape
        return _start(target.operands[0], sizes, position - 2, generator)
    if name == "stablehlo.gather" and position == 1:
        return _gather_indices(target, generator)
    if name == "stablehlo.scatter" and position == (len(target.operands) - 1) // 2:
        return _scatter_indices(target, generator)
    return None


def _start(
    operand: ir.Value, sizes: Sequence[int], dimension: int, generator: torch.Generator
) -> torch.Tensor:
    room = operand.type.shape[dimension] - sizes[dimension] + 1
    return torch.randint(0, max(room, 1), (1,), generator=generator)


def _gather_indices(target: ir.Operation, generator: torch.Generator) -> torch.Tensor:
    numbers = _stablehlo.GatherDimensionNumbers(target.attributes["dimension_numbers"])
    shape = target.operands[0].type.shape
    sizes = list(ir.DenseI64ArrayAttr(target.attributes["slice_sizes"]))
    room = [shape[d] - sizes[d] + 1 for d in numbers.start_index_map]
    return _indices(target.operands[1], numbers.index_vector_dim, room, generator)


def _scatter_indices(target: ir.Operation, generator: torch.Generator) -> torch.Tensor:
    numbers = _stablehlo.ScatterDimensionNumbers(target.attributes["scatter_dimension_numbers"])
    position = (len(target.operands) - 1) // 2
    shape = target.operands[0].type.shape
    updates = target.operands[position + 1].type.shape
    thin = {*numbers.inserted_window_dims, *numbers.input_batching_dims}
    wide = [d for d in range(len(shape)) if d not in thin]
    window = dict(zip(wide, (updates[d] for d in numbers.update_window_dims), strict=True))
    room = [shape[d] - window.get(d, 1) + 1 for d in numbers.scattered_dims_to_operand_dims]
    return _indices(target.operands[position], numbers.index_vector_dim, room, generator)


def _indices(
    operand: ir.Value, vector: int, room: Sequence[int], generator: torch.Generator
) -> torch.Tensor:
    """Index vectors, each component below its room; no two the same where there are enough.

    What a scatter does with two updates of one element depends on their order, which is nobody's.
    """
    shape = list(operand.type.shape)
    outer = [size for d, size in enumerate(shape) if d != vector]
    count, cells = math.prod(outer), math.prod(max(r, 1) for r in room)
    if count <= cells <= _UNIQUE_LIMIT:
        flat = torch.randperm(cells, generator=generator)[:count]
    else:
        flat = torch.randint(0, cells, (count,), generator=generator)
    components = []
    for size in reversed(room):
        components.append((flat % max(size, 1)).reshape(outer))
        flat = flat // max(size, 1)
    if vector >= len(shape):
        return components[0]
    return torch.stack(components[::-1], dim=vector)


# --- outputs --------------------------------------------------------------------------------

CHEAP_STEPS = 10_000
"""Up to so many the interpreter is asked first: some ten milliseconds, beside other work."""


class Source(enum.StrEnum):
    """Where a golden comes from."""

    INTERPRETER = "interpreter"
    TORCH = "torch"
    STEPS = "torch, in steps"
    """With every step rounded, in an order that a device may take (`stepwise`)."""
    ONNXRUNTIME = "onnxruntime"
    """Of parts of ONNX models."""
    CPU = "cpu"
    NOBODY = ""


@dataclass(frozen=True)
class Golden:
    """What an op must compute, and who says so."""

    outputs: list[torch.Tensor] | None
    source: Source
    reason: str = ""
    """Why nobody had an answer."""
    natural: Callable[[], Natural | None] = lambda: None
    """Finds how far the outputs are off by rounding; None where nobody knows."""
    orders: Callable[[], Iterable[list[torch.Tensor]]] = lambda: ()
    """What else is right, to the last bit, where the order of many roundings is the device's."""
    machine: bool = False
    """True: it was the machine's fault that nobody had; says nothing of the op."""


class References:
    """Everybody who can be asked what an op computes on one device; workers start when needed."""

    def __init__(self, device: str, mlir: TorchMlir | None = None) -> None:
        self._mlir = mlir or TorchMlir()
        self._devices = {Source.INTERPRETER: INTERPRETER}
        if is_other_compiler(device):
            self._devices[Source.CPU] = DEFAULT_DEVICE

    def ask(self, op: StablehloOp, inputs: Sequence[torch.Tensor]) -> Callable[[], Golden]:
        """Ask the first of an op's sources; the answer is waited for, and others asked, later."""
        module = read(self._mlir, op.artifact)
        sources = self._sources(module)
        begun = self._submit(sources[0], op, inputs) if sources else None
        return lambda: self._first_answer(op, inputs, module, sources, begun)

    def _sources(self, module: ir.Module) -> list[Source]:
        """Whom to ask for a module's `main`, in order."""
        cheap = not (refusal(module, CHEAP_STEPS) or adds_narrow_floats(main_of(module)))
        patient = not cheap and not refusal(module, WORK_LIMIT)
        return [
            *([Source.INTERPRETER] if cheap else []),
            Source.TORCH,
            *([Source.INTERPRETER] if patient else []),
            *([Source.CPU] if Source.CPU in self._devices else []),
        ]

    def _submit(
        self, source: Source, op: StablehloOp, inputs: Sequence[torch.Tensor]
    ) -> "Future[OpRun] | None":
        device = self._devices.get(source)
        if device is None:
            return None
        job = OpJob(stablehlo=op.artifact, inputs=tuple(inputs), execute=True)
        return reference_worker(device).submit(job)

    def _first_answer(
        self,
        op: StablehloOp,
        inputs: Sequence[torch.Tensor],
        module: ir.Module,
        sources: Sequence[Source],
        begun: "Future[OpRun] | None",
    ) -> Golden:
        reasons, machine = [], False
        for source in sources:
            try:
                if source is Source.TORCH:
                    main = main_of(module)
                    orders = functools.partial(stepwise, main, inputs)
                    return Golden(compute(main, inputs), source, orders=orders)
                asked = begun or self._submit(source, op, inputs)
                assert asked is not None
                run = asked.result()
                if run.outputs is not None:
                    return Golden(list(run.outputs), source)
                machine = machine or run.ended in (Ended.INFRA, Ended.TIMEOUT)
                reasons.append(f"{source}: {run.failure.message if run.failure else 'no answer'}")
            except ReferenceRefusal as error:
                reasons.append(str(error))
            finally:
                begun = None
        return Golden(None, Source.NOBODY, "; ".join(reasons), machine=machine)


def is_other_compiler(device: str) -> bool:
    """Does a device go through a compiler that shares nothing with the `cpu` device's?"""
    return kind_of(device).independent_of(kind_of(DEFAULT_DEVICE))
