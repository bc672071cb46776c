# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The StableHLO reference interpreter that torch-mlir ships, as a device: the specification's word.

It does one element after another (about a microsecond each) and ends the whole process on what it
does not know. So it lives in a host like any device, is asked only what it is known to answer in a
time worth waiting, and where it dies all the same, that costs one answer.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo

from bringup.harness.devices.backend import Array, CompileError, Opening, dtype_of
from bringup.harness.devices.wire import Level
from bringup.harness.errors import HarnessError
from bringup.harness.mlir import LoweringError, TorchMlir, main_of, read
from bringup.harness.storage.writable import said_by

WORK_LIMIT = 4_000_000
"""Elementary steps, of about a microsecond, that an evaluation may take."""

_SHARED_BYTES = 64 << 10

_ANSWERED = frozenset(
    {
        *("abs", "add", "and", "atan2", "bitcast_convert", "broadcast_in_dim", "case", "cbrt"),
        *("ceil", "clamp", "compare", "composite", "concatenate", "constant", "convert"),
        *("convolution", "cosine", "count_leading_zeros", "divide", "dot_general"),
        *("dynamic_broadcast_in_dim", "dynamic_gather", "dynamic_iota", "dynamic_pad"),
        *("dynamic_reshape", "dynamic_slice", "dynamic_update_slice", "exponential"),
        *("exponential_minus_one", "floor", "gather", "get_dimension_size", "if", "iota"),
        *("is_finite", "log", "log_plus_one", "logistic", "map", "maximum", "minimum"),
        *("multiply", "negate", "not", "optimization_barrier", "or", "pad", "popcnt", "power"),
        *("real_dynamic_slice", "reduce", "reduce_precision", "reduce_window", "remainder"),
        *("reshape", "return", "reverse", "round_nearest_afz", "round_nearest_even", "rsqrt"),
        *("scatter", "select", "select_and_scatter", "shift_left", "shift_right_arithmetic"),
        *("shift_right_logical", "sign", "sine", "slice", "sort", "sqrt", "subtract", "tan"),
        *("tanh", "transpose", "while", "xor"),
    }
)
_FUNC = frozenset({"func.func", "func.return", "func.call"})
_NUMPY = {"i1": "bool", "f16": "float16", "bf16": "uint16", "f32": "float32", "f64": "float64"}
_NUMPY |= {f"{sign}i{n}": f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64)}
"""Element types that get in and out, and as which of numpy's."""


class Unanswered(HarnessError):
    """The interpreter is not asked, or gave up."""


class InterpreterBackend:
    """Runs StableHLO without compiling it."""

    def open(self) -> Opening:
        """Nothing is to be opened."""
        self._mlir = TorchMlir()
        self._mlir.context.enable_multithreading(False)
        version: str = _stablehlo.get_current_version()
        return Opening("StableHLO reference interpreter", "interpreter", 1, True, version)

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Look whether it will answer; the program itself is the executable."""
        try:
            reason = refusal(read(self._mlir, stablehlo), WORK_LIMIT)
        except LoweringError as error:
            raise CompileError(str(error)) from error
        if reason:
            raise CompileError(reason)
        return stablehlo, ()

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Evaluate; a context keeps every constant it has seen, so large inputs get their own."""
        large = sum(value.nbytes for value in inputs) > _SHARED_BYTES
        return evaluate(TorchMlir() if large else self._mlir, executable, inputs)

    def serialize(self, executable: Any) -> bytes:
        """The program."""
        return bytes(executable)


def refusal(module: ir.Module, limit: int) -> str:
    """Why the interpreter is not to be asked for `main`; empty when it is.

    `limit` is in elementary steps. How many rounds a loop has is not known.
    """
    main = main_of(module)
    for value in [*main.regions[0].blocks[0].arguments, *_returned(main)]:
        if _unreadable(value.type):
            return f"it has a tensor of type {value.type}"
    for operation in _nested(module.operation):
        dialect, _, name = operation.name.partition(".")
        if operation.name not in _FUNC and not (dialect == "stablehlo" and name in _ANSWERED):
            return f"the interpreter does not know {operation.name}"
        if operation.name == "stablehlo.convolution" and not _batch_first(operation):
            return "the interpreter mistakes a convolution's result whose batch is not first"
        for value in (*operation.operands, *operation.results):
            if "complex" in str(value.type) or "quant" in str(value.type):
                return f"the interpreter is not asked for {value.type}"
    steps = sum(_steps(each.operation) for each in _body(main))
    return f"it takes about {steps:,} steps, more than {limit:,}" if steps > limit else ""


def evaluate(mlir: TorchMlir, artifact: bytes, inputs: Sequence[Array]) -> list[Array]:
    """What a portable artifact's `main`, which is not refused, computes.

    Raises:
        Unanswered: it would divide an integer by zero, or the interpreter says no.
    """
    module = read(mlir, artifact)
    main = main_of(module)
    if divides(module.operation) and any(v.dtype.kind in "iu" and not v.all() for v in inputs):
        raise Unanswered("it divides integers and an input has a zero")
    types = [argument.type for argument in main.regions[0].blocks[0].arguments]
    names = [str(value.type.element_type) for value in _returned(main)]
    with mlir.context, ir.Location.unknown():
        _return_bits(main)
        attributes = [_to_attribute(v, t) for v, t in zip(inputs, types, strict=True)]
        try:
            results = _stablehlo.eval_module(module, attributes)
        except Exception as error:
            raise Unanswered(f"the interpreter gave up: {said_by(error)}") from error
    return [_to_array(result, name) for result, name in zip(results, names, strict=True)]


def divides(operation: ir.Operation) -> bool:
    """Does it divide integers anywhere inside?"""
    return any(
        o.name in ("stablehlo.divide", "stablehlo.remainder")
        and isinstance(o.results[0].type.element_type, ir.IntegerType)
        for o in _nested(operation)
    )


def _body(main: ir.Operation) -> Any:
    return main.regions[0].blocks[0].operations


def _returned(main: ir.Operation) -> list[Any]:
    return list(list(_body(main))[-1].operation.operands)


def _unreadable(type_: ir.Type) -> bool:
    plain = isinstance(type_, ir.RankedTensorType) and type_.has_static_shape
    return not plain or str(type_.element_type) not in _NUMPY


def _nested(operation: ir.Operation) -> list[ir.Operation]:
    """Everything inside an operation, at any depth."""
    found: list[ir.Operation] = []
    for region in operation.regions:
        for block in region:
            for each in block.operations:
                found += [each.operation, *_nested(each.operation)]
    return found


def _batch_first(convolution: ir.Operation) -> bool:
    numbers = _stablehlo.ConvDimensionNumbers(convolution.attributes["dimension_numbers"])
    return bool(numbers.output_batch_dimension == 0)


def _steps(target: ir.Operation) -> int:
    """About how many elements an op visits, once through."""
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
    inputs = [argument.type for argument in main.regions[0].blocks[0].arguments]
    kind = ir.FunctionType.get(inputs, [v.type for v in end.operands])
    main.attributes["function_type"] = ir.TypeAttr.get(kind)


def _to_attribute(value: Array, kind: Any) -> ir.Attribute:
    bits = value.view(_NUMPY[str(kind.element_type)])
    return ir.DenseElementsAttr.get(
        np.ascontiguousarray(bits), type=kind.element_type, shape=kind.shape
    )


def _to_array(result: ir.Attribute, element: str) -> Array:
    shape = result.type.shape
    array = np.array(result).astype(_NUMPY[element]).reshape(shape)
    return array.view(dtype_of("bfloat16")) if element == "bf16" else array
