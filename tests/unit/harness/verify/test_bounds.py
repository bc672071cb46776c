# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a test gives no tolerance: what a row, a slice and an element may be off by."""

import dataclasses

import pytest
import torch

from bringup.harness.verify import (
    Tolerances,
    compare,
    compare_training,
    mismatches,
    natural_errors,
    verdict,
)
from tests.benchmarks.verdicts.pairs import tally
from tests.unit.made_outputs import X, changed, check, randn

ROWS = torch.cat([4 * randn(63, 32, seed=1), 0.01 * randn(1, 32, seed=2)])
MASKED = torch.where(torch.ones(64, 64).triu(1).bool(), -10000.0, 0.0) + randn(64, 64, seed=3)
FAR_MASKED = torch.where(torch.ones(64, 64).triu(1).bool(), -1e9, randn(64, 64, seed=3))
OUTLIER = changed(randn(16, 256, seed=4), (slice(None), 7), 10_000.0)

BLIND = {
    "1.049 x": (X, 1.049 * X),
    "1.011 x": (X, 1.011 * X),
    "4.9 % of max more": (X, X + 0.049 * X.abs().max()),
    "below 1e-6, zeroed": (1e-7 * X, torch.zeros_like(X)),
    "below 1e-6, negated": (1e-7 * X, -1e-7 * X),
    "1e-30, negated": (1e-30 * X, -1e-30 * X),
    "1e30, one row": (1e30 * X, changed(1e30 * X, 3, 0.0)),
    "scores beside -10000": (MASKED, torch.where(MASKED < -5000, MASKED, -MASKED)),
    "one score beside -10000": (MASKED, changed(MASKED, (0, 0), 0.0)),
    "scores beside -1e9": (FAR_MASKED, torch.where(FAR_MASKED < -5000, FAR_MASKED, -FAR_MASKED)),
    "scores beside 1e9": (-FAR_MASKED, torch.where(FAR_MASKED < -5000, -FAR_MASKED, FAR_MASKED)),
    "all but a large activation": (OUTLIER, torch.where(OUTLIER > 5000, OUTLIER, 1.04 * OUTLIER)),
    "a row of 0.01 beside 4": (ROWS, changed(ROWS, 63, 0.0)),
    "a row of 0.01 beside 4, scaled": (ROWS, torch.cat([ROWS[:63], 1.04 * ROWS[63:]])),
    "a column of 0.01 beside 4": (ROWS.T, changed(ROWS.T, (slice(None), 63), 0.0)),
    "one of two short rows": (torch.tensor([[4.0, 3.0], [0.01, 0.02]]),
                              torch.tensor([[4.0, 3.0], [0.02, 0.01]])),
    "a head of four axes": (randn(2, 4, 8, 16, seed=5),
                            changed(randn(2, 4, 8, 16, seed=5), (1, 2), 0.0)),
    "an element of a long row": (randn(1, 50_000, seed=6),
                                 changed(randn(1, 50_000, seed=6), (0, 77), 0.9)),
    "complex, scaled": (randn(32, dtype=torch.complex64), 1.04 * randn(32, dtype=torch.complex64)),
    "bfloat16, 1.04 x": (X.bfloat16(), (1.04 * X).bfloat16()),
}  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", BLIND)
def test_what_pcc_and_a_part_of_the_maximum_do_not_see(name, known):
    golden, wrong = BLIND[name]
    natural = {} if known else None
    assert verdict(compare(golden, golden.clone(), natural=natural))
    assert not verdict(compare(golden, wrong, natural=natural))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16])
def test_one_rounding_apart_is_right(dtype):
    exact = randn(64, 64, seed=1)
    down, up = (exact * 0.97).to(dtype), (exact * 1.03).to(dtype)
    if dtype is torch.bfloat16:
        down, up = exact.bfloat16(), torch.nextafter(exact.bfloat16(), torch.tensor(9.0).bfloat16())
    assert bool((down.float() != up.float()).any())
    assert mismatches(compare(down, up)) == []
    assert not verdict(compare(down, (-exact).to(dtype)))


@pytest.mark.parametrize("golden", [X.double(), X[0].double(), X[0, 0].double()])
def test_what_was_computed_in_float32_and_stored_in_float64_is_held_to_float32(golden):
    natural = {"": (golden * 2.0**-24).float()}
    assert verdict(compare(golden, golden * (1 + 2.0**-23), natural=natural))
    assert not verdict(compare(golden, 1.04 * golden, natural=natural))


def test_a_vanishing_gradient_is_no_noise_where_a_reference_says_so():
    golden = {"loss": torch.tensor(1.0), "grad.a": X, "grad.b": 1e-9 * X}
    zeroed = {**golden, "grad.b": torch.zeros_like(X)}
    assert verdict(compare_training(golden, golden, Tolerances(), "grad.", {}))
    assert not verdict(compare_training(golden, zeroed, Tolerances(), "grad.", {}))
    # without one nobody can tell it from a gradient that is zero by mathematics
    assert verdict(compare_training(golden, zeroed, Tolerances(), "grad.", None))


