# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a StableHLO op must compute: inputs made from its key, outputs by the reference interpreter.

The interpreter that torch-mlir ships does one element after another (about a microsecond each) and
ends the whole process on what it does not know. So it is asked only what it is known to answer, in
a time worth waiting; everything else is refused, and the caller takes another device's word.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from harness.devices.tensors import WIRE_NAMES
from harness.errors import HarnessError
from harness.frontend.mlir import TorchMlir
from harness.op_by_op.identity import mlir_type
from harness.op_by_op.stablehlo_ops import StablehloOp, main_of, read
from harness.records.schema import TensorType

WORK_LIMIT = 4_000_000
"""Elementary steps, of about a microsecond, that an evaluation may take."""

_SHARED_BYTES = 64 << 10


class ReferenceRefusal(HarnessError):
    """The interpreter cannot say what this op computes."""


# --- inputs ---------------------------------------------------------------------------------

_TORCH_DTYPES = {name: dtype for dtype, name in WIRE_NAMES.items()}
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
        inputs.append(values.reshape(type_.shape).to(_TORCH_DTYPES[type_.dtype]))
    return inputs


def _target(main: ir.Operation) -> ir.Operation:
    """The op that a one-op module is about: what stands before the return."""
    return list(_body(main))[-2].operation


def _plain(
    op: StablehloOp, type_: TensorType, main: ir.Operation, generator: torch.Generator
) -> torch.Tensor:
    dtype = _TORCH_DTYPES.get(type_.dtype)
    if dtype is None:
        raise ReferenceRefusal(f"an input of type {type_.dtype} cannot be made")
    if dtype is torch.bool:
        return torch.randint(0, 2, type_.shape, generator=generator)
    if dtype.is_complex:
        return torch.randn(type_.shape, dtype=torch.complex128, generator=generator)
    if dtype.is_floating_point:
        values = torch.randn(type_.shape, dtype=torch.float64, generator=generator)
        return _in_domain(op, values)
    return torch.randint(int(_divides(main)), _INTEGERS, type_.shape, generator=generator)


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

_ANSWERED_NAMES = (
    "abs add and atan2 bitcast_convert broadcast_in_dim case cbrt ceil clamp compare "
    "composite concatenate constant convert convolution cosine count_leading_zeros divide "
    "dot_general dynamic_broadcast_in_dim dynamic_gather dynamic_iota dynamic_pad "
    "dynamic_reshape dynamic_slice dynamic_update_slice exponential exponential_minus_one "
    "floor gather get_dimension_size if iota is_finite log log_plus_one logistic map maximum "
    "minimum multiply negate not optimization_barrier or pad popcnt power real_dynamic_slice "
    "reduce reduce_precision reduce_window remainder reshape return reverse round_nearest_afz "
    "round_nearest_even rsqrt scatter select select_and_scatter shift_left "
    "shift_right_arithmetic shift_right_logical sign sine slice sort sqrt subtract tan tanh "
    "transpose while xor "
)
_ANSWERED = frozenset(_ANSWERED_NAMES.split())
_FUNC = frozenset({"func.func", "func.return", "func.call"})
_NUMPY = {
    **{name: name for name in ("bool", "float16", "float32", "float64")},
    **{f"{u}int{n}": f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)},
    "bfloat16": "uint16",
}
"""Element types that get in and out, and as which of numpy's."""


def golden(
    op: StablehloOp, inputs: Sequence[torch.Tensor], mlir: TorchMlir | None = None
) -> list[torch.Tensor]:
    """What an op computes from `inputs`, which are as `op.input_types` say.

    Raises:
        ReferenceRefusal: as `evaluate` has it.
    """
    return evaluate(op.artifact, inputs, mlir)


def evaluate(
    artifact: bytes, inputs: Sequence[torch.Tensor], mlir: TorchMlir | None = None
) -> list[torch.Tensor]:
    """What a portable artifact's `main` computes, by the reference interpreter.

    `mlir` saves making a context (some 20 ms). A context keeps every constant it has seen, so
    large inputs get one of their own all the same.

    Raises:
        ReferenceRefusal: it has an op or a type the interpreter does not answer, would divide an
            integer by zero, or would take too long.
    """
    if mlir is None or sum(t.nbytes for t in inputs) > _SHARED_BYTES:
        mlir = TorchMlir()
    module = read(mlir, artifact)
    main = main_of(module)
    results = [mlir_type(v.type) for v in list(_body(main))[-1].operation.operands]
    _refuse_types([*map(mlir_type, _types(main)), *results])
    _refuse_operations(module.operation)
    if _divides(module.operation) and any(not _is_whole(t) for t in inputs):
        raise ReferenceRefusal("it divides integers and an input has a zero")
    steps = sum(_steps(o.operation) for o in _body(main))
    if steps > WORK_LIMIT:
        raise ReferenceRefusal(f"it takes about {steps:,} steps, more than {WORK_LIMIT:,}")
    with mlir.context, ir.Location.unknown():
        _return_bits(main)
        arguments = [_to_attribute(t, kind) for t, kind in zip(inputs, _types(main), strict=True)]
        try:
            values = _stablehlo.eval_module(module, arguments)
        except Exception as error:
            raise ReferenceRefusal(f"the interpreter gave up: {error}") from error
    return [_to_tensor(v, type_) for v, type_ in zip(values, results, strict=True)]


