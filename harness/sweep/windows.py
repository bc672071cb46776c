# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Normalisations, softmax, pooling, resampling, losses."""

from collections.abc import Iterator
from typing import Any

from bringup.harness.sweep.rows import SHORT, Call, T, call, rows

_PICTURE = (2, 6, 9, 11)


def _softmax(*rest: Any) -> Iterator[Call]:
    yield call("f32-last", T((3, 5, 7)), -1, *rest)
    yield call("f32-first", T((3, 5, 7)), 0, *rest)
    yield call("f32-middle", T((3, 5, 7)), 1, *rest)
    yield call("f32-one", T((3, 1)), -1, *rest)
    yield call("f32-scalar", T(()), 0, *rest)
    yield call("f32-empty", T((0, 7)), -1, *rest)
    yield call("f32-of-nothing", T((3, 0)), -1, *rest)
    yield call("f32-long", T((2, 70_001)), -1, *rest)
    yield call("f32-huge", T((3, 7), values="huge"), -1, *rest)
    yield call("f32-nan", T((3, 7), values="nan"), -1, *rest)
    yield call("f32-inf", T((3, 7), values="inf"), -1, *rest)
    yield call("f32-masked", T((3, 7), values="minus_inf"), -1, *rest)
    yield call("f32-rank6", T((2, 1, 3, 2, 1, 4)), -1, *rest)
    for layout in ("flip", "transpose", "step", "expand"):
        yield call(f"f32-{layout}", T((3, 5, 8), layout=layout), -1, *rest)
    for dtype in ("bfloat16", "float16", "float64"):
        yield call(f"{SHORT[dtype]}-last", T((3, 5, 7), dtype), -1, *rest)
        yield call(f"{SHORT[dtype]}-huge", T((3, 7), dtype, "huge"), -1, *rest)


def _layer_norm() -> Iterator[Call]:
    for name, shape, of in (
        ("odd", (3, 5, 7), (7,)),
        ("two", (3, 5, 7), (5, 7)),
        ("one", (3, 1), (1,)),
        ("empty", (0, 7), (7,)),
        ("long", (2, 8193), (8193,)),
    ):
        yield call(f"f32-{name}", T(shape), list(of), T(of), T(of), 1e-5)
        yield call(f"f32-{name}-plain", T(shape), list(of), None, None, 1e-5)
    for special in ("nan", "inf", "huge"):
        yield call(f"f32-{special}", T((3, 7), values=special), [7], T((7,)), T((7,)), 1e-5)
    for layout in ("flip", "transpose"):
        yield call(f"f32-{layout}", T((3, 7), layout=layout), [7], T((7,)), T((7,)), 1e-5)
    for dtype in ("bfloat16", "float16", "float64"):
        w = T((7,), dtype)
        yield call(f"{SHORT[dtype]}-odd", T((3, 5, 7), dtype), [7], w, w, 1e-5)


def _group_norm() -> Iterator[Call]:
    for groups in (1, 2, 3, 6):
        yield call(f"f32-{groups}", T(_PICTURE), groups, T((6,)), T((6,)), 1e-5)
    yield call("f32-plain", T(_PICTURE), 2, None, None, 1e-5)
    yield call("f32-line", T((2, 6, 5)), 3, T((6,)), T((6,)), 1e-5)
    yield call("f32-flat", T((2, 6)), 3, T((6,)), T((6,)), 1e-5)
    yield call("f32-nan", T(_PICTURE, values="nan"), 2, T((6,)), T((6,)), 1e-5)
    for dtype in ("bfloat16", "float16"):
        w = T((6,), dtype)
        yield call(f"{SHORT[dtype]}-odd", T(_PICTURE, dtype), 2, w, w, 1e-5)


def _batch_norm(*, training: bool) -> Iterator[Call]:
    def one(name: str, x: T, dtype: str = "float32") -> Call:
        w = T((6,), dtype)
        run = (w, T((6,), dtype, "positive"))
        flag = (True,) if training else ()
        return call(f"{SHORT[dtype]}-{name}", x, w, w, *run, *flag, 0.1, 1e-5)

    yield one("odd", T(_PICTURE))
    yield one("line", T((2, 6, 5)))
    yield one("flat", T((3, 6)))
    yield one("space", T((2, 6, 2, 3, 4)))
    yield one("one", T((1, 6, 1, 2)))
    yield one("nan", T(_PICTURE, values="nan"))
    yield one("flip", T(_PICTURE, layout="flip"))
    yield one("odd", T(_PICTURE, "bfloat16"), "bfloat16")
    yield one("odd", T(_PICTURE, "float16"), "float16")


