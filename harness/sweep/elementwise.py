# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Elementwise ops: one operand, two, or one and a number."""

from collections.abc import Iterable, Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, but, call, rows

_SHAPES = {
    "odd": (3, 5, 7),
    "scalar": (),
    "empty": (0, 3),
    "rank6": (2, 1, 3, 1, 2, 2),
}
_ODD = _SHAPES["odd"]


def _unary(values: str = "normal", *rest: Any, **named: Any) -> Iterator[Call]:
    """Of float32 every shape and special value; of other dtypes an odd shape."""
    for name, shape in _SHAPES.items():
        yield call(f"f32-{name}", T(shape, values=values), *rest, **named)
    for special in ("nan", "inf", "edges"):
        yield call(f"f32-{special}", T(_ODD, values=special), *rest, **named)
    yield call("f32-flip", T(_ODD, values=values, layout="flip"), *rest, **named)
    for dtype in ("bfloat16", "float16"):
        yield call(f"{SHORT[dtype]}-odd", T(_ODD, dtype, values), *rest, **named)
    integers = values if values.startswith("positive") else "normal"
    yield call("i64-odd", T(_ODD, "int64", integers), *rest, **named)


def _of_floats() -> tuple[Call, ...]:
    return but(_unary(), "i64-odd")


def _whole_too(values: str = "normal", *rest: Any) -> Iterator[Call]:
    """Of integers also, at the ends of what they hold."""
    yield from _unary(values, *rest)
    for dtype in ("int32", "int8", "uint8"):
        yield call(f"{SHORT[dtype]}-edges", T((4, 3), dtype, "edges"), *rest)


def _two(one: T, other: T, name: str, rest: tuple[Any, ...], named: dict[str, Any]) -> Call:
    return call(name, one, other, *rest, **named)


def _binary(values: str = "normal", *rest: Any, **named: Any) -> Iterator[Call]:
    """Broadcast either way, promoted, special on the left or the right."""
    x = T(_ODD)
    pairs = {
        "f32-odd": (x, T(_ODD, values=values)),
        "f32-broadcast": (T((3, 1, 7)), T((5, 1), values=values)),
        "f32-scalar": (x, T((), values=values)),
        "f32-empty": (T((0, 3)), T((1, 3), values=values)),
        "f32-rank6": (T((2, 1, 3, 1, 2, 2)), T((3, 4, 1, 2), values=values)),
        "f32-nan": (T(_ODD, values="nan"), T(_ODD, values=values)),
        "f32-nan-right": (x, T(_ODD, values="nan")),
        "f32-flip": (T(_ODD, layout="flip"), T(_ODD, values=values)),
        "f32-transpose": (T(_ODD, layout="transpose"), T(_ODD, values=values)),
        "bf16-odd": (T(_ODD, "bfloat16"), T(_ODD, "bfloat16", values)),
        "f16-odd": (T(_ODD, "float16"), T(_ODD, "float16", values)),
        "bf16-f32": (T(_ODD, "bfloat16"), T(_ODD, values=values)),
        "i64-odd": (T(_ODD, "int64"), T(_ODD, "int64", values)),
        "f32-i64": (x, T(_ODD, "int64", values)),
    }
    for name, (one, other) in pairs.items():
        yield _two(one, other, name, rest, named)


def _whole_pairs(values: str = "normal", *rest: Any, **named: Any) -> Iterator[Call]:
    """Integers and bools: promoted, wrapped around, at the ends."""
    edges = "edges:nonzero" if values.startswith("positive") else "edges"
    pairs = {
        "i32-odd": (T(_ODD, "int32"), T(_ODD, "int32", values)),
        "i32-edges": (T((4, 3), "int32", "edges"), T((1, 3), "int32", edges)),
        "i8-edges": (T((4, 3), "int8", "edges"), T((4, 3), "int8", values)),
        "u8-edges": (T((4, 3), "uint8", "edges"), T((4, 3), "uint8", edges)),
        "i1-i64": (T(_ODD, "bool"), T(_ODD, "int64", values)),
        "i1-odd": (T(_ODD, "bool"), T(_ODD, "bool")),
    }
    for name, (one, other) in pairs.items():
        yield _two(one, other, name, rest, named)