def test_what_a_test_gives_is_what_is_asserted():
    wrong = 1.04 * X
    peak = float(X.abs().max())
    assert verdict(compare(X, wrong, Tolerances(required_atol=0.05 * peak)))
    assert not verdict(compare(X, wrong, Tolerances(required_atol=0.03 * peak)))
    assert verdict(compare(X, wrong, Tolerances(relative_atol=0.05)))
    assert not verdict(compare(X, wrong, Tolerances(relative_atol=0.03)))
    assert verdict(compare(X, wrong, Tolerances(assert_atol=False)))
    assert not verdict(compare(X, wrong, Tolerances(required_pcc=0.99)))
    noisy = X + 0.2 * randn(64, 32, seed=9)  # PCC 0.98
    assert verdict(compare(X, noisy, Tolerances(required_pcc=0.9)))
    assert not verdict(compare(X, noisy, Tolerances(required_pcc=0.999)))
    assert not verdict(compare(X, 2 * X, Tolerances(required_pcc=0.9)))


def test_required_stands_beside_measured():
    outputs = compare(X, 1.04 * X)
    for name in ("row_l2", "element", "pcc"):
        found = check(name, outputs)
        assert found.required is not None and found.measured.value is not None
        assert found.asserted
    same = check("row_l2", compare(X, X.clone()))
    assert (same.measured.value, same.required, same.ok) == (0.0, 0.005, True)


def test_the_arithmetic_of_the_device_sets_the_unit():
    off = X * (1 + 0.01 * randn(64, 32, seed=8).clamp(-2, 2))
    assert not verdict(compare(X, off))
    for arithmetic in ("bf16", "bfp8"):
        tolerances = Tolerances(arithmetic=arithmetic)
        assert verdict(compare(X, off, tolerances))
        assert not verdict(compare(X, 1.2 * X, tolerances))


def test_an_op_is_held_to_units_in_the_last_place():
    tolerances = Tolerances(ulps=64.0)
    assert verdict(compare(X, X * (1 + 30 * 2.0**-24), tolerances))
    outputs = compare(X, X * (1 + 200 * 2.0**-24), tolerances)
    assert check("ulps", outputs).measured.value == pytest.approx(200, rel=0.01)
    assert not verdict(outputs)
    coarse = dataclasses.replace(tolerances, arithmetic="bf16")
    assert verdict(compare(X, 1.01 * X, coarse))
    assert not verdict(compare(X, 1.04 * X, coarse))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_what_is_added_to_all_is_found_beside_rounding_that_is_larger_in_each(dtype):
    golden = randn(256, 512, seed=1)
    natural = {"": 0.01 * randn(256, 512, seed=2)}
    other = golden + 0.03 * randn(256, 512, seed=3)
    assert mismatches(compare(golden.to(dtype), other.to(dtype), natural=natural)) == []
    for step in (0.03, -0.03):
        said = mismatches(compare(golden.to(dtype), (other + step).to(dtype), natural=natural))
        assert said and "as by something added to all" in said[0]
    shared = {"": natural[""] + 0.01}  # golden is off in common itself
    assert mismatches(compare(golden.to(dtype), (other + 0.03).to(dtype), natural=shared)) == []


def test_what_is_added_to_all_is_not_looked_for_in_masks_and_padding():
    golden = torch.where(torch.ones(64, 64).triu(1).bool(), -torch.inf, randn(64, 64, seed=3))
    assert verdict(compare(golden, golden + 1e-4))
    assert not verdict(compare(golden, golden + 0.02))
    beside = torch.where(MASKED < -5000, MASKED + 40, MASKED)  # -9960 masks as well as -10000
    assert verdict(compare(MASKED, beside))


def _of_scales(axis: int, small: float, dtype: torch.dtype, kept: int) -> tuple[torch.Tensor, ...]:
    """Golden, golden in float64, another right one, and where it is of a small scale."""
    width = 1024 if kept == 1024 else 64
    x, w = randn(4, 16, width, seed=1), randn(width, 64, seed=2) / width**0.5
    x, w, scales = x.to(dtype), w.to(dtype), torch.full((4, 16, 64), 1e3)
    where = torch.zeros(4, 16, 64, dtype=torch.bool)
    where.select(axis, 1).fill_(True)
    scales[where] = small
    half = width // 2
    other = x[..., half:].float() @ w[half:].float() + x[..., :half].float() @ w[:half].float()
    exact = (x.double() @ w.double()) * scales.double()
    golden = (x.float() @ w.float()).to(dtype).float() * scales
    return golden.to(dtype), exact, (other.to(dtype).float() * scales).to(dtype), where


