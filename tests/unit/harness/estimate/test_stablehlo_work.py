# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A program's operations and bytes, against sums that were done by hand."""

import pytest
from torch_mlir import ir

from bringup.harness.estimate.stablehlo_work import Work, work_of
from bringup.harness.mlir import LoweringError, TorchMlir


def counted(text: str) -> Work:
    mlir = TorchMlir()
    with mlir.context:
        return work_of(ir.Module.parse(text))


def main(arguments: str, results: str, body: str) -> str:
    return f"func.func @main({arguments}) -> {results} {{\n{body}\n}}"


X, W, Y = "tensor<8x16xf32>", "tensor<16x32xf32>", "tensor<8x32xf32>"
DOT = f"%0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : ({X}, {W}) -> {Y}"
SIZES = {X: 4 * 8 * 16, W: 4 * 16 * 32, Y: 4 * 8 * 32}


def test_a_matrix_product_is_two_operations_a_pair() -> None:
    work = counted(main(f"%x: {X}, %w: {W}", Y, f"{DOT}\nreturn %0 : {Y}"))
    assert work.products == {"f32": 2 * 8 * 16 * 32} and work.other == 0
    assert (work.arguments, work.outputs) == (SIZES[X] + SIZES[W], SIZES[Y])
    assert work.bytes == sum(SIZES.values())
    assert work.dtype == "f32" and work.flops == 2 * 8 * 16 * 32


def test_a_batched_product_in_bf16_contracts_what_it_says() -> None:
    a, b, c = "tensor<4x8x16xbf16>", "tensor<4x32x16xbf16>", "tensor<4x8x32xbf16>"
    work = counted(
        main(
            f"%a: {a}, %b: {b}",
            c,
            "%0 = stablehlo.dot_general %a, %b, batching_dims = [0] x [0],"
            f" contracting_dims = [2] x [2] : ({a}, {b}) -> {c}\nreturn %0 : {c}",
        )
    )
    assert work.products == {"bf16": 2 * 4 * 8 * 32 * 16}
    assert work.arguments == 2 * (4 * 8 * 16 + 4 * 32 * 16)


CONVOLUTION = """
%0 = stablehlo.convolution(%x, %k) dim_numbers = {numbers},
  window = {{stride = [2, 2], pad = [[1, 1], [1, 1]]}}
  {{batch_group_count = 1 : i64, feature_group_count = {groups} : i64}}
  : ({x}, {k}) -> {y}
return %0 : {y}"""


@pytest.mark.parametrize(
    ("numbers", "x", "k", "y", "groups", "flops"),
    [
        (
            "[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]",
            *("tensor<1x3x8x8xf32>", "tensor<16x3x3x3xf32>", "tensor<1x16x4x4xf32>", 1),
            2 * (16 * 4 * 4) * (3 * 3 * 3),
        ),
        (
            "[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]",  # depthwise: each input channel alone
            *("tensor<1x16x8x8xf32>", "tensor<16x1x3x3xf32>", "tensor<1x16x4x4xf32>", 16),
            2 * (16 * 4 * 4) * (3 * 3),
        ),
        (
            "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]",
            *("tensor<1x8x8x3xf32>", "tensor<3x3x3x16xf32>", "tensor<1x4x4x16xf32>", 1),
            2 * (16 * 4 * 4) * (3 * 3 * 3),
        ),
    ],
)
def test_a_convolution_is_two_operations_a_weight_and_output(
    numbers: str, x: str, k: str, y: str, groups: int, flops: int
) -> None:
    body = CONVOLUTION.format(numbers=numbers, x=x, k=k, y=y, groups=groups)
    assert counted(main(f"%x: {x}, %k: {k}", y, body)).products == {"f32": flops}


def test_what_is_elementwise_is_one_operation_and_fuses_with_what_made_it() -> None:
    body = f"""{DOT}
      %1 = stablehlo.tanh %0 : {Y}
      %2 = stablehlo.negate %1 : {Y}
      return %2 : {Y}"""
    work = counted(main(f"%x: {X}, %w: {W}", Y, body))
    assert work.other == 2 * 8 * 32
    assert work.bytes == sum(SIZES.values()), "neither the product nor tanh lies in memory"


