# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Goldens of StableHLO ops: whose word they are, and that all who are asked say the same."""

from collections.abc import Iterator

import pytest
import torch
from torch_mlir import ir

from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.mlir import TorchMlir, main_of, read
from bringup.harness.ops.stablehlo_ops import StablehloOp, split
from bringup.harness.reference.references import (
    Golden,
    References,
    Source,
    seeded_inputs,
)
from bringup.harness.reference.stablehlo_evaluate import compute
from bringup.harness.reference.stablehlo_torch import ReferenceRefusal
from bringup.harness.session import begin
from tests.integration.split_models import asked


@pytest.fixture(scope="module", autouse=True)
def references() -> Iterator[None]:
    """End the references that the tests asked."""
    with begin():
        yield


# --- whose word -----------------------------------------------------------------------------


def one(mlir: TorchMlir, body: str, **types: str) -> StablehloOp:
    """The op whose result is the last value of a function on arguments of some types."""
    arguments = ", ".join(f"%{name}: {kind}" for name, kind in types.items() if name != "to")
    text = f"""func.func @main({arguments}) -> {types["to"]} {{
        {body}
        return %r : {types["to"]}
    }}"""
    return split(mlir.portable(ir.Module.parse(text, mlir.context)), mlir)[-1]


def golden(op: StablehloOp, mlir: TorchMlir, device: str = "cpu") -> Golden:
    return References(device, mlir).ask(op, seeded_inputs(op, mlir))()


SMALL, LARGE = "tensor<4x4xf32>", "tensor<400x400xf32>"
CHOLESKY = "%r = stablehlo.cholesky %a, lower = true : tensor<4x4xf32>"
PRODUCT = "%r = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : ({0}, {0}) -> {0}"
DIVIDED = """%z = stablehlo.constant dense<0> : tensor<4xi32>
        %r = stablehlo.divide %a, %z : tensor<4xi32>"""
SORTED = """%r = "stablehlo.sort"(%a) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%x: tensor<f32>, %y: tensor<f32>):
      %0 = stablehlo.compare LT, %x, %y : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    }) : (tensor<400x400xf32>) -> tensor<400x400xf32>"""


def test_what_is_short_is_asked_of_the_interpreter_and_what_is_long_of_torch(
    mlir: TorchMlir,
) -> None:
    short = one(mlir, PRODUCT.format(SMALL), a=SMALL, b=SMALL, to=SMALL)
    assert golden(short, mlir).source is Source.INTERPRETER
    long = one(mlir, PRODUCT.format(LARGE), a=LARGE, b=LARGE, to=LARGE)
    answer = golden(long, mlir)
    a, b = seeded_inputs(long, mlir)
    assert answer.source is Source.TORCH and answer.outputs is not None
    assert torch.equal(answer.outputs[0], (a.double() @ b.double()).float())


def test_what_torch_has_no_words_for_is_worth_waiting_for(mlir: TorchMlir) -> None:
    op = one(mlir, SORTED, a=LARGE, to=LARGE)
    answer = golden(op, mlir)
    assert answer.source is Source.INTERPRETER and answer.outputs is not None
    (a,) = seeded_inputs(op, mlir)
    assert torch.equal(answer.outputs[0], a.sort(dim=1).values)


def test_the_cpu_device_judges_another_compiler_and_never_its_own(mlir: TorchMlir) -> None:
    op = one(mlir, CHOLESKY, a=SMALL, to=SMALL)
    other, own = golden(op, mlir, "iree-cpu"), golden(op, mlir, "cpu")
    assert other.source is Source.CPU and other.outputs is not None
    torch.testing.assert_close(
        other.outputs[0].tril(), torch.linalg.cholesky(*seeded_inputs(op, mlir))
    )
    assert (own.source, own.outputs, own.machine) == (Source.NOBODY, None, False)
    assert "the interpreter does not know" not in own.reason, "it was not asked"
    assert "stablehlo.cholesky is not computed in PyTorch" in own.reason


def test_what_kills_the_interpreter_costs_its_answer_and_no_more(mlir: TorchMlir) -> None:
    kind = "tensor<4xi32>"
    deadly = one(mlir, DIVIDED, a=kind, to=kind)
    assert golden(deadly, mlir, "iree-cpu").source is Source.CPU, "others are asked"
    nobody = golden(deadly, mlir)
    assert (nobody.source, nobody.outputs, nobody.machine) == (Source.NOBODY, None, False)
    assert "interpreter: the process that serves interpreter died (SIGFPE)" in nobody.reason
    well = one(mlir, PRODUCT.format(SMALL), a=SMALL, b=SMALL, to=SMALL)
    assert golden(well, mlir).source is Source.INTERPRETER


