# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableHLO modules split into ops: each stands alone, runs alone, and is what it was."""

import pytest
import torch
from torch_mlir import ir

from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.mlir import LoweringError, TorchMlir, main_of, read
from bringup.harness.ops.stablehlo_ops import StablehloOp, operations_of, split
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.reference.references import seeded_inputs
from tests.integration.split_models import MODELS, interpreted, lowered


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_stablehlo_op_of_a_model_stands_alone(
    name: str, recorder: TestRecorder, mlir: TorchMlir, interpreter: OpPool
) -> None:
    program, _ = lowered(name, recorder)
    assert program.artifact is not None
    ops = split(program.artifact, mlir)
    whole = list(operations_of(main_of(read(mlir, program.artifact))))
    assert sum(op.count for op in ops) == len(whole)
    assert [op.index for op in ops] == list(range(len(ops)))
    for op in ops:
        checked(op, mlir, interpreter)


def checked(op: StablehloOp, mlir: TorchMlir, interpreter: OpPool) -> list[torch.Tensor]:
    """Outputs of one op alone, which splits into itself and takes and gives what it says."""
    (again,) = split(op.artifact, mlir)
    assert again.op == op.op and again.artifact == op.artifact
    inputs = seeded_inputs(op, mlir)
    assert [tuple(t.shape) for t in inputs] == [t.shape for t in op.input_types]
    repeated = seeded_inputs(op, mlir)
    assert all(torch.equal(a, b) for a, b in zip(inputs, repeated, strict=True))
    outputs = interpreted(interpreter, op.artifact, inputs)
    assert [tuple(t.shape) for t in outputs] == [t.shape for t in op.op.outputs]
    return outputs


# --- by hand --------------------------------------------------------------------------------

REGIONS = """
func.func private @gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.tanh %x : tensor<4xf32>
  %1 = func.call @deeper(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @deeper(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main(%m: tensor<4x8xf32>, %s: tensor<f32>, %v: tensor<4xf32>, %i: tensor<i32>,
                %where: tensor<3x1xi64>, %im: tensor<1x4x4x1xf32>, %src: tensor<1x2x2x1xf32>)
    -> tensor<4xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %count = stablehlo.constant dense<3> : tensor<i64>
  %one = stablehlo.constant dense<1> : tensor<i64>
  %begin = stablehlo.constant dense<0> : tensor<i64>
  %reduce = "stablehlo.reduce"(%m, %zero) <{dimensions = array<i64: 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.add %a, %b : tensor<f32>
      %1 = stablehlo.multiply %0, %s : tensor<f32>
      stablehlo.return %1 : tensor<f32>
    }) : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %sort = "stablehlo.sort"(%m) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    }) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %while:2 = stablehlo.while(%n = %begin, %x = %v) : tensor<i64>, tensor<4xf32>
    cond {
      %0 = stablehlo.compare LT, %n, %count : (tensor<i64>, tensor<i64>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    } do {
      %0 = stablehlo.add %n, %one : tensor<i64>
      %1 = stablehlo.add %x, %reduce : tensor<4xf32>
      %2 = func.call @deeper(%1) : (tensor<4xf32>) -> tensor<4xf32>
      stablehlo.return %0, %2 : tensor<i64>, tensor<4xf32>
    }
  %case = "stablehlo.case"(%i) ({
      stablehlo.return %v : tensor<4xf32>
    }, {
      %0 = stablehlo.add %v, %while#1 : tensor<4xf32>
      stablehlo.return %0 : tensor<4xf32>
    }) : (tensor<i32>) -> tensor<4xf32>
  %updates = "stablehlo.slice"(%m) <{start_indices = array<i64: 0, 0>,
      limit_indices = array<i64: 3, 8>, strides = array<i64: 1, 1>}>
    : (tensor<4x8xf32>) -> tensor<3x8xf32>
  %scatter = "stablehlo.scatter"(%m, %where, %updates) <{
      scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1],
        inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>,
      indices_are_sorted = false, unique_indices = false}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      stablehlo.return %b : tensor<f32>
    }) : (tensor<4x8xf32>, tensor<3x1xi64>, tensor<3x8xf32>) -> tensor<4x8xf32>
  %gather = "stablehlo.gather"(%m, %where) <{
      dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0],
        start_index_map = [0], index_vector_dim = 1>,
      slice_sizes = array<i64: 1, 8>, indices_are_sorted = false}>
    : (tensor<4x8xf32>, tensor<3x1xi64>) -> tensor<3x8xf32>
  %window = "stablehlo.reduce_window"(%im, %zero) <{window_dimensions = array<i64: 1, 2, 2, 1>,
      window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.maximum %a, %b : tensor<f32>
      stablehlo.return %0 : tensor<f32>
    }) : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x2x2x1xf32>
  %spread = "stablehlo.select_and_scatter"(%im, %src, %zero) <{
      window_dimensions = array<i64: 1, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    }, {
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %0 : tensor<f32>
    }) : (tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %gelu = stablehlo.composite "x.gelu" %case {decomposition = @gelu}
    : (tensor<4xf32>) -> tensor<4xf32>
  %called = func.call @deeper(%gelu) : (tensor<4xf32>) -> tensor<4xf32>
  %sum = stablehlo.add %called, %called : tensor<4xf32>
  %more = stablehlo.add %sum, %v : tensor<4xf32>
  return %more : tensor<4xf32>
}
"""