def _is_whole(tensor: torch.Tensor) -> bool:
    """Can an integer be divided by each element?"""
    return tensor.is_floating_point() or tensor.dtype is torch.bool or bool(tensor.all())


def _body(main: ir.Operation) -> Any:
    return main.regions[0].blocks[0].operations


def _refuse_types(types: Sequence[TensorType]) -> None:
    for type_ in types:
        if type_.dtype not in _NUMPY or -1 in type_.shape:
            raise ReferenceRefusal(f"it has a tensor of {type_.dtype} and shape {type_.shape}")


def _nested(operation: ir.Operation) -> list[ir.Operation]:
    """Everything inside an operation, at any depth."""
    found: list[ir.Operation] = []
    for region in operation.regions:
        for block in region:
            for each in block.operations:
                found += [each.operation, *_nested(each.operation)]
    return found


def _refuse_operations(module: ir.Operation) -> None:
    for operation in _nested(module):
        dialect, _, name = operation.name.partition(".")
        known = operation.name in _FUNC or (dialect == "stablehlo" and name in _ANSWERED)
        if not known:
            raise ReferenceRefusal(f"the interpreter does not know {operation.name}")
        for value in (*operation.operands, *operation.results):
            if "complex" in str(value.type) or "quant" in str(value.type):
                raise ReferenceRefusal(f"the interpreter is not asked for {value.type}")


def _divides(operation: ir.Operation) -> bool:
    """Does it divide integers anywhere inside?"""
    return any(
        o.name in ("stablehlo.divide", "stablehlo.remainder")
        and isinstance(o.results[0].type.element_type, ir.IntegerType)
        for o in _nested(operation)
    )


def _steps(target: ir.Operation) -> int:
    """About how many elements an op visits, once through; a loop's rounds are not known."""
    inner = max(len(_nested(target)), 1)
    tensors = [v.type for v in (*target.operands, *target.results)]
    most: int = sum(math.prod(t.shape) for t in tensors if isinstance(t, ir.RankedTensorType))
    attributes = target.attributes
    if target.name == "stablehlo.dot_general":
        numbers = _stablehlo.DotDimensionNumbers(attributes["dot_dimension_numbers"])
        contracted = [tensors[0].shape[d] for d in numbers.lhs_contracting_dimensions]
        return int(math.prod(tensors[-1].shape) * math.prod(contracted))
    if target.name == "stablehlo.convolution":
        numbers = _stablehlo.ConvDimensionNumbers(attributes["dimension_numbers"])
        features = tensors[1].shape[numbers.kernel_output_feature_dimension]
        return int(math.prod([*tensors[-1].shape, *tensors[1].shape]) // max(features, 1))
    if "window_dimensions" in attributes:
        window = list(ir.DenseI64ArrayAttr(attributes["window_dimensions"]))
        return int(most * math.prod(window) * inner)
    return most * inner


def _types(main: ir.Operation) -> list[ir.Type]:
    return [a.type for a in main.regions[0].blocks[0].arguments]


def _return_bits(main: ir.Operation) -> None:
    """Return bfloat16 as its bits, in place: numpy has no such type to read a result by."""
    end = list(_body(main))[-1].operation
    for position, value in enumerate(end.operands):
        if str(value.type.element_type) == "bf16":
            bits = ir.RankedTensorType.get(value.type.shape, ir.IntegerType.get_unsigned(16))
            with ir.InsertionPoint(end):
                cast = ir.Operation.create(
                    "stablehlo.bitcast_convert", results=[bits], operands=[value]
                )
            end.operands[position] = cast.results[0]
    kind = ir.FunctionType.get(_types(main), [v.type for v in end.operands])
    main.attributes["function_type"] = ir.TypeAttr.get(kind)


def _to_attribute(tensor: torch.Tensor, kind: Any) -> ir.Attribute:
    tensor = tensor.detach().contiguous()
    bits = tensor.view(torch.uint16) if tensor.dtype is torch.bfloat16 else tensor
    return ir.DenseElementsAttr.get(bits.numpy(), type=kind.element_type, shape=kind.shape)


def _to_tensor(value: ir.Attribute, type_: TensorType) -> torch.Tensor:
    array = np.array(value).astype(_NUMPY[type_.dtype]).reshape(type_.shape)
    return torch.from_numpy(array).view(_TORCH_DTYPES[type_.dtype])
