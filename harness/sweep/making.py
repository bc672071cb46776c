# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops that make tensors of nothing but numbers, and those that are like another."""

from bringup.harness.sweep.rows import SHORT, Call, T, call, rows

_DTYPES = ("float32", "bfloat16", "float16", "int64", "int32", "bool")
_SHAPES = {"odd": [3, 5, 7], "scalar": [], "empty": [0, 3], "one": [1, 1]}


def _filled(*value: float) -> tuple[Call, ...]:
    return (
        *(call(f"f32-{name}", shape, *value) for name, shape in _SHAPES.items()),
        *(call(f"{SHORT[d]}-dtype", [3, 5], *value, dtype=f"torch.{d}") for d in _DTYPES),
    )


def _like(*value: float) -> tuple[Call, ...]:
    return (
        *(call(f"{SHORT[d]}-odd", T((3, 5), d), *value) for d in _DTYPES),
        call("f32-empty", T((0, 3)), *value),
        call("f32-scalar", T(()), *value),
        call("f32-i64", T((3, 5)), *value, dtype="torch.int64"),
        call("f32-nan", T((3, 5), values="nan"), *value),
    )


ROWS = rows(
    {
        "full": (
            *_filled(2),
            call("f32-inf", [3, 5], float("inf")),
            call("f32-nan", [3, 5], float("nan")),
            call("f32-half", [3, 5], 0.5),
            call("i64-large", [3, 5], 2**62, dtype="torch.int64"),
        ),
        "zeros": _filled(),
        "ones": _filled(),
        "full_like": _like(2),
        "zeros_like": _like(),
        "ones_like": _like(),
        "arange.start_step": (
            call("i64-odd", 2, 17, 3),
            call("i64-down", 9, -4, -2),
            call("i64-empty", 3, 3, 1),
            call("f32-odd", 0.5, 4.0, 0.25),
            call("f32-i64", 0, 7, 1, dtype="torch.float32"),
            call("bf16-odd", 0, 7, 1, dtype="torch.bfloat16"),
            call("i32-odd", -3, 7, 2, dtype="torch.int32"),
            call("i64-long", 0, 70_001, 1),
        ),
        "eye.m": (
            call("f32-square", 4, 4),
            call("f32-wide", 3, 5),
            call("f32-empty", 0, 3),
            call("i64-square", 4, 4, dtype="torch.int64"),
            call("i1-square", 4, 4, dtype="torch.bool"),
        ),
        "linspace": (
            call("f32-odd", 0.0, 1.0, 7),
            call("f32-one", 2.0, 5.0, 1),
            call("f32-none", 0.0, 1.0, 0),
            call("f32-down", 3.0, -3.0, 11),
            call("f64-odd", 0.0, 1.0, 7, dtype="torch.float64"),
        ),
        "scalar_tensor": tuple(
            call(f"{SHORT[d]}-two", 2, dtype=f"torch.{d}") for d in ("float32", "int64", "bool")
        ),
        "new_zeros": (call("f32-odd", T((3, 5)), [2, 7]), call("i64-odd", T((1,), "int64"), [3])),
        "new_full": (
            call("f32-odd", T((3, 5)), [2, 7], 1.5),
            call("bf16-odd", T((1,), "bfloat16"), [3], 2),
        ),
    }
)
