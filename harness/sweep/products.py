# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Products of matrices, convolutions, attention."""

from collections.abc import Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, call, rows

Shape = tuple[int, ...]
_DTYPES = ("bfloat16", "float16", "float64", "int64", "int32")


def _of(shapes: dict[str, tuple[Shape, ...]], *rest: Any) -> Iterator[Call]:
    """Products of operands of some shapes, the first of them also of other dtypes and values."""
    for name, given in shapes.items():
        yield call(f"f32-{name}", *(T(shape) for shape in given), *rest)
    given = next(iter(shapes.values()))
    others = [T(shape) for shape in given[1:]]
    for dtype in _DTYPES:
        yield call(f"{SHORT[dtype]}-odd", *(T(shape, dtype) for shape in given), *rest)
    for special in ("nan", "inf"):
        yield call(f"f32-{special}", T(given[0], values=special), *others, *rest)
    for layout in ("flip", "transpose"):
        if len(given[0]) > 1:
            yield call(f"f32-{layout}", T(given[0], layout=layout), *others, *rest)


_MM: dict[str, tuple[Shape, ...]] = {
    "odd": ((5, 7), (7, 3)),
    "one": ((1, 1), (1, 1)),
    "row": ((1, 33), (33, 17)),
    "column": ((17, 33), (33, 1)),
    "outer": ((5, 1), (1, 7)),
    "of-nothing": ((3, 0), (0, 5)),
    "empty": ((0, 3), (3, 5)),
    "deep": ((3, 8193), (8193, 5)),
    "tiles": ((64, 64), (64, 64)),
    "off-tiles": ((65, 33), (33, 31)),
}
_BMM: dict[str, tuple[Shape, ...]] = {
    "odd": ((3, 5, 7), (3, 7, 2)),
    "one": ((1, 1, 1), (1, 1, 1)),
    "no-batch": ((0, 5, 7), (0, 7, 2)),
    "of-nothing": ((2, 3, 0), (2, 0, 4)),
    "deep": ((2, 3, 2049), (2, 2049, 5)),
    "many": ((65, 2, 3), (65, 3, 2)),
}
_MATMUL: dict[str, tuple[Shape, ...]] = {
    "odd": ((3, 5, 7), (3, 7, 2)),
    "vectors": ((7,), (7,)),
    "vector-matrix": ((7,), (7, 3)),
    "matrix-vector": ((3, 7), (7,)),
    "batch-vector": ((2, 3, 7), (7,)),
    "vector-batch": ((7,), (2, 7, 3)),
    "broadcast": ((2, 1, 5, 7), (3, 7, 2)),
    "rank5": ((2, 1, 2, 3, 4), (1, 3, 1, 4, 2)),
    "empty": ((0, 5, 7), (7, 2)),
    "shared": ((4, 5, 7), (7, 2)),
}
_ADDMM: dict[str, tuple[Shape, ...]] = {
    "odd": ((5, 3), (5, 7), (7, 3)),
    "bias": ((3,), (5, 7), (7, 3)),
    "scalar": ((), (5, 7), (7, 3)),
    "column": ((5, 1), (5, 7), (7, 3)),
    "of-nothing": ((3,), (2, 0), (0, 3)),
    "empty": ((3,), (0, 7), (7, 3)),
}


def _scaled() -> Iterator[Call]:
    yield from _of(_ADDMM)
    matrices = (T((3,)), T((5, 7)), T((7, 3)))
    yield call("f32-scaled", *matrices, beta=0.5, alpha=2.0)
    yield call("f32-beta0", T((3,), values="nan"), *matrices[1:], beta=0.0)
    yield call("f32-alpha0", *matrices, alpha=0.0)


def _convolution(
    name: str,
    x: Shape,
    w: Shape,
    *,
    dtype: str = "float32",
    bias: bool = True,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    turned: bool = False,
    more: int = 0,
    groups: int = 1,
    values: str = "normal",
    layout: str = "",
) -> Call:
    n = len(x) - 2
    channels = w[1] * groups if turned else w[0]
    return call(
        f"{SHORT[dtype]}-{name}",
        T(x, dtype, values, layout),
        T(w, dtype),
        T((channels,), dtype) if bias else None,
        [stride] * n,
        [padding] * n,
        [dilation] * n,
        turned,
        [more] * n,
        groups,
    )


