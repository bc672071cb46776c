# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Devices of coarse arithmetic: what is rounding there passes, a wrong factor does not."""

import pytest
import torch
from torch.nn import functional as F

from bringup.harness.verify import (
    Float64,
    Tolerances,
    coarsest_of,
    compare,
    natural_errors,
    verdict,
)
from tests.unit.made_outputs import changed, randn

WEIGHTS = [randn(128, 128, seed=n).bfloat16().float() / 8 for n in range(4)]
GIVEN = randn(32, 128, seed=9).bfloat16().float()
GOLDENS = [torch.float32, torch.float16, torch.bfloat16]
RESOLUTION = {"f32": 0.005, "tf32": 0.005, "bf16": 0.016, "bfp8": 0.031}


def block_float(x):
    """8 bits a value, of which 16 share an exponent."""
    blocks = x.reshape(-1, 16)
    step = 2.0 ** (blocks.abs().amax(1, keepdim=True).clamp_min(1e-30).log2().floor() - 6)
    return ((blocks / step).round() * step).reshape(x.shape)


ROUNDED = {
    "f32": lambda x: x,
    "tf32": lambda x: x.half().float(),
    "bf16": lambda x: x.bfloat16().float(),
    "bfp8": block_float,
}


def layers(depth, dtype=torch.float32, rounded=lambda x: x):
    value = GIVEN.to(dtype)
    for weight in WEIGHTS[:depth]:
        value = rounded(value @ rounded(weight.to(dtype)))
        value = rounded(F.layer_norm(rounded(F.gelu(value)), (128,)))
    return value


def judge(golden, actual, arithmetic, depth, known=""):
    tolerances = Tolerances(arithmetic=arithmetic, golden_arithmetic=known)
    natural = natural_errors(golden, layers(depth, torch.float64))
    return verdict(compare(golden, actual, tolerances, natural=natural))


@pytest.mark.parametrize("stored", [torch.float32, torch.float64])
@pytest.mark.parametrize("arithmetic", ROUNDED)
@pytest.mark.parametrize("computed", GOLDENS)
def test_a_golden_of_16_bits_given_as_a_wide_float_excuses_no_wrong_factor(
    computed, arithmetic, stored
):
    golden = layers(1, computed).to(stored)
    right = layers(1, rounded=ROUNDED[arithmetic]).to(stored)
    wrong = {
        "1.2 x": 1.2 * right,
        "negated": -right,
        "zero": 0 * right,
        "rolled": changed(right, 0, right[0].roll(1)),
        "a row": changed(right, 3, 1.2 * right[3]),
    }
    if RESOLUTION[arithmetic] < 0.02:
        wrong["1.04 x"] = 1.04 * right
    for known in ("", coarsest_of([computed])):
        assert judge(golden, right, arithmetic, 1, known)
        found = {name: judge(golden, x, arithmetic, 1, known) for name, x in wrong.items()}
        assert not any(found.values()), found


@pytest.mark.parametrize("arithmetic", ROUNDED)
@pytest.mark.parametrize("computed", GOLDENS)
def test_errors_of_several_layers_are_right_and_a_factor_beside_them_is_wrong(computed, arithmetic):
    golden = layers(4, computed).float()
    right = layers(4, rounded=ROUNDED[arithmetic])
    known = coarsest_of([computed])
    assert judge(golden, right, arithmetic, 4, known)
    assert not judge(golden, 1.2 * right, arithmetic, 4, known)
    assert judge(golden, 1.04 * right, arithmetic, 4, known) == (arithmetic == "bfp8")


def test_outputs_of_several_dtypes_are_each_held_to_their_own():
    outputs = {"f": layers(1), "b": layers(1, torch.bfloat16).float(), "h": layers(1).half()}
    reference = dict.fromkeys(outputs, layers(1, torch.float64))
    natural = natural_errors(outputs, reference)
    tolerances = Tolerances(arithmetic="bf16", golden_arithmetic="bf16")
    right = {name: layers(1, rounded=ROUNDED["bf16"]).to(x.dtype) for name, x in outputs.items()}
    assert verdict(compare(outputs, right, tolerances, natural=natural))
    for name, value in right.items():
        wrong = right | {name: 1.2 * value}
        assert not verdict(compare(outputs, wrong, tolerances, natural=natural)), name


def test_a_golden_whose_average_hides_its_16_bits_is_known_by_its_model():
    exact = torch.tensor(1.0, dtype=torch.float64)
    golden, natural = exact.float(), {"": torch.tensor(2.0**-16)}
    told = Tolerances(arithmetic="bf16", golden_arithmetic="bf16")
    assert verdict(compare(golden, golden * (1 + 2.0**-8), told, natural=natural))
    assert not verdict(compare(golden, 1.2 * golden, told, natural=natural))


class Half(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.weight = torch.nn.Parameter(WEIGHTS[0].bfloat16(), requires_grad=False)
        self.compute = forward

    def forward(self, x):
        return self.compute(self.weight, x)


def cast(weight, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return F.linear(x, weight.float())


@pytest.mark.parametrize(
    ("forward", "arithmetic"),
    [
        (lambda w, x: (x.bfloat16() @ w).float(), "bf16"),
        (lambda w, x: (x.half() @ w.half()).float(), "f16"),
        (cast, "bf16"),
        (lambda w, x: x @ w.float(), ""),
    ],
    ids=["bf16", "f16", "autocast", "only stored"],
)
def test_the_reference_knows_what_golden_was_computed_in(forward, arithmetic):
    model = Half(forward)
    with torch.no_grad(), Float64() as mode:
        model(GIVEN)
    assert coarsest_of(mode.coarse) == arithmetic