def _both(values: str = "normal", *rest: Any, **named: Any) -> Iterator[Call]:
    yield from _binary(values, *rest, **named)
    yield from _whole_pairs(values, *rest, **named)


def _bits() -> Iterator[Call]:
    yield from _whole_pairs()
    yield call("i64-broadcast", T((3, 1, 7), "int64"), T((5, 1), "int64"))
    yield call("i64-empty", T((0, 3), "int64"), T((0, 3), "int64"))
    yield call("i64-scalar", T(_ODD, "int64"), T((), "int64"))
    yield call("i32-flip", T(_ODD, "int32", layout="flip"), T(_ODD, "int32"))


def _shifted() -> Iterator[Call]:
    yield call("i64-odd", T(_ODD, "int64"), T(_ODD, "int64", "index:9"))
    yield call("i32-edges", T((4, 3), "int32", "edges"), T((1, 3), "int32", "index:9"))
    yield call("i64-broadcast", T((3, 1, 7), "int64"), T((5, 1), "int64", "index:9"))


def _number(*numbers: float) -> Iterator[Call]:
    """A tensor and a number, which promotes integers where it is no whole one."""
    for number in numbers:
        said = str(number).replace("-", "minus")
        yield call(f"f32-{said}", T(_ODD), number)
        yield call(f"bf16-{said}", T(_ODD, "bfloat16"), number)
        yield call(f"i64-{said}", T(_ODD, "int64"), number)
        yield call(f"i32-{said}-edges", T((4, 3), "int32", "edges"), number)
        yield call(f"f32-{said}-scalar", T(()), number)
        yield call(f"f32-{said}-nan", T(_ODD, values="nan"), number)
        yield call(f"f32-{said}-inf", T(_ODD, values="inf"), number)


def _powers() -> Iterator[Call]:
    for exponent in (2, 3, 0, 0.5, -1, -2, 1.5, -0.5):
        said = str(exponent).replace("-", "minus")
        yield call(f"f32-{said}", T(_ODD, values="positive"), exponent)
        yield call(f"f32-{said}-negative", T((5, 3)), exponent)
        yield call(f"bf16-{said}", T(_ODD, "bfloat16", "positive"), exponent)
        yield call(f"f32-{said}-inf", T(_ODD, values="inf"), exponent)
    for exponent in (2, 3, 0):
        yield call(f"i64-{exponent}", T(_ODD, "int64"), exponent)


def _clamped() -> Iterator[Call]:
    for name, bounds in {
        "both": (-0.5, 0.5),
        "low": (-0.5, None),
        "high": (None, 0.5),
        "crossed": (0.5, -0.5),
        "inf": (float("-inf"), 0.25),
    }.items():
        yield call(f"f32-{name}", T(_ODD), *bounds)
        yield call(f"f32-{name}-nan", T(_ODD, values="nan"), *bounds)
        yield call(f"bf16-{name}", T(_ODD, "bfloat16"), *bounds)
    yield call("i64-both", T(_ODD, "int64"), -2, 3)
    yield call("i32-edges", T((4, 3), "int32", "edges"), 0, 100)
    yield call("f32-empty", T((0, 3)), -0.5, 0.5)
    yield call("f32-scalar", T(()), -0.5, 0.5)


def _clamped_by_tensors() -> Iterator[Call]:
    yield call("f32-odd", T(_ODD), T(_ODD, values="unit"), T(_ODD, values="positive"))
    yield call("f32-broadcast", T(_ODD), T((7,), values="unit"), T((5, 1), values="positive"))
    yield call("f32-low", T(_ODD), T(_ODD))
    yield call("f32-nan-bound", T(_ODD), T(_ODD, values="nan"), T((), values="positive"))
    yield call("i64-odd", T(_ODD, "int64"), T((), "int64"), T(_ODD, "int64", "positive"))


