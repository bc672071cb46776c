# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Near zero, where rounding is all there is: floors of noise, and gradients zero by mathematics."""

import dataclasses

import pytest
import torch

from bringup.harness.op_by_op.op_tolerances import op_tolerances
from bringup.harness.records.schema import Op, TensorType
from bringup.harness.verify import (
    Tolerances,
    compare,
    gradient_scale,
    mismatches,
    natural_errors,
    verdict,
)
from tests.unit.made_outputs import INF, NAN, X, check, randn


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_zero_has_a_floor_by_dtype(dtype):
    noise = Tolerances().noise(dtype)
    zeros = torch.zeros(100, dtype=dtype)
    assert verdict(compare(zeros, zeros + 0.9 * noise))
    assert not verdict(compare(zeros, zeros + 1.5 * noise))
    assert not verdict(compare(zeros, zeros + 1e-3))


def test_the_floor_is_that_of_the_coarser_side():
    assert Tolerances().noise(torch.float32, torch.bfloat16) == 1e-5
    assert Tolerances().noise(torch.complex64, torch.float64) == 1e-6
    assert Tolerances().noise(torch.float8_e4m3fn) == 1e-4


def test_a_whole_output_that_is_small_is_no_noise():
    golden = 1e-9 * X
    for natural in (None, {}, {"": 1e-16 * X}):
        assert verdict(compare(golden, golden * (1 + 1e-6), natural=natural))
        for wrong in (-golden, torch.zeros_like(golden), golden.flip(0), 1.04 * golden):
            assert not verdict(compare(golden, wrong, natural=natural))


def test_what_is_noise_in_float64_too_is_noise():
    golden, other = 1e-9 * X, 1e-9 * X.flip(0)
    natural = natural_errors(golden, 1e-18 * X.double())
    outputs = compare(golden, other, natural=natural)
    assert verdict(outputs)
    found = check("pcc", outputs)
    assert (found.ok, found.asserted) == (False, False)
    assert found.reason == "golden's own rounding is as large as what it correlates by"
    assert not verdict(compare(golden, X, natural=natural))


@pytest.mark.parametrize("golden", [1e-9 * X, torch.zeros(9), torch.ones(9), torch.tensor(2.0)])
@pytest.mark.parametrize("relative", [0.05, None])
def test_where_pcc_says_nothing_the_difference_takes_over_its_assertion(golden, relative):
    tolerances = Tolerances(assert_atol=False, relative_atol=relative)
    assert verdict(compare(golden, golden.clone(), tolerances))
    assert not verdict(compare(golden, golden + 1, tolerances))
    assert verdict(compare(golden, golden + 1, dataclasses.replace(tolerances, assert_pcc=False)))


def attention_gradients(flip: bool) -> dict[str, torch.Tensor]:
    """Gradients of one attention layer in float32; `flip` sums over the keys backwards.

    The key bias adds one number to every score of a row, which the softmax takes out again:
    its gradient is zero by mathematics, and nothing but rounding in practice.
    """
    shapes = {"q": (64, 64), "k": (64, 64), "v": (64, 64), "k_bias": (64,)}
    weights = {
        n: (randn(*s, seed=i) / 8).requires_grad_() for i, (n, s) in enumerate(shapes.items())
    }
    x = 3 * randn(128, 64, seed=7)
    keys = x.flip(0) if flip else x
    scores = (x @ weights["q"]) @ (keys @ weights["k"] + weights["k_bias"]).T / 8
    out = scores.softmax(-1) @ (keys @ weights["v"])
    (50 * out * randn(128, 64, seed=8)).sum().backward()
    return {name: w.grad for name, w in weights.items() if w.grad is not None}


def test_a_gradient_that_is_zero_by_mathematics_does_not_fail():
    golden, actual = attention_gradients(False), attention_gradients(True)
    tolerances = Tolerances(scale=gradient_scale(golden))
    outputs = compare(golden, actual, tolerances, "grad")
    assert check("pcc", outputs, "grad.k_bias").measured.value < 0.99
    assert mismatches(outputs) == []
    assert all(check("pcc", outputs, f"grad.{n}").asserted for n in "qkv")
    for name in golden:
        wrong = {**actual, name: 2 * actual[name] + gradient_scale(golden) * 1e-3}
        assert not verdict(compare(golden, wrong, tolerances))


def test_small_gradients_are_not_taken_for_noise_when_all_of_them_are_small():
    golden = {"a": 1e-8 * X, "b": 1e-9 * X}
    tolerances = Tolerances(scale=gradient_scale(golden))
    assert verdict(compare(golden, golden, tolerances))
    assert not verdict(compare(golden, {**golden, "b": -golden["b"]}, tolerances))


def test_gradient_scale_is_the_largest_finite_float():
    assert gradient_scale({"a": X, "b": [-7.0, NAN, INF], "c": 100, "d": "text"}) == 7
    assert gradient_scale([1, "a", None]) == 0


def _kernels(added: int) -> tuple[torch.Tensor, ...]:
    """Kernels of 1 x 1, each of so many products: in float64, as PyTorch adds, and one by one."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, added, generator=generator) for _ in range(2))
    one_by_one = torch.zeros(256, 256)
    for place in range(added):
        one_by_one += a[:, place, None] * b[None, :, place]
    found = a.double() @ b.double().T, a @ b.T, one_by_one
    return tuple(each.view(256, 256, 1, 1) for each in found)


@pytest.mark.parametrize("known", [False, True])
def test_a_long_sum_that_cancels_may_be_off_as_sums_of_float32_are(known):
    exact, golden, one_by_one = _kernels(6050)
    given = (TensorType((256, 2, 3025), "float32"),) * 2
    made = (TensorType((256, 256, 1, 1), "float32"),)
    asked = op_tolerances(Tolerances(), Op("", "stablehlo.convolution", "stablehlo", given, made))
    natural = natural_errors(golden, exact) if known else None
    golden = golden if known else exact.float()
    assert mismatches(compare(golden, one_by_one, asked, natural=natural)) == []
    one_by_one[17, 4] += exact.norm() / 256 * 1e-3  # a thousandth of a usual number
    assert mismatches(compare(golden, one_by_one, asked, natural=natural))