def test_an_integer_is_not_divided_by_zero(mlir: TorchMlir, interpreter: OpPool) -> None:
    kind = "tensor<4xi32>"
    op = one(mlir, f"%r = stablehlo.divide %a, %b : {kind}", a=kind, b=kind, to=kind)
    a, b = seeded_inputs(op, mlir)
    assert (asked(interpreter, op.artifact, [a, b]).outputs or ())[0].tolist() == (a // b).tolist()
    run = asked(interpreter, op.artifact, [a, torch.zeros_like(b)])
    assert run.failure is not None and "zero" in run.failure.message


def test_a_type_that_nobody_reads_has_no_golden(mlir: TorchMlir) -> None:
    kind = "tensor<4x!quant.uniform<i8:f32, 0.5>>"
    op = one(mlir, f"%r = stablehlo.add %a, %a : {kind}", a=kind, to=kind)
    with pytest.raises(ReferenceRefusal, match="cannot be made"):
        seeded_inputs(op, mlir)


# --- StableHLO in PyTorch, against the interpreter -----------------------------------------

F, INT, P = "tensor<2x3xf32>", "tensor<2x3xi32>", "tensor<2x3xi1>"
ELEMENTWISE = {
    **dict.fromkeys(
        (
            *("abs", "cbrt", "ceil", "cosine", "exponential", "exponential_minus_one", "floor"),
            *("log", "log_plus_one", "logistic", "negate", "optimization_barrier"),
            *("round_nearest_afz", "round_nearest_even", "rsqrt", "sign", "sine", "sqrt", "tan"),
            "tanh",
        ),
        (F,),
    ),
    **dict.fromkeys(
        ("add", "atan2", "divide", "maximum", "minimum", "multiply", "power", "remainder"), (F, F)
    ),
    "subtract": (INT, INT),
    **dict.fromkeys(("and", "or", "xor"), (P, P)),
    "not": (P,),
    "clamp": (F, F, F),
}
OTHERS = {
    "integers divided": (f"%r = stablehlo.divide %a, %b : {INT}", {"a": INT, "b": INT, "to": INT}),
    "is_finite": (f"%r = stablehlo.is_finite %a : ({F}) -> {P}", {"a": F, "to": P}),
    "select": (
        f"%r = stablehlo.select %p, %a, %b : {P}, {F}",
        {"p": P, "a": F, "b": F, "to": F},
    ),
    "compare": (
        f"%r = stablehlo.compare GE, %a, %b : ({F}, {F}) -> {P}",
        {"a": F, "b": F, "to": P},
    ),
    "convert to integers": (f"%r = stablehlo.convert %a : ({F}) -> {INT}", {"a": F, "to": INT}),
    "convert to half": (
        f"%r = stablehlo.convert %a : ({F}) -> tensor<2x3xbf16>",
        {"a": F, "to": "tensor<2x3xbf16>"},
    ),
    "broadcast": (
        f"%r = stablehlo.broadcast_in_dim %a, dims = [2, 0] : ({F}) -> tensor<3x4x2xf32>",
        {"a": F, "to": "tensor<3x4x2xf32>"},
    ),
    **{
        f"{kind} {what}": (
            f"%c = stablehlo.constant dense<{text}> : tensor<{size}x{kind}>"
            f"\n%r = stablehlo.add %a, %c : tensor<{size}x{kind}>",
            {"a": f"tensor<{size}x{kind}>", "to": f"tensor<{size}x{kind}>"},
        )
        for kind, text, size, what in (
            ("bf16", "1.5", "2x3", "for all"),
            ("bf16", "[[1.0, 0x7F80, -2.5]]", "1x3", "each its own"),
            ("bf16", '"0x803F0040"', "2", "as bits"),
            ("bf16", str([n / 8 for n in range(200)]), "200", "many"),
        )
    },
    "iota": (f"%r = stablehlo.iota dim = 1 : {INT}", {"to": INT}),
    "concatenate": (
        f"%r = stablehlo.concatenate %a, %b, dim = 0 : ({F}, {F}) -> tensor<4x3xf32>",
        {"a": F, "b": F, "to": "tensor<4x3xf32>"},
    ),
    "slice": (
        f"%r = stablehlo.slice %a [0:1, 0:3:2] : ({F}) -> tensor<1x2xf32>",
        {"a": F, "to": "tensor<1x2xf32>"},
    ),
    "dynamic_slice": (
        f"%r = stablehlo.dynamic_slice %a, %i, %j, sizes = [1, 2] : ({F}, tensor<i32>, tensor<i32>)"
        " -> tensor<1x2xf32>",
        {"a": F, "i": "tensor<i32>", "j": "tensor<i32>", "to": "tensor<1x2xf32>"},
    ),
    "dynamic_update_slice": (
        f"%r = stablehlo.dynamic_update_slice %a, %b, %i, %j : ({F}, tensor<1x2xf32>, tensor<i32>,"
        f" tensor<i32>) -> {F}",
        {"a": F, "b": "tensor<1x2xf32>", "i": "tensor<i32>", "j": "tensor<i32>", "to": F},
    ),
    "pad": (
        f"%r = stablehlo.pad %a, %v, low = [1, -1], high = [0, 2], interior = [2, 1] : "
        f"({F}, tensor<f32>) -> tensor<5x6xf32>",
        {"a": F, "v": "tensor<f32>", "to": "tensor<5x6xf32>"},
    ),
    "reverse": (f"%r = stablehlo.reverse %a, dims = [1] : {F}", {"a": F, "to": F}),
    "transpose": (
        f"%r = stablehlo.transpose %a, dims = [1, 0] : ({F}) -> tensor<3x2xf32>",
        {"a": F, "to": "tensor<3x2xf32>"},
    ),
    "gather of windows": (
        """%r = "stablehlo.gather"(%a, %i) <{dimension_numbers = #stablehlo.gather<
            offset_dims = [0, 3], collapsed_slice_dims = [1], start_index_map = [1, 0],
            index_vector_dim = 0>, slice_sizes = array<i64: 2, 1, 3>}>
            : (tensor<4x5x6xf32>, tensor<2x7x8xi64>) -> tensor<2x7x8x3xf32>""",
        {"a": "tensor<4x5x6xf32>", "i": "tensor<2x7x8xi64>", "to": "tensor<2x7x8x3xf32>"},
    ),
    "dot_general with batches": (
        """%r = stablehlo.dot_general %a, %b, batching_dims = [1] x [0],
            contracting_dims = [0, 3] x [2, 1]
            : (tensor<3x2x5x4xf32>, tensor<2x4x3x6xf32>) -> tensor<2x5x6xf32>""",
        {"a": "tensor<3x2x5x4xf32>", "b": "tensor<2x4x3x6xf32>", "to": "tensor<2x5x6xf32>"},
    ),
    "outer product of integers": (
        """%r = stablehlo.dot_general %a, %b, contracting_dims = [] x []
            : (tensor<2xi32>, tensor<3xi32>) -> tensor<2x3xi32>""",
        {"a": "tensor<2xi32>", "b": "tensor<3xi32>", "to": INT},
    ),
    "convolution in groups, dilated and padded unevenly": (
        """%r = stablehlo.convolution(%a, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f],
            window = {stride = [2, 1], pad = [[1, 0], [-1, 2]], lhs_dilate = [1, 2],
            rhs_dilate = [2, 1], reverse = [true, false]}
            {batch_group_count = 1 : i64, feature_group_count = 2 : i64}
            : (tensor<1x7x6x4xf32>, tensor<3x2x2x6xf32>) -> tensor<1x2x11x6xf32>""",
        {
            "a": "tensor<1x7x6x4xf32>",
            "k": "tensor<3x2x2x6xf32>",
            "to": "tensor<1x2x11x6xf32>",
        },
    ),
}


def folded(name: str, kind: str) -> str:
    element = f"tensor<{kind}>"
    return f"""({{ ^bb0(%x: {element}, %y: {element}):
        %0 = stablehlo.{name} %x, %y : {element}
        stablehlo.return %0 : {element}
    }})"""


for _name, _kind in (
    *(("add", "f32"), ("multiply", "f32"), ("maximum", "f32"), ("minimum", "i32")),
    *(("and", "i1"), ("or", "i1")),
):
    _of = f"tensor<2x3x4x{_kind}>"
    OTHERS[f"reduce by {_name}"] = (
        f"""%r = "stablehlo.reduce"(%a, %s) <{{dimensions = array<i64: 2, 0>}}>
            {folded(_name, _kind)} : ({_of}, tensor<{_kind}>) -> tensor<3x{_kind}>""",
        {"a": _of, "s": f"tensor<{_kind}>", "to": f"tensor<3x{_kind}>"},
    )
    OTHERS[f"reduce_window by {_name}"] = (
        f"""%r = "stablehlo.reduce_window"(%a, %s) <{{window_dimensions = array<i64: 1, 2, 2>,
            window_strides = array<i64: 1, 1, 2>, window_dilations = array<i64: 1, 2, 1>,
            base_dilations = array<i64: 1, 2, 1>,
            padding = dense<[[0, 0], [1, 0], [0, 2]]> : tensor<3x2xi64>}}>
            {folded(_name, _kind)} : ({_of}, tensor<{_kind}>) -> tensor<2x4x3x{_kind}>""",
        {"a": _of, "s": f"tensor<{_kind}>", "to": f"tensor<2x4x3x{_kind}>"},
    )
for _name, _operands in ELEMENTWISE.items():
    _kinds = dict(zip("abc", _operands, strict=False))
    OTHERS[_name] = (
        f"%r = stablehlo.{_name} {', '.join(f'%{one}' for one in _kinds)} : {_operands[0]}",
        {**_kinds, "to": _operands[0]},
    )


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_torch_computes_what_the_interpreter_does(
    name: str, mlir: TorchMlir, interpreter: OpPool
) -> None:
    body, types = OTHERS[name]
    op = one(mlir, body, **types)
    inputs = seeded_inputs(op, mlir)
    ours = compute(main_of(read(mlir, op.artifact)), inputs)
    theirs = asked(interpreter, op.artifact, inputs)
    assert theirs.outputs is not None, theirs.failure
    torch.testing.assert_close(
        [each.double() for each in ours],
        [each.double() for each in theirs.outputs],
        rtol=1e-5,
        atol=1e-5,
        equal_nan=True,
    )