def test_what_two_ops_read_is_written_once_and_read_twice() -> None:
    body = f"""%0 = stablehlo.tanh %x : {X}
      %1 = stablehlo.negate %0 : {X}
      %2 = stablehlo.abs %0 : {X}
      return %1, %2 : {X}, {X}"""
    work = counted(main(f"%x: {X}", f"({X}, {X})", body))
    assert work.bytes == (2 + 2 + 2) * SIZES[X]


def test_of_a_table_no_more_is_read_than_is_taken_out() -> None:
    table, ids, rows = "tensor<30000x64xf32>", "tensor<4x1xi64>", "tensor<4x64xf32>"
    body = f"""%0 = "stablehlo.gather"(%t, %i) {{
        dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0],
          start_index_map = [0], index_vector_dim = 1>,
        slice_sizes = array<i64: 1, 64>, indices_are_sorted = false
      }} : ({table}, {ids}) -> {rows}
      return %0 : {rows}"""
    work = counted(main(f"%t: {table}, %i: {ids}", rows, body))
    assert work.bytes == 2 * 4 * 4 * 64 + 8 * 4 and work.flops == 0


REDUCE = """
%z = stablehlo.constant dense<0.0> : tensor<f32>
%0 = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [1]
  : (tensor<8x16xf32>, tensor<f32>) -> tensor<8xf32>
return %0 : tensor<8xf32>"""
WINDOW = """
%z = stablehlo.constant dense<0.0> : tensor<f32>
%0 = "stablehlo.reduce_window"(%x, %z) <{window_dimensions = array<i64: 1, 4>,
  window_strides = array<i64: 1, 4>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.maximum %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
}) : (tensor<8x16xf32>, tensor<f32>) -> tensor<8x4xf32>
return %0 : tensor<8x4xf32>"""


def test_a_reduction_is_one_operation_for_each_element_that_goes_in() -> None:
    work = counted(main("%x: tensor<8x16xf32>", "tensor<8xf32>", REDUCE))
    assert work.other == 8 * 16 and work.bytes == 4 * (8 * 16 + 8)
    assert counted(main("%x: tensor<8x16xf32>", "tensor<8x4xf32>", WINDOW)).other == 8 * 4 * 4


def test_a_constant_of_many_values_is_read_like_an_argument_and_one_value_is_not() -> None:
    many, one = "dense<[1.0, 2.0, 3.0, 4.0]>", "dense<1.0>"
    text = """%c = stablehlo.constant {} : tensor<4xf32>
      %0 = stablehlo.add %x, %c : tensor<4xf32>
      return %0 : tensor<4xf32>"""
    arguments, results = "%x: tensor<4xf32>", "tensor<4xf32>"
    assert counted(main(arguments, results, text.format(many))).bytes == 3 * 16
    assert counted(main(arguments, results, text.format(one))).bytes == 2 * 16


WHILE = """
%0 = stablehlo.while(%i = %x) : tensor<4xf32>
 cond {
  %c = stablehlo.constant dense<true> : tensor<i1>
  stablehlo.return %c : tensor<i1>
} do {
  %n = stablehlo.tanh %i : tensor<4xf32>
  stablehlo.return %n : tensor<4xf32>
}
return %0 : tensor<4xf32>"""


def test_the_body_of_a_loop_counts_once() -> None:
    assert counted(main("%x: tensor<4xf32>", "tensor<4xf32>", WHILE)).other == 4


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *(("tensor<3xi1>", 3), ("tensor<3xi4>", 3), ("tensor<2xcomplex<f64>>", 32)),
        *(("tensor<f64>", 8), ("tensor<0x4xf32>", 0), ("tensor<2xf8E4M3FN>", 2)),
    ],
)
def test_a_tensor_has_its_bytes(kind: str, size: int) -> None:
    work = counted(main(f"%x: {kind}", kind, f"return %x : {kind}"))
    assert (work.arguments, work.outputs, work.bytes) == (size, size, 0)


def test_a_program_without_arguments_or_results_has_no_work() -> None:
    assert counted("func.func @main() { return }") == Work(0, 0)
    with pytest.raises(LoweringError, match="no function named main"):
        counted("func.func @other() { return }")
