# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reductions and scans."""

from collections.abc import Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, but, call, rows

_ODD = (3, 5, 7)
_SHAPES = {
    "last": (_ODD, -1),
    "first": (_ODD, 0),
    "middle": (_ODD, 1),
    "one": ((4, 1), 1),
    "no-rows": ((0, 3), 1),
    "of-nothing": ((3, 0), 1),
    "rank6": ((2, 1, 3, 2, 2, 2), 3),
    "long": ((2, 70_001), 1),
    "tall": ((70_001, 2), 0),
}
"""A shape and the dimension that is reduced."""


def _along(values: str = "normal", *, listed: bool = False, **named: Any) -> Iterator[Call]:
    """Along one dimension; `listed` where the op takes a list of them."""

    def dim(d: int) -> Any:
        return [d] if listed else d

    for name, (shape, d) in _SHAPES.items():
        yield call(f"f32-{name}", T(shape, values=values), dim(d), **named)
    yield call("f32-kept", T(_ODD, values=values), dim(1), keepdim=True, **named)
    yield call("f32-scalar", T((), values=values), dim(0), **named)
    for special in ("nan", "inf", "nan_only"):
        yield call(f"f32-{special}", T(_ODD, values=special), dim(-1), **named)
    for layout in ("flip", "transpose", "step", "expand"):
        yield call(f"f32-{layout}", T(_ODD, values=values, layout=layout), dim(-1), **named)
    for dtype in ("bfloat16", "float16", "float64", "int64", "int32", "uint8", "bool"):
        of = values if "float" in dtype or values.startswith("distinct") else "normal"
        yield call(f"{SHORT[dtype]}-last", T(_ODD, dtype, of), dim(-1), **named)
    yield call("bf16-long", T((2, 4099), "bfloat16", values), dim(1), **named)
    yield call("i32-edges", T((4, 6), "int32", "edges"), dim(1), **named)
    if listed:
        yield call("f32-two", T(_ODD, values=values), [0, 2], **named)
        yield call("f32-two-kept", T(_ODD, values=values), [2, 0], keepdim=True, **named)
        yield call("f32-all", T(_ODD, values=values), [0, 1, 2], **named)


def _whole(values: str = "normal") -> Iterator[Call]:
    """Of all elements."""
    for name, shape in {
        "odd": _ODD,
        "scalar": (),
        "one": (1, 1),
        "empty": (0, 3),
        "long": (70_001,),
        "rank6": (2, 1, 3, 1, 2, 2),
    }.items():
        yield call(f"f32-{name}", T(shape, values=values))
    for special in ("nan", "inf"):
        yield call(f"f32-{special}", T(_ODD, values=special))
    yield call("f32-flip", T(_ODD, values=values, layout="flip"))
    for dtype in ("bfloat16", "float16", "int64", "bool"):
        of = values if "float" in dtype else "normal"
        yield call(f"{SHORT[dtype]}-odd", T(_ODD, dtype, of))


def _spread(correction: int) -> Iterator[Call]:
    """Of floats alone: nothing else has a variance."""
    for one in _along(listed=True, correction=correction):
        if one.name.startswith(("f", "b")):
            yield one


def _scan() -> Iterator[Call]:
    for one in _along():
        if one.name != "f32-kept":
            yield one


def _norms() -> Iterator[Call]:
    for order in (1, 2, 0, float("inf"), float("-inf"), 3):
        said = str(order).replace("-", "minus")
        yield call(f"f32-{said}", T(_ODD), order, [-1])
        yield call(f"bf16-{said}", T(_ODD, "bfloat16"), order, [0, 2], True)
        yield call(f"f32-{said}-all", T(_ODD), order)
    yield call("f32-nan", T(_ODD, values="nan"), 2, [-1])
    yield call("f32-huge", T(_ODD, values="huge"), 2, [-1])


ROWS = rows(
    {
        "sum.dim_IntList": (
            *_along(listed=True),
            call("bf16-f32", T(_ODD, "bfloat16"), [1], dtype="torch.float32"),
            call("i32-f32", T(_ODD, "int32"), [1], dtype="torch.float32"),
        ),
        "mean.dim": tuple(c for c in _along(listed=True) if c.name.startswith(("f", "b"))),
        "amax": but(_along(listed=True), "f32-of-nothing"),
        "amin": but(_along(listed=True), "f32-of-nothing"),
        "prod.dim_int": tuple(_along("unit")),
        "any.dim": tuple(_along()),
        "all.dim": tuple(_along()),
        "any.dims": tuple(_along(listed=True)),
        "argmax": but(_along("distinct"), "f32-of-nothing", "i1-last"),
        "argmin": but(_along("distinct"), "f32-of-nothing", "i1-last"),
        "max.dim": but(_along("distinct"), "f32-of-nothing"),
        "min.dim": but(_along("distinct"), "f32-of-nothing"),
        "logsumexp": tuple(_along(listed=True)),
        "cumsum": tuple(_scan()),
        "cumprod": tuple(_scan()),
        "var.correction": (
            *_spread(1),
            call("f32-none", T(_ODD), [1], correction=0),
            call("f32-two-over", T((3, 2)), [1], correction=2),
        ),
        "std.correction": tuple(_spread(1)),
        "linalg_vector_norm": tuple(_norms()),
        "sum": tuple(_whole()),
        "mean": but(_whole(), "i64-odd", "i1-odd"),
        "prod": tuple(_whole("unit")),
        "any": tuple(_whole()),
        "all": tuple(_whole()),
        "max": but(_whole(), "f32-empty"),
        "min": but(_whole(), "f32-empty"),
    }
)