def _convolutions() -> Iterator[Call]:
    one = _convolution
    picture, kernel = (2, 4, 9, 11), (6, 4, 3, 3)
    yield one("odd", picture, kernel)
    yield one("padded", picture, kernel, padding=1)
    yield one("strided", picture, kernel, stride=2, padding=1)
    yield one("dilated", picture, kernel, dilation=2, padding=2)
    yield one("plain", picture, kernel, bias=False)
    yield one("grouped", picture, (6, 2, 3, 3), groups=2)
    yield one("depthwise", picture, (4, 1, 3, 3), groups=4, padding=1)
    yield one("multiplier", picture, (8, 1, 3, 3), groups=4, padding=1)
    yield one("pointwise", picture, (6, 4, 1, 1))
    yield one("pointwise-strided", picture, (6, 4, 1, 1), stride=3)
    yield one("whole", (2, 4, 3, 3), kernel)
    yield one("tall", picture, (6, 4, 5, 1))
    yield one("over-padded", (1, 4, 1, 1), kernel, padding=3)
    yield one("no-batch", (0, 4, 9, 11), kernel)
    yield one("single", (1, 1, 1, 1), (1, 1, 1, 1))
    yield one("large-stride", (1, 3, 32, 32), (8, 3, 16, 16), stride=16)
    yield one("nan", picture, kernel, values="nan")
    yield one("inf", picture, kernel, values="inf")
    yield one("flip", picture, kernel, layout="flip")
    yield one("transpose", picture, kernel, layout="transpose")
    yield one("turned", picture, (4, 6, 3, 3), turned=True)
    yield one("turned-strided", picture, (4, 6, 3, 3), turned=True, stride=2, padding=1)
    yield one("turned-more", picture, (4, 6, 3, 3), turned=True, stride=2, padding=1, more=1)
    yield one("turned-grouped", picture, (4, 3, 3, 3), turned=True, groups=2)
    yield one("turned-dilated", picture, (4, 6, 3, 3), turned=True, dilation=2)
    yield one("line", (2, 4, 17), (6, 4, 3), padding=1)
    yield one("line-causal", (1, 4, 17), (4, 1, 4), groups=4, padding=3)
    yield one("line-turned", (2, 4, 17), (4, 6, 4), turned=True, stride=2)
    yield one("space", (1, 2, 5, 6, 7), (3, 2, 2, 3, 3), padding=1)
    yield one("space-strided", (1, 2, 5, 6, 7), (3, 2, 2, 2, 2), stride=2)
    for dtype in ("bfloat16", "float16", "float64"):
        yield one("padded", picture, kernel, dtype=dtype, padding=1)
        yield one("depthwise", picture, (4, 1, 3, 3), dtype=dtype, groups=4)
        yield one("turned", picture, (4, 6, 3, 3), dtype=dtype, turned=True, stride=2)


def _attention() -> Iterator[Call]:
    q, kv = T((2, 3, 5, 8)), T((2, 3, 7, 8))
    yield call("f32-odd", q, kv, kv)
    yield call("f32-causal", q, q, q, None, 0.0, True)
    yield call("f32-one", T((1, 1, 1, 8)), T((1, 1, 1, 8)), T((1, 1, 1, 8)))
    yield call("f32-decode", T((2, 3, 1, 8)), kv, kv)
    yield call("f32-bool-mask", q, kv, kv, T((5, 7), "bool"))
    yield call("f32-added-mask", q, kv, kv, T((2, 1, 5, 7), values="minus_inf"))
    yield call("f32-scaled", q, kv, kv, scale=0.7)
    yield call("f32-nan", T((2, 3, 5, 8), values="nan"), kv, kv)
    yield call("f32-grouped", T((2, 6, 5, 8)), kv, kv, enable_gqa=True)
    yield call("f32-rank3", T((2, 5, 8)), T((2, 7, 8)), T((2, 7, 8)))
    yield call("f32-wide-values", q, kv, T((2, 3, 7, 4)))
    yield call("f32-long", T((1, 1, 3, 8)), T((1, 1, 2049, 8)), T((1, 1, 2049, 8)))
    for dtype in ("bfloat16", "float16"):
        q, kv = T((2, 3, 5, 8), dtype), T((2, 3, 7, 8), dtype)
        yield call(f"{SHORT[dtype]}-odd", q, kv, kv)
        yield call(f"{SHORT[dtype]}-causal", q, q, q, None, 0.0, True)


ROWS = rows(
    {
        "mm": tuple(_of(_MM)),
        "bmm": tuple(_of(_BMM)),
        "matmul": tuple(_of(_MATMUL)),
        "addmm": tuple(_scaled()),
        "baddbmm": tuple(
            _of(
                {
                    "odd": ((3, 5, 2), (3, 5, 7), (3, 7, 2)),
                    "bias": ((2,), (3, 5, 7), (3, 7, 2)),
                    "no-batch": ((2,), (0, 5, 7), (0, 7, 2)),
                }
            )
        ),
        "linear": tuple(
            _of(
                {
                    "odd": ((3, 5, 7), (2, 7), (2,)),
                    "plain": ((3, 7), (2, 7)),
                    "vector": ((7,), (2, 7), (2,)),
                    "empty": ((0, 7), (2, 7), (2,)),
                    "rank5": ((2, 1, 3, 2, 7), (2, 7), (2,)),
                }
            )
        ),
        "dot": tuple(_of({"odd": ((7,), (7,)), "one": ((1,), (1,)), "of-nothing": ((0,), (0,))})),
        "mv": tuple(_of({"odd": ((5, 7), (7,)), "of-nothing": ((5, 0), (0,))})),
        "outer": tuple(_of({"odd": ((5,), (7,)), "empty": ((0,), (7,))})),
        "einsum": (
            call("f32-heads", "bhqd,bhkd->bhqk", [T((2, 3, 5, 4)), T((2, 3, 7, 4))]),
            call("f32-trace", "bij,bjk->bik", [T((2, 3, 5)), T((2, 5, 4))]),
            call("f32-sum", "ij->j", [T((3, 5))]),
            call("f32-outer", "i,j->ij", [T((3,)), T((5,))]),
            call(
                "bf16-heads", "bqd,bkd->bqk", [T((2, 5, 4), "bfloat16"), T((2, 7, 4), "bfloat16")]
            ),
        ),
        "convolution": tuple(_convolutions()),
        "scaled_dot_product_attention": tuple(_attention()),
    }
)
