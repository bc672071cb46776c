# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops that move elements and compute nothing."""

from collections.abc import Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, but, call, rows

_ODD = (3, 5, 8)
_LAYOUTS = ("flip", "transpose", "step", "expand")


def _of(*rest: Any, **named: Any) -> Iterator[Call]:
    """Of every dtype, with NaN, laid out otherwise."""
    yield call("f32-odd", T(_ODD), *rest, **named)
    for dtype in ("bfloat16", "float16", "float64", "int64", "int8", "bool"):
        yield call(f"{SHORT[dtype]}-odd", T(_ODD, dtype), *rest, **named)
    yield call("f32-nan", T(_ODD, values="nan"), *rest, **named)
    for layout in _LAYOUTS:
        yield call(f"f32-{layout}", T(_ODD, layout=layout), *rest, **named)


def _also(rest: tuple[Any, ...], more: dict[str, tuple[Any, ...]]) -> tuple[Call, ...]:
    """`_of`, and calls of float32 beside it."""
    return (*_of(*rest), *(call(f"f32-{name}", *args) for name, args in more.items()))


def _joined() -> Iterator[Call]:
    for dtype in ("float32", "bfloat16", "float16", "int64", "bool"):
        yield call(f"{SHORT[dtype]}-odd", [T((3, 5), dtype), T((2, 5), dtype)])
    yield call("f32-last", [T((3, 5)), T((3, 1)), T((3, 7))], -1)
    yield call("f32-alone", [T((3, 5))])
    yield call("f32-empty", [T((3, 5)), T((0, 5)), T((1, 5))])
    yield call("f32-all-empty", [T((0, 5)), T((0, 5))])
    yield call("f32-legacy-empty", [T((0,)), T((3, 5))])
    yield call("f32-many", [T((1, 3)) for _ in range(65)])
    yield call("f32-i64", [T((3, 5)), T((2, 5), "int64")])
    yield call("bf16-f32", [T((3, 5), "bfloat16"), T((2, 5))])
    yield call("f32-nan", [T((3, 5), values="nan"), T((2, 5))])
    yield call("f32-rank5", [T((1, 2, 1, 3, 2)), T((1, 2, 4, 3, 2))], 2)
    for layout in _LAYOUTS:
        yield call(f"f32-{layout}", [T((3, 4), layout=layout), T((2, 4))])


def _stacked() -> Iterator[Call]:
    for dim in (0, 1, -1):
        yield call(f"f32-at{dim}", [T((3, 5)), T((3, 5))], dim)
    yield call("f32-scalars", [T(()), T(()), T(())])
    yield call("f32-empty", [T((0, 5)), T((0, 5))], 1)
    yield call("bf16-odd", [T((3, 5), "bfloat16"), T((3, 5), "bfloat16")])