def _pooled(*, average: bool) -> Iterator[Call]:
    """Kernel, stride, padding, then dilation (of maxima), ceil_mode."""

    def one(name: str, x: T, k: Any, s: Any, p: Any, d: Any = (1, 1), ceil: bool = False) -> Call:
        rest = (list(k), list(s), list(p), *(() if average else (list(d),)), ceil)
        return call(f"{SHORT[x.dtype]}-{name}", x, *rest)

    x = T(_PICTURE)
    yield one("odd", x, (3, 3), (2, 2), (1, 1))
    yield one("same", x, (3, 3), (1, 1), (1, 1))
    yield one("ceil", x, (2, 2), (2, 2), (0, 0), ceil=True)
    yield one("ceil-padded", x, (3, 2), (2, 3), (1, 1), ceil=True)
    yield one("uneven", x, (2, 5), (1, 3), (1, 2))
    yield one("whole", x, (9, 11), (1, 1), (0, 0))
    yield one("pointwise", x, (1, 1), (2, 2), (0, 0))
    yield one("no-batch", T((0, 6, 9, 11)), (3, 3), (2, 2), (1, 1))
    yield one("unbatched", T((6, 9, 11)), (3, 3), (2, 2), (1, 1))
    yield one("nan", T(_PICTURE, values="nan"), (3, 3), (2, 2), (1, 1))
    yield one("inf", T(_PICTURE, values="inf"), (3, 3), (2, 2), (1, 1))
    yield one("flip", T(_PICTURE, layout="flip"), (3, 3), (2, 2), (1, 1))
    yield one("transpose", T(_PICTURE, layout="transpose"), (3, 3), (2, 2), (1, 1))
    for dtype in ("bfloat16", "float16", "float64"):
        yield one("odd", T(_PICTURE, dtype), (3, 3), (2, 2), (1, 1))
    if not average:
        yield one("dilated", x, (3, 3), (2, 2), (1, 1), (2, 2))
        yield one("odd", T(_PICTURE, "int64"), (3, 3), (2, 2), (1, 1))


def _averaged_otherwise() -> Iterator[Call]:
    x, common = T(_PICTURE), ([3, 3], [2, 2], [1, 1])
    yield call("f32-inside", x, *common, False, False)
    yield call("f32-inside-ceil", x, *common, True, False)
    yield call("f32-divisor", x, *common, False, True, 7)


def _adaptive(*, dims: int = 2) -> Iterator[Call]:
    shape = (2, 3, *(9, 11, 5)[:dims])
    for name, size in {"one": 1, "three": 3, "five": 5, "larger": 13}.items():
        yield call(f"f32-{name}", T(shape), [size] * dims)
    yield call("bf16-three", T(shape, "bfloat16"), [3] * dims)
    yield call("f32-nan", T(shape, values="nan"), [3] * dims)
    yield call("f32-unbatched", T(shape[1:]), [3] * dims)


def _resized(*between: Any, lists: bool = True) -> Iterator[Call]:
    for name, size in {
        "double": (18, 22),
        "odd": (13, 7),
        "half": (4, 5),
        "same": (9, 11),
        "one": (1, 1),
    }.items():
        yield call(f"f32-{name}", T(_PICTURE), list(size), *between)
    yield call("bf16-double", T(_PICTURE, "bfloat16"), [18, 22], *between)
    yield call("f32-nan", T(_PICTURE, values="nan"), [18, 22], *between)
    yield call("f32-flip", T(_PICTURE, layout="flip"), [18, 22], *between)


def _sampled() -> Iterator[Call]:
    x, grid = T((2, 3, 5, 7)), T((2, 4, 6, 2), values="unit")
    for mode in (0, 1, 2):
        for padding in (0, 1, 2):
            for aligned in (False, True):
                said = f"f32-{mode}-{padding}{'-aligned' if aligned else ''}"
                yield call(said, x, grid, mode, padding, aligned)
    yield call("f32-outside", x, T((2, 4, 6, 2), values="huge"), 0, 0, False)


