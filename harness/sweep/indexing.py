# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reading and writing places: gather, scatter, index, slices of tensors."""

from collections.abc import Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, call, rows

_ODD = (4, 5, 7)


def _index(*shape: int, below: int, values: str = "index") -> T:
    return T(shape, "int64", f"{values}:{below}")


def _sources(*shape: int) -> Iterator[tuple[str, T]]:
    """What is read from: of every dtype, special, laid out otherwise."""
    yield "f32-odd", T(shape)
    for dtype in ("bfloat16", "float16", "float64", "int64", "int32", "uint8", "bool"):
        yield f"{SHORT[dtype]}-odd", T(shape, dtype)
    for special in ("nan", "inf"):
        yield f"f32-{special}", T(shape, values=special)
    for layout in ("flip", "transpose", "step", "expand"):
        yield f"f32-{layout}", T(shape, layout=layout)


def _gathered() -> Iterator[Call]:
    for name, source in _sources(*_ODD):
        yield call(name, source, 1, _index(4, 3, 7, below=5))
    yield call("f32-first", T(_ODD), 0, _index(2, 5, 7, below=4))
    yield call("f32-last", T(_ODD), -1, _index(4, 5, 2, below=7))
    yield call("f32-smaller", T(_ODD), 1, _index(2, 9, 3, below=5))
    yield call("f32-nothing", T(_ODD), 1, _index(4, 0, 7, below=5))
    yield call("f32-one", T((1,)), 0, _index(1, below=1))
    yield call("f32-scalar", T(()), 0, _index(below=1))


def _selected() -> Iterator[Call]:
    for name, source in _sources(*_ODD):
        yield call(name, source, 1, _index(3, below=5))
    yield call("f32-repeated", T(_ODD), 0, _index(17, below=4))
    yield call("f32-nothing", T(_ODD), 0, _index(0, below=4))
    yield call("f32-last", T(_ODD), -1, _index(1, below=7))
    yield call("f32-int32", T(_ODD), 1, T((3,), "int32", "index:5"))
    yield call("f32-empty", T((3, 0)), 0, _index(2, below=3))


def _indexed() -> Iterator[Call]:
    for name, source in _sources(*_ODD):
        yield call(name, source, [_index(3, below=4)])
    yield call("f32-negative", T(_ODD), [_index(6, below=4, values="signed_index")])
    yield call("f32-second", T(_ODD), [None, _index(3, below=5)])
    yield call("f32-pair", T(_ODD), [_index(3, below=4), _index(3, below=5)])
    yield call("f32-apart", T(_ODD), [_index(3, below=4), None, _index(3, below=7)])
    yield call("f32-broadcast", T(_ODD), [_index(3, 1, below=4), _index(2, below=5)])
    yield call("f32-scalar", T(_ODD), [_index(below=4)])
    yield call("f32-grid", T((5, 7)), [_index(2, 3, below=5)])
    yield call("f32-all", T(_ODD), [_index(2, below=4), _index(2, below=5), _index(2, below=7)])
    yield call("f32-nothing", T(_ODD), [_index(0, below=4)])


def _scattered(source: bool) -> Iterator[Call]:
    """Every place once: the order of writes does not matter."""
    index = T((4, 5), "int64", "rows_distinct")
    for name, whole in _sources(4, 5):
        put: Any = T((4, 5), whole.dtype) if source else 2
        yield call(name, whole, 1, index, put)
    part = T((2, 5), "int64", "rows_distinct")
    yield call("f32-part", T((4, 5)), 1, part, T((3, 5)) if source else 0.5)
    yield call("f32-nothing", T((4, 5)), 1, T((0, 5), "int64"), T((4, 5)) if source else 0.5)
    yield call("f32-one", T((1,)), 0, _index(1, below=1), T((1,)) if source else 0.5)


def _added() -> Iterator[Call]:
    """Several values for a place."""
    for name, whole in _sources(4, 5):
        yield call(name, whole, 1, _index(4, 9, below=5), T((4, 9), whole.dtype))
    yield call("f32-first", T((4, 5)), 0, _index(7, 5, below=4), T((7, 5)))
    yield call("f32-nothing", T((4, 5)), 0, _index(0, 5, below=4), T((7, 5)))
    yield call("f32-many", T((3, 2)), 0, _index(4099, 2, below=3), T((4099, 2)))


def _reduced() -> Iterator[Call]:
    for how in ("sum", "prod", "mean", "amax", "amin"):
        for own in (True, False):
            said = f"{how}{'' if own else '-alone'}"
            rest = (_index(4, 9, below=5), T((4, 9), values="unit"), how)
            yield call(f"f32-{said}", T((4, 5)), 1, *rest, include_self=own)
        index, source = _index(4, 9, below=5), T((4, 9), "int64")
        yield call(f"i64-{how}", T((4, 5), "int64"), 1, index, source, how)
        index, source = _index(4, 9, below=5), T((4, 9), values="nan")
        yield call(f"f32-{how}-nan", T((4, 5)), 1, index, source, how)