ROWS = rows(
    {
        "view": (
            call("f32-odd", T(_ODD), [15, 8]),
            call("f32-any", T(_ODD), [-1]),
            call("f32-ones", T(_ODD), [1, 3, 1, 40]),
            call("f32-empty", T((0, 5, 8)), [0, 40]),
            call("f32-scalar", T((1,)), []),
            call("bf16-odd", T(_ODD, "bfloat16"), [2, 60]),
            call("i1-odd", T(_ODD, "bool"), [2, 60]),
        ),
        "reshape": _also(([2, 60],), {"any": (T((4, 6)), [-1, 3]), "scalar": (T((1, 1)), [])}),
        "permute": _also(
            ([2, 0, 1],),
            {
                "same": (T(_ODD), [0, 1, 2]),
                "negative": (T(_ODD), [-1, 0, -2]),
                "rank6": (T((2, 1, 3, 1, 2, 2)), [5, 3, 1, 0, 2, 4]),
                "empty": (T((0, 5, 8)), [2, 0, 1]),
                "scalar": (T(()), []),
            },
        ),
        "transpose.int": _also((0, 2), {"same": (T(_ODD), 1, 1), "negative": (T(_ODD), -1, 0)}),
        "t": (call("f32-odd", T((3, 5))), call("f32-line", T((5,))), call("f32-scalar", T(()))),
        "expand": (
            call("f32-odd", T((3, 1, 5)), [3, 4, 5]),
            call("f32-new", T((3, 1)), [2, -1, 5]),
            call("f32-scalar", T(()), [2, 3]),
            call("f32-none", T((1, 3)), [0, 3]),
            call("f32-same", T((3, 5)), [-1, -1]),
            call("bf16-odd", T((3, 1, 5), "bfloat16"), [3, 4, 5]),
            call("i1-odd", T((3, 1), "bool"), [3, 4]),
            call("f32-flip", T((3, 1, 5), layout="flip"), [3, 4, 5]),
        ),
        "repeat": _also(
            ([2, 1, 3],), {"more": (T((3, 5)), [2, 1, 1, 2]), "none": (T((3, 5)), [0, 2])}
        ),
        "repeat_interleave.self_int": (
            call("f32-odd", T((3, 5)), 3, 1),
            call("f32-flat", T((3, 5)), 2),
            call("f32-one", T((3, 5)), 1, 0),
        ),
        "cat": tuple(_joined()),
        "stack": tuple(_stacked()),
        "split.Tensor": _also((3, 1), {"whole": (T(_ODD), 9, 2), "empty": (T((0, 4)), 2, 1)}),
        "split_with_sizes": _also(([1, 0, 4], 1), {"one": (T(_ODD), [8], 2)}),
        "chunk": _also((3, 2), {"more": (T((2, 3)), 5, 0)}),
        "unbind.int": _also((1,), {"one": (T((1, 3)), 0), "last": (T((3, 2)), -1)}),
        "flip": _also(
            ([0, 2],),
            {
                "none": (T(_ODD), []),
                "empty": (T((0, 5, 8)), [0, 1]),
                "negative": (T(_ODD), [-1]),
                "rank6": (T((2, 1, 3, 1, 2, 2)), [0, 2, 5]),
            },
        ),
        "roll": _also(
            ([2, -1], [1, 2]),
            {
                "flat": (T(_ODD), [7]),
                "beyond": (T(_ODD), [17], [1]),
                "empty": (T((0, 3)), [1], [1]),
            },
        ),
        "squeeze": (
            call("f32-odd", T((1, 3, 1, 5))),
            call("f32-one", T((1, 1))),
            call("f32-none", T((3, 5))),
            call("bf16-odd", T((1, 3, 1), "bfloat16")),
        ),
        "squeeze.dims": (
            call("f32-odd", T((1, 3, 1, 5)), [0, 2]),
            call("f32-kept", T((1, 3, 1, 5)), [0, 1]),
            call("i64-odd", T((1, 3, 1), "int64"), [-1]),
        ),
        "unsqueeze": _also(
            (1,), {"last": (T(_ODD), -1), "scalar": (T(()), 0), "empty": (T((0,)), 0)}
        ),
        "flatten.using_ints": _also((0, 1), {"scalar": (T(()),), "last": (T(_ODD), 1, -1)}),
        "constant_pad_nd": _also(
            ([1, 2, 0, 3],),
            {
                "value": (T(_ODD), [2, 2], 1.5),
                "cropped": (T(_ODD), [-1, -2]),
                "both": (T(_ODD), [-1, 2, 3, -2], -1.0),
                "inf": (T(_ODD), [1, 1], float("-inf")),
                "empty": (T((0, 3)), [1, 1, 2, 2]),
                "none": (T(_ODD), [0, 0]),
                "rank5": (T((1, 2, 3, 2, 2)), [1, 0, 0, 1, 2, 0]),
            },
        ),
        "reflection_pad1d": but(_of([2, 1]), "i1-odd"),
        "reflection_pad2d": but(_of([2, 1, 1, 0]), "i1-odd"),
        "replication_pad1d": but(_of([2, 1]), "i1-odd"),
        "replication_pad2d": but(_of([2, 1, 1, 3]), "i1-odd"),
        "pixel_shuffle": (
            call("f32-odd", T((2, 8, 3, 5)), 2),
            call("bf16-odd", T((1, 9, 2, 2), "bfloat16"), 3),
            call("f32-nan", T((1, 4, 3, 3), values="nan"), 2),
        ),
        "unfold": _also((1, 3, 2), {"whole": (T(_ODD), 0, 3, 1), "one": (T(_ODD), 2, 1, 3)}),
        "im2col": (
            call("f32-odd", T((2, 3, 7, 9)), [3, 3], [1, 1], [1, 1], [1, 1]),
            call("f32-strided", T((2, 3, 7, 9)), [2, 3], [1, 1], [0, 1], [2, 3]),
            call("f32-dilated", T((1, 2, 9, 9)), [2, 2], [2, 2], [0, 0], [1, 1]),
        ),
        "movedim.int": _also((0, 2), {"same": (T(_ODD), 1, 1)}),
        "clone": _also((), {"scalar": (T(()),), "empty": (T((0, 3)),)}),
        "as_strided": (
            call("f32-windows", T((12,)), [5, 4], [2, 1]),
            call("f32-turned", T((3, 5)), [5, 3], [1, 5]),
            call("f32-off", T((12,)), [2, 3], [3, 1], 2),
            call("f32-shared", T((12,)), [3, 3], [0, 1]),
        ),
        "meshgrid.indexing": (
            call("f32-ij", [T((3,)), T((5,))], indexing="ij"),
            call("f32-xy", [T((3,)), T((5,))], indexing="xy"),
        ),
    }
)