def _losses() -> Iterator[Call]:
    for reduction in (0, 1, 2):
        yield call(f"f32-{reduction}", T((3, 5)), T((3, 5)), reduction)
    yield call("bf16-odd", T((3, 5), "bfloat16"), T((3, 5), "bfloat16"))
    yield call("f32-nan", T((3, 5), values="nan"), T((3, 5)))
    yield call("f32-empty", T((0, 5)), T((0, 5)))


_TARGET = T((4,), "int64", "index:6")
ROWS = rows(
    {
        "_softmax": tuple(_softmax(False)),
        "_log_softmax": tuple(_softmax(False)),
        "softmax.int": tuple(_softmax()),
        "native_layer_norm": tuple(_layer_norm()),
        "rms_norm": (
            call("f32-odd", T((3, 5, 7)), [7], T((7,)), 1e-6),
            call("f32-plain", T((3, 5, 7)), [7]),
            call("bf16-odd", T((3, 5, 7), "bfloat16"), [7], T((7,), "bfloat16"), 1e-6),
            call("f32-nan", T((3, 7), values="nan"), [7], T((7,)), 1e-6),
            call("f32-huge", T((3, 7), values="huge"), [7], T((7,)), 1e-6),
        ),
        "group_norm": tuple(_group_norm()),
        "_native_batch_norm_legit_no_training": tuple(_batch_norm(training=False)),
        "_native_batch_norm_legit_functional": tuple(_batch_norm(training=True)),
        "max_pool2d_with_indices": tuple(_pooled(average=False)),
        "avg_pool2d": (*_pooled(average=True), *_averaged_otherwise()),
        "max_pool1d": (
            call("f32-odd", T((2, 3, 11)), [3], [2], [1]),
            call("f32-dilated", T((2, 3, 11)), [3], [2], [1], [2]),
        ),
        "avg_pool1d": (
            call("f32-odd", T((2, 3, 11)), [3], [2], [1]),
            call("f32-ceil", T((2, 3, 11)), [2], [2], [0], True),
            call("bf16-odd", T((2, 3, 11), "bfloat16"), [3], [2], [1]),
        ),
        "max_pool3d": (
            call("f32-odd", T((1, 2, 5, 6, 7)), [2, 2, 3], [2, 1, 2]),
            call("f32-padded", T((1, 2, 5, 6, 7)), [3, 3, 3], [2, 2, 2], [1, 1, 1]),
        ),
        "avg_pool3d": (
            call("f32-odd", T((1, 2, 5, 6, 7)), [2, 2, 3], [2, 1, 2]),
            call("f32-padded", T((1, 2, 5, 6, 7)), [3, 3, 3], [2, 2, 2], [1, 1, 1]),
        ),
        "adaptive_avg_pool1d": tuple(_adaptive(dims=1)),
        "_adaptive_avg_pool2d": tuple(_adaptive()),
        "_adaptive_avg_pool3d": tuple(_adaptive(dims=3)),
        "adaptive_max_pool2d": tuple(_adaptive()),
        "upsample_nearest2d": tuple(_resized()),
        "_upsample_nearest_exact2d": tuple(_resized()),
        "upsample_bilinear2d": (
            *_resized(False),
            *(Call(f"{c.name}-aligned", c.args) for c in _resized(True)),
        ),
        "upsample_bicubic2d": tuple(_resized(False)),
        "grid_sampler_2d": tuple(_sampled()),
        **dict.fromkeys(("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"), (*_losses(),)),
        "nll_loss_forward": (
            call("f32-mean", T((4, 6)), _TARGET, None, 1, -100),
            call("f32-none", T((4, 6)), _TARGET, None, 0, -100),
            call("f32-ignored", T((4, 6)), _TARGET, None, 1, 2),
            call("f32-weighted", T((4, 6)), _TARGET, T((6,), values="positive"), 1, -100),
        ),
        "cross_entropy_loss": (
            call("f32-mean", T((4, 6)), _TARGET),
            call("f32-picture", T((2, 6, 3)), T((2, 3), "int64", "index:6")),
            call("f32-smoothed", T((4, 6)), _TARGET, label_smoothing=0.1),
            call("f32-soft", T((4, 6)), T((4, 6), values="probability")),
        ),
        "binary_cross_entropy_with_logits": (
            call("f32-mean", T((3, 5)), T((3, 5), values="probability")),
            call("f32-huge", T((3, 5), values="huge"), T((3, 5), values="probability")),
        ),
    }
)
