# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The gradients of a convolution made of convolutions, beside PyTorch's own."""

import itertools

import pytest
import torch

from bringup.harness.frontend.convolutions import convolution_backward
from tests.unit.made_outputs import randn

SETTINGS = {
    "plain": {},
    "strided": {"stride": 2},
    "padded": {"padding": 1},
    "dilated": {"dilation": 2, "padding": 2},
    "in groups": {"groups": 2},
    "of each channel": {"groups": 4},
    "all": {"stride": 3, "padding": 2, "dilation": 2, "groups": 2},
    "with a rest": {"stride": 5},
    "with a rest beside padding": {"stride": 4, "padding": 2},
    "of a stride above the kernel": {"stride": 4, "padding": 1, "groups": 2},
}
SIDES = (9, 13, 8)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_are_those_of_pytorch(name, dimensions, transposed):
    groups = SETTINGS[name].get("groups", 1)
    stride, padding, dilation = (
        [SETTINGS[name].get(key, default)] * dimensions
        for key, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    beyond = [int(transposed and stride[0] > 1)] * dimensions
    x = randn(2, 4, *SIDES[:dimensions], dtype=torch.float64)
    channels = (4, 8 // groups) if transposed else (8, 4 // groups)
    weight = randn(*channels, *[3] * dimensions, seed=1, dtype=torch.float64)
    how = (stride, padding, dilation, transposed, beyond, groups)
    found = torch.ops.aten.convolution(x, weight, None, *how)
    grad = randn(*found.shape, seed=2, dtype=torch.float64)
    wanted = torch.ops.aten.convolution_backward(grad, x, weight, [8], *how, [True] * 3)
    given = convolution_backward(grad, x, weight, [8], *how, [True] * 3)
    for one, other in zip(wanted, given, strict=True):
        assert one.shape == other.shape and other.is_contiguous()
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("mask", [*itertools.product([True, False], repeat=3)])
def test_what_nobody_asks_for_is_not_computed(mask):
    x, weight, grad = randn(1, 2, 5), randn(3, 2, 3), randn(1, 3, 3)
    found = convolution_backward(grad, x, weight, [3], [1], [0], [1], False, [0], 1, mask)
    assert tuple(value is not None for value in found) == mask