def _put(*, accumulate: bool) -> Iterator[Call]:
    once = T((4,), "int64", "rows_distinct")
    rows_of = _index(6, below=4) if accumulate else once
    count = 6 if accumulate else 4
    for name, whole in _sources(*_ODD):
        yield call(name, whole, [rows_of], T((count, 5, 7), whole.dtype), accumulate)
    yield call("f32-number", T(_ODD), [rows_of], T(()), accumulate)
    yield call("f32-second", T((3, 4, 2)), [None, rows_of], T((3, count, 2)), accumulate)
    diagonal = T((4,), "int64", "rows_distinct")
    yield call("f32-pair", T((4, 4)), [diagonal, diagonal], T((4,)), accumulate)
    yield call("f32-mask", T((3, 5)), [T((3, 5), "bool")], T(()), False)


def _embedded() -> Iterator[Call]:
    for name, source in _sources(9, 5):
        yield call(name, source, _index(3, 4, below=9))
    yield call("f32-scalar", T((9, 5)), _index(below=9))
    yield call("f32-nothing", T((9, 5)), _index(0, 4, below=9))
    yield call("f32-padding", T((9, 5)), _index(3, 4, below=9), 2)
    yield call("f32-int32", T((9, 5)), T((3, 4), "int32", "index:9"))


def _sliced() -> Iterator[Call]:
    for name, source in _sources(*_ODD):
        yield call(name, source, 1, 1, 4)
    for name, rest in {
        "thirds": (2, 0, 7, 3),
        "end": (0, 2),
        "negative": (2, -3, -1),
        "beyond": (1, 1, 99),
        "nothing": (1, 3, 2),
        "all": (0,),
        "thirds-off": (2, 1, 6, 2),
    }.items():
        yield call(f"f32-{name}", T(_ODD), *rest)


def _slice_put() -> Iterator[Call]:
    for name, source in _sources(*_ODD):
        yield call(name, source, T((4, 3, 7), source.dtype), 1, 1, 4)
    yield call("f32-thirds", T(_ODD), T((4, 5, 3)), 2, 0, 7, 3)
    yield call("f32-open", T(_ODD), T((2, 5, 7)), 0, 2, 2**63 - 1)
    yield call("f32-negative", T(_ODD), T((4, 5, 2)), 2, -3, -1)
    yield call("f32-nothing", T(_ODD), T((4, 0, 7)), 1, 2, 2)


def _each_of(*rest: Any) -> tuple[Call, ...]:
    return tuple(call(name, source, *rest) for name, source in _sources(*_ODD))


ROWS = rows(
    {
        "gather": tuple(_gathered()),
        "index_select": tuple(_selected()),
        "index.Tensor": tuple(_indexed()),
        "scatter.src": tuple(_scattered(source=True)),
        "scatter.value": tuple(_scattered(source=False)),
        "scatter_add": tuple(_added()),
        "scatter_reduce.two": tuple(_reduced()),
        "index_put": (
            *_put(accumulate=False),
            *(
                Call(f"{c.name}-added", c.args)
                for c in _put(accumulate=True)
                if c.name != "f32-mask"
            ),
        ),
        "index_add": (
            call("f32-odd", T((4, 5)), 0, _index(6, below=4), T((6, 5))),
            call("f32-last", T((4, 5)), 1, _index(6, below=5), T((4, 6)), alpha=2),
            call("bf16-odd", T((4, 5), "bfloat16"), 0, _index(6, below=4), T((6, 5), "bfloat16")),
            call("i64-odd", T((4, 5), "int64"), 0, _index(6, below=4), T((6, 5), "int64")),
        ),
        "take": (
            call("f32-odd", T(_ODD), _index(3, 2, below=140)),
            call("f32-negative", T((4, 5)), _index(6, below=20, values="signed_index")),
            call("f32-nothing", T((4, 5)), _index(0, below=20)),
        ),
        "embedding": tuple(_embedded()),
        "slice.Tensor": tuple(_sliced()),
        "slice_scatter": tuple(_slice_put()),
        "select.int": (*_each_of(1, 2), call("f32-negative", T(_ODD), 2, -3)),
        "select_scatter": (
            call("f32-odd", T(_ODD), T((4, 7)), 1, 2),
            call("f32-negative", T(_ODD), T((5, 7)), 0, -1),
            call("i64-odd", T(_ODD, "int64"), T((4, 7), "int64"), 1, 2),
            call("f32-nan", T(_ODD, values="nan"), T((4, 7)), 1, 2),
        ),
        "diagonal": (
            *_each_of(),
            call("f32-off", T(_ODD), -1, 2, 1),
            call("f32-far", T((3, 5)), 9),
        ),
        **{
            op: (
                *_each_of(),
                call("f32-up", T((5, 7)), 2),
                call("f32-down", T((7, 5)), -3),
                call("f32-far", T((3, 5)), -9),
                call("f32-empty", T((0, 5))),
            )
            for op in ("tril", "triu")
        },
        "one_hot": (
            call("i64-odd", _index(3, 4, below=6), 6),
            call("i64-scalar", _index(below=6), 6),
            call("i64-empty", _index(0, 4, below=6), 6),
        ),
        "masked_scatter": (
            call("f32-odd", T((3, 5)), T((3, 5), "bool"), T((3, 5))),
            call("f32-broadcast", T((3, 5)), T((5,), "bool"), T((3, 5))),
        ),
    }
)