def _where() -> Iterator[Call]:
    chosen = T(_ODD, "bool")
    yield call("f32-odd", chosen, T(_ODD), T(_ODD))
    yield call("f32-broadcast", T((3, 1, 1), "bool"), T((5, 1)), T((7,)))
    yield call("f32-scalar", T((), "bool"), T(_ODD), T(()))
    yield call("f32-empty", T((0, 3), "bool"), T((1, 3)), T((0, 3)))
    yield call("f32-nan", chosen, T(_ODD, values="nan"), T(_ODD))
    yield call("f32-inf", chosen, T(_ODD, values="inf"), T(_ODD))
    yield call("f32-i64", chosen, T(_ODD), T(_ODD, "int64"))
    yield call("bf16-f32", chosen, T(_ODD, "bfloat16"), T(_ODD))
    yield call("i1-odd", chosen, T(_ODD, "bool"), T(_ODD, "bool"))
    yield call("f32-flip", T(_ODD, "bool", layout="flip"), T(_ODD), T(_ODD))
    yield call("f32-transpose", chosen, T(_ODD, layout="transpose"), T(_ODD))


def _masked() -> Iterator[Call]:
    for name, number in {"number": 2.5, "inf": float("-inf"), "nan": float("nan")}.items():
        yield call(f"f32-{name}", T(_ODD), T(_ODD, "bool"), number)
        yield call(f"bf16-{name}", T(_ODD, "bfloat16"), T((5, 1), "bool"), number)
    yield call("i64-odd", T(_ODD, "int64"), T(_ODD, "bool"), 7)
    yield call("f32-empty", T((0, 3)), T((1, 3), "bool"), 0.0)
    yield call("f32-scalar", T(()), T((), "bool"), 1.0)


def _cast() -> Iterator[Call]:
    wanted = ("float32", "bfloat16", "float16", "int64", "int32", "int8", "uint8", "bool")
    for dtype in ("float32", "bfloat16", "int64", "bool"):
        for other in wanted:
            values = "positive" if other == "uint8" and dtype != "bool" else "normal"
            name = f"{SHORT[dtype]}-{SHORT[other]}"
            yield call(name, T(_ODD, dtype, values), dtype=f"torch.{other}")
    for special in ("nan", "inf", "zeros"):
        yield call(f"f32-bool-{special}", T(_ODD, values=special), dtype="torch.bool")
        yield call(f"f32-bf16-{special}", T(_ODD, values=special), dtype="torch.bfloat16")
    yield call("f32-f16-huge", T(_ODD, values="huge"), dtype="torch.float16")
    yield call("f64-f32-edges", T((3, 4), "float64", "edges"), dtype="torch.float32")
    yield call("i64-i32-edges", T((3, 4), "int64", "edges"), dtype="torch.int32")
    yield call("i32-i8-edges", T((3, 4), "int32", "edges"), dtype="torch.int8")
    yield call("f32-i64-halves", T(_ODD, values="halves"), dtype="torch.int64")
    yield call("f32-bf16-empty", T((0, 3)), dtype="torch.bfloat16")
    yield call("f32-i64-scalar", T(()), dtype="torch.int64")


def _each(ops: str, calls: Iterable[Call]) -> dict[str, tuple[Call, ...]]:
    made = tuple(calls)
    return dict.fromkeys(ops.split(), made)


