# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops that really fail, each its own way. Not part of the fleet: a benchmark runs the reproducers.

`unlowered` is refused by torch-mlir, `boards` by the compiler of a Tenstorrent board; `empty`
crashes IREE's compiler, `endless` takes long on XLA's CPU client, and `wrong`
lowers to what computes something else.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bringup import CompileDepth, CompilerConfig, ModelTester


class Each(nn.Module):
    """What each of some functions makes of its inputs, as one tuple."""

    def __init__(self, functions):
        super().__init__()
        self.functions = functions

    def forward(self, *inputs):
        return tuple(function(*inputs) for function in self.functions)


def pool(kernel, stride, padding):
    return lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=True)


GROUPS = {
    "unlowered": (
        (torch.randn(6, 6),),
        (
            lambda x: torch.cumprod(x, 0),
            lambda x: torch.cumprod(x, 1),
            lambda x: torch.linalg.qr(x)[1],
            lambda x: torch.linalg.svd(x)[1],
            lambda x: torch.linalg.eigvalsh(x),
            lambda x: torch.kthvalue(x, 2).values,
            lambda x: torch.median(x, 1).values,
            lambda x: torch.mode(x, 1).values,
            lambda x: torch.cummax(x, 1).values,
            lambda x: torch.cummin(x, 1).values,
            lambda x: torch.histc(x, 4),
            lambda x: torch.cdist(x, x),
            lambda x: torch.nextafter(x, x + 1),
            lambda x: torch.hypot(x, x),
            lambda x: torch.igamma(x.abs(), x.abs()),
            lambda x: torch.polygamma(1, x),
            lambda x: torch.special.zeta(x.abs() + 2, x.abs() + 1),
            lambda x: torch.linalg.solve_triangular(x, x, upper=True),
            lambda x: torch.frexp(x).mantissa,
            lambda x: torch.fft.fft(x).real,
            torch.erfinv,
            torch.digamma,
            torch.lgamma,
            torch.special.i0,
            torch.special.i1,
            torch.special.ndtri,
            torch.linalg.det,
            F.pdist,
        ),
    ),
    "boards": (
        (torch.randn(2, 4, 8, 8), torch.randint(0, 2, (2, 4, 8, 8))),
        (
            lambda x, i: torch.argmin(x, 3),
            lambda x, i: torch.argmin(x, 1),
            lambda x, i: torch.argmin(x.flatten(1), 1),
            lambda x, i: torch.min(x, 3)[1],
            lambda x, i: torch.min(x, 2)[1],
            lambda x, i: torch.min(x, 1)[1],
            lambda x, i: torch.fft.rfft(x).abs(),
            lambda x, i: torch.diagonal(x, 0, 2, 3),
            lambda x, i: x.unfold(3, 3, 2),
            lambda x, i: F.max_pool2d(x, 3, 2, dilation=2),
            lambda x, i: torch.scatter_reduce(x, 2, i, x, "amax"),
            lambda x, i: torch.scatter_reduce(x, 2, i, x, "prod"),
            lambda x, i: torch.erfc(x),
            lambda x, i: torch.roll(x, 2, 1),
        ),
    ),
    "empty": (
        (torch.empty(4, 0), torch.empty(0, 4), torch.empty(2, 4, 0), torch.empty(2, 0, 4)),
        (
            lambda a, b, c, d: a @ b,
            lambda a, b, c, d: c @ d,
            lambda a, b, c, d: a[:2] @ b,
            lambda a, b, c, d: c[:1] @ d[:1],
        ),
    ),
    "endless": (
        (torch.ones(1, 256, 130, 130, dtype=torch.float64), torch.ones(256, 256, 3, 3).double()),
        (
            lambda x, k: F.conv_transpose2d(x, k),
            lambda x, k: F.conv_transpose2d(x, k, stride=2),
            lambda x, k: F.conv2d(x, k.repeat(1, 1, 2, 2)),
            lambda x, k: F.conv2d(x, k.repeat(1, 1, 3, 3)),
        ),
    ),
    "wrong": (
        (torch.randn(1, 3, 14, 14),),
        (
            pool(3, 2, 1),
            pool(3, 2, 0),
            pool(2, 3, 0),
            pool(5, 3, 2),
            pool(5, 4, 0),
            pool(7, 4, 0),
        ),
    ),
}


class ThisTester(ModelTester):
    def _load_model(self):
        return Each(GROUPS[self.model_name][1])

    def _load_inputs(self):
        torch.manual_seed(0)
        return GROUPS[self.model_name][0]


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("group", list(GROUPS))
@pytest.mark.parametrize("op_by_op", ["op_by_op_torch"])
def test_failing_ops(record_property, group, mode, op_by_op):
    cc = CompilerConfig()
    cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    tester = ThisTester(group, mode, compiler_config=cc, record_property_handle=record_property)
    tester.test_model()
    tester.finalize()