@pytest.mark.parametrize("small", [1e-2, 1e-4, 1e-6, 1e-9, 1e-20])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_small_beside_something_else_is_held_to_its_own_scale(axis, small, dtype):
    golden, exact, other, where = _of_scales(axis, small, dtype, 1024)
    natural = natural_errors(golden, exact)
    assert mismatches(compare(golden, other, natural=natural)) == []
    for times in (-1.0, 0.0, 0.5, 1.2):
        wrong = torch.where(where, times * golden, golden)
        assert not verdict(compare(golden, wrong, natural=natural)), times


@pytest.mark.parametrize("small", [1e-4, 1e-9])
def test_the_small_rows_of_a_gradient_are_held_to_their_own_scale(small):
    golden, exact, other, where = _of_scales(1, small, torch.float32, 64)
    step = {"loss": torch.tensor(1.0), "grad.a": golden}
    natural = natural_errors({"grad.a": golden}, {"grad.a": exact})

    def said(gradient: torch.Tensor) -> list[str]:
        actual = {**step, "grad.a": gradient}
        return mismatches(compare_training(step, actual, Tolerances(), "grad.", natural))

    assert said(other) == []
    assert said(torch.where(where, -golden, golden))
    assert said(torch.where(where, 0.0, golden))


def test_the_small_rows_of_an_op_are_held_to_their_own_scale():
    golden, exact, other, where = _of_scales(1, 1e-6, torch.float32, 64)
    natural, tolerances = natural_errors(golden, exact), Tolerances(ulps=64.0 * 8)
    assert verdict(compare(golden, other, tolerances, natural=natural))
    for times in (-1.0, 0.0, 1.04):
        wrong = torch.where(where, times * golden, golden)
        assert not verdict(compare(golden, wrong, tolerances, natural=natural))


@pytest.mark.parametrize("near", [1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("columns", [1, 2, 64])
def test_what_is_left_of_large_numbers_may_be_off_as_they_are(columns, near):
    """Some rows are large, the others what two of them differ by: in another order they differ."""
    x, w = randn(256, 512, seed=1), randn(512, columns, seed=2)
    v = w + near * randn(512, columns, seed=3)
    halves = [slice(256, 512), slice(0, 256)]
    rest = torch.arange(256)[:, None] >= 64

    def differences(w: torch.Tensor, v: torch.Tensor, x: torch.Tensor, other: bool) -> torch.Tensor:
        products = [
            sum(x[:, half] @ m[half] for half in halves) if other else x @ m for m in (w, v)
        ]
        return torch.where(rest, products[0] - products[1], products[0])

    golden, actual = (differences(w, v, x, other) for other in (False, True))
    natural = natural_errors(golden, differences(w.double(), v.double(), x.double(), False))
    assert mismatches(compare(golden, actual, natural=natural)) == []
    wrong = torch.where(rest, 2 * golden, golden)
    if near > 1e-6:  # else no digit is left
        assert not verdict(compare(golden, wrong, natural=natural))


def test_a_small_row_that_one_number_takes_along_may_be_off_by_more_than_one_throw_of_it():
    """As rows of a gradient are of a unit whose own gradient is left by cancellation."""
    golden, natural = randn(64, 256, seed=1), 1e-7 * randn(64, 256, seed=2)
    golden[5] *= 1e-5
    for part, right in ((3e-3, True), (1e-6, False)):  # the others are off by 1e-7
        natural[5] = part * golden[5]
        actual = golden.clone()
        actual[5] *= 1.03
        assert verdict(compare(golden, actual, natural={"": natural})) is right
        actual[5] *= -1
        assert not verdict(compare(golden, actual, natural={"": natural}))


def test_made_pairs_get_the_right_verdict():
    found = tally(300, seed=3)  # `bench -- verdicts` makes six thousand
    assert (found.false_fails, found.false_passes) == ([], [])
    assert found.right >= 150 and found.wrong >= 120


@pytest.mark.parametrize("place", [(0, 0), (63, 31)])
def test_an_op_whose_every_element_is_within_units_is_right_and_else_looked_at(place):
    one_op = Tolerances(ulps=64.0)
    golden = changed(changed(ROWS, (1, 1), 0.0), (2, 2), float("nan"))
    near = golden * (1 + 5e-7 * randn(*golden.shape, seed=5))
    assert mismatches(compare(golden, near, one_op, natural={})) == []
    for wrong in (float(1.001 * golden[place]), float("nan"), 0.0):
        assert mismatches(compare(golden, changed(near, place, wrong), one_op, natural={}))
    assert mismatches(compare(golden, changed(near, (1, 1), 1e-3), one_op, natural={}))
    assert mismatches(compare(golden, changed(near, (2, 2), 1.0), one_op, natural={}))
