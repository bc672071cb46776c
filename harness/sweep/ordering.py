# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Sorting and choosing the largest; of values without ties where an index is the answer."""

from collections.abc import Iterator

from bringup.harness.sweep.rows import SHORT, Call, T, call, rows

_SHAPES = {
    "odd": (3, 5, 7),
    "one": (3, 1),
    "empty": (0, 7),
    "long": (2, 1025),
    "rank5": (1, 2, 1, 3, 4),
}


def _sorted() -> Iterator[Call]:
    for name, shape in _SHAPES.items():
        yield call(f"f32-{name}", T(shape, values="distinct"))
        yield call(f"f32-{name}-down", T(shape, values="distinct"), -1, True)
    yield call("f32-first", T((7, 3), values="distinct"), 0)
    yield call("f32-nan", T((3, 7), values="nan_only"))
    yield call("f32-flip", T((3, 7), values="distinct", layout="flip"))
    yield call("f32-transpose", T((3, 7), values="distinct", layout="transpose"))
    for dtype in ("bfloat16", "float16", "int64", "int32"):
        yield call(f"{SHORT[dtype]}-odd", T((3, 7), dtype, "distinct"))


def _topk() -> Iterator[Call]:
    for name, shape in _SHAPES.items():
        yield call(f"f32-{name}-one", T(shape, values="distinct"), 1)
    for k in (2, 7):
        yield call(f"f32-{k}", T((3, 5, 7), values="distinct"), k)
        yield call(f"f32-{k}-smallest", T((3, 5, 7), values="distinct"), k, -1, False)
    yield call("f32-none", T((3, 7), values="distinct"), 0)
    yield call("f32-first", T((7, 3), values="distinct"), 2, 0)
    for dtype in ("bfloat16", "float16", "int64", "int32"):
        yield call(f"{SHORT[dtype]}-odd", T((3, 7), dtype, "distinct"), 2)


ROWS = rows(
    {
        "sort": tuple(_sorted()),
        "sort.stable": tuple(
            call(
                f"{SHORT[dtype]}-ties-{'down' if down else 'up'}-{dim}",
                T((5, 9), dtype, "ties"),
                stable=True,
                dim=dim,
                descending=down,
            )
            for dtype in ("float32", "int64", "bool")
            for down in (False, True)
            for dim in (0, -1)
        ),
        "argsort": tuple(_sorted()),
        "topk": tuple(_topk()),
        "kthvalue": (
            call("f32-odd", T((3, 7), values="distinct"), 3),
            call("i64-first", T((7, 3), "int64", "distinct"), 2, 0),
        ),
        "bucketize.Tensor": (call("f32-odd", T((3, 5)), T((1,))),),
    }
)