_COMPARISONS = "eq.Tensor ne.Tensor lt.Tensor le.Tensor gt.Tensor ge.Tensor"
ROWS = rows(
    {
        **_each("abs neg sign square", _whole_too()),
        **_each("relu", _whole_too()),
        **_each("sin cos tan sinh cosh tanh atan asinh erf exp exp2 expm1", _unary()),
        **_each("sigmoid", _unary()),
        **_each("silu gelu mish softplus hardswish hardsigmoid elu selu celu", _of_floats()),
        **_each("leaky_relu log_sigmoid frac", _of_floats()),
        **_each("hardtanh relu6", _unary()),
        **_each("acos asin atanh", _unary("unit")),
        **_each("acosh", _unary("positive:1")),
        **_each("log log2 log10 log1p sqrt rsqrt reciprocal", _unary("positive")),
        **_each("logit", _unary("probability")),
        **_each("ceil floor trunc", _unary()),
        "round": (*_unary(), call("f32-halves", T((3, 5), values="halves"))),
        "round.decimals": (
            call("f32-two", T((3, 5)), decimals=2),
            call("f32-minusone", T((3, 5), values="huge"), decimals=-1),
        ),
        **_each(
            "isnan isinf isfinite logical_not",
            (*_whole_too(), call("i1-odd", T(_ODD, "bool"))),
        ),
        "bitwise_not": (
            call("i64-odd", T(_ODD, "int64")),
            call("i32-edges", T((4, 3), "int32", "edges")),
            call("u8-edges", T((4, 3), "uint8", "edges")),
            call("i1-odd", T(_ODD, "bool")),
            call("i64-empty", T((0, 3), "int64")),
        ),
        **_each("add.Tensor mul.Tensor maximum minimum", _both()),
        "sub.Tensor": but(_both(), "i1-i64", "i1-odd"),
        "rsub.Tensor": tuple(_binary()),
        **_each("div.Tensor", _both("positive")),
        **_each("remainder.Tensor fmod.Tensor floor_divide", but(_both("positive"), "i1-odd")),
        "div.Tensor_mode": (
            *(
                Call(f"{mode}-{c.name}", c.args, {"rounding_mode": mode})
                for mode in ("floor", "trunc")
                for c in but(_both("positive"), "i1-odd")
            ),
        ),
        **_each("atan2 copysign.Tensor fmax fmin", _binary()),
        "hypot": but(_binary(), "i64-odd"),
        "pow.Tensor_Tensor": (
            *_binary("positive"),
            call("f32-positive-base", T((5, 3), values="positive"), T((5, 3))),
        ),
        **_each(_COMPARISONS, _binary()),
        **_each("eq.Tensor lt.Tensor ge.Tensor", _both()),
        **_each("logical_and logical_or logical_xor", _whole_pairs()),
        **_each("bitwise_and.Tensor bitwise_or.Tensor bitwise_xor.Tensor", _bits()),
        **_each("bitwise_left_shift.Tensor bitwise_right_shift.Tensor", _shifted()),
        **_each("add.Scalar sub.Scalar mul.Scalar", _number(2, 0.5)),
        **_each("rsub.Scalar", _number(2)),
        **_each("div.Scalar", _number(2, -0.5)),
        **_each("remainder.Scalar fmod.Scalar", _number(3, -2.5)),
        **_each("eq.Scalar ne.Scalar lt.Scalar le.Scalar gt.Scalar ge.Scalar", _number(0, 0.5)),
        "pow.Tensor_Scalar": tuple(_powers()),
        "pow.Scalar": (
            call("f32-two", 2, T(_ODD)),
            call("f32-half", 0.5, T(_ODD)),
            call("f32-two-inf", 2, T(_ODD, values="inf")),
            call("i64-two", 2, T(_ODD, "int64", "positive")),
            call("bf16-two", 2, T(_ODD, "bfloat16")),
        ),
        "clamp": tuple(_clamped()),
        "clamp.Tensor": tuple(_clamped_by_tensors()),
        "where.self": tuple(_where()),
        "masked_fill.Scalar": tuple(_masked()),
        "_to_copy": tuple(_cast()),
        "lerp.Scalar": (
            call("f32-odd", T(_ODD), T(_ODD), 0.3),
            call("f32-broadcast", T((3, 1, 7)), T((5, 1)), 0.8),
            call("bf16-odd", T(_ODD, "bfloat16"), T(_ODD, "bfloat16"), 0.3),
        ),
        **_each(
            "addcmul addcdiv",
            (
                call("f32-odd", T(_ODD), T(_ODD), T(_ODD, values="positive"), value=0.5),
                call("f32-broadcast", T((7,)), T((3, 1, 7)), T((5, 1), values="positive")),
                call("f32-nan", T(_ODD, values="nan"), T(_ODD), T(_ODD, values="positive")),
                call("f32-empty", T((0, 3)), T((0, 3)), T((1, 3), values="positive")),
            ),
        ),
        "threshold": (
            call("f32-odd", T(_ODD), 0.2, -1.0),
            call("f32-nan", T(_ODD, values="nan"), 0.2, -1.0),
            call("i64-odd", T(_ODD, "int64"), 2, 7),
        ),
    }
)