def artifact_of(mlir: TorchMlir, text: str) -> bytes:
    return mlir.portable(ir.Module.parse(text, mlir.context))


@pytest.fixture(scope="module")
def ops(mlir: TorchMlir) -> dict[str, StablehloOp]:
    return {op.op.name: op for op in split(artifact_of(mlir, REGIONS), mlir)}


def test_ops_come_in_order_and_those_of_a_called_function_in_place_of_the_call(
    ops: dict[str, StablehloOp],
) -> None:
    named = [name.removeprefix("stablehlo.") for name in ops]
    assert named == [
        *("reduce", "sort", "while", "case", "slice", "scatter", "gather", "reduce_window"),
        *("select_and_scatter", "composite", "negate", "add"),
    ]
    assert ops["stablehlo.add"].count == 2
    assert sum(op.count for op in ops.values()) == 13


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("reduce", ["add", "multiply"]),
        ("sort", ["compare"]),
        ("while", ["compare", "add", "func.call"]),
        ("case", ["add"]),
        ("scatter", ["stablehlo.return"]),
        ("reduce_window", ["maximum"]),
        ("select_and_scatter", ["compare", "add"]),
        ("composite", ["func.func private @gelu", "func.func private @deeper", "negate"]),
    ],
)
def test_regions_and_functions_come_along(
    name: str,
    inside: list[str],
    ops: dict[str, StablehloOp],
    mlir: TorchMlir,
    interpreter: OpPool,
) -> None:
    op = ops[f"stablehlo.{name}"]
    text = str(read(mlir, op.artifact).operation.get_asm(print_generic_op_form=False))
    assert all(part.replace("func.call", "call @") in text for part in inside)
    checked(op, mlir, interpreter)


def test_what_a_region_captures_becomes_an_argument(ops: dict[str, StablehloOp]) -> None:
    shapes = {name: [t.shape for t in op.input_types] for name, op in ops.items()}
    assert shapes["stablehlo.reduce"] == [(4, 8), ()]
    assert shapes["stablehlo.while"] == [(4,), (4,)]
    assert shapes["stablehlo.case"] == [(), (4,), (4,)]


def test_the_interpreter_gives_what_the_op_means(
    ops: dict[str, StablehloOp], mlir: TorchMlir, interpreter: OpPool
) -> None:
    def both(name: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        op = ops[f"stablehlo.{name}"]
        inputs = seeded_inputs(op, mlir)
        return inputs, interpreted(interpreter, op.artifact, inputs)

    (matrix,), (ordered,) = both("sort")
    assert torch.equal(ordered, matrix.sort(dim=1).values)
    (matrix, where), (rows,) = both("gather")
    assert torch.equal(rows, matrix[where[:, 0]]) and len(set(where[:, 0].tolist())) == 3
    (matrix, where, updates), (written,) = both("scatter")
    assert torch.equal(written, matrix.index_copy(0, where[:, 0], updates))
    (x,), (y,) = both("composite")
    torch.testing.assert_close(y, -x.tanh())
    (x, step), (rounds, y) = both("while")
    torch.testing.assert_close(y, -(-(-(x + step) + step) + step))
    assert rounds.item() == 3


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32", "f64", "i8", "ui8", "i32", "i64"])
def test_values_of_every_common_type_go_in_and_out(
    dtype: str, mlir: TorchMlir, interpreter: OpPool
) -> None:
    t = f"tensor<2x3x{dtype}>"
    text = f"""func.func @main(%a: {t}, %b: {t}) -> {t} {{
        %0 = stablehlo.add %a, %b : {t}
        return %0 : {t}
    }}"""
    (op,) = split(artifact_of(mlir, text), mlir)
    a, b = seeded_inputs(op, mlir)
    (total,) = interpreted(interpreter, op.artifact, [a, b])
    assert total.dtype == a.dtype and torch.equal(total, a + b)


def test_bytes_that_are_no_module_are_refused_in_a_sentence() -> None:
    with pytest.raises(LoweringError):
        split(b"garbage")


def test_the_artifact_of_an_op_says_nothing_of_where_it_was(mlir: TorchMlir) -> None:
    def of(place: str, name: str) -> StablehloOp:
        text = f"""func.func @main(%{name}: tensor<4xf32>) -> tensor<4xf32> {{
            %0 = stablehlo.tanh %{name} : tensor<4xf32> loc({place})
            return %0 : tensor<4xf32>
        }}"""
        return split(artifact_of(mlir, text), mlir)[0]

    here, there = of('"layer.1"', "x"), of('"net.py":3:7', "hidden")
    assert here.artifact == there.artifact and here.op == there.op
    assert (here.node, there.node) == ("layer.1", "stablehlo.tanh_0")
