# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What holds of a comparison whatever the numbers: their size, shape, dtype and container."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bringup.harness.verify import compare, verdict

FEW = settings(deadline=None, max_examples=60)

SHAPES = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
DTYPES = st.sampled_from((torch.float64, torch.float32, torch.bfloat16, torch.float16))
EXPONENTS = st.integers(-28, 28)
SEEDS = st.integers(0, 2**31)


def drawn(shape: tuple[int, ...], dtype: torch.dtype, exponent: int, seed: int) -> torch.Tensor:
    """Normal numbers of a scale; float16 has no room for most scales."""
    scale = 10.0 ** (exponent if dtype is not torch.float16 else exponent // 14)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (values * scale).to(dtype)


GOLDEN = st.builds(drawn, SHAPES, DTYPES, EXPONENTS, SEEDS)


def passes(golden: object, actual: object) -> bool:
    return verdict(compare(golden, actual))


@FEW
@given(GOLDEN)
def test_what_is_equal_passes_in_memory_of_its_own_and_in_any_layout(golden: torch.Tensor) -> None:
    assert passes(golden, golden.clone())
    apart = torch.stack([golden, golden], dim=-1)[..., 0]  # every second number
    assert passes(golden, apart)


@FEW
@given(GOLDEN, st.sampled_from(("negated", "zero", "twice", "nan", "inf", "a half more")))
def test_what_is_wrong_everywhere_fails_at_every_scale(golden: torch.Tensor, fault: str) -> None:
    assume(bool(golden.abs().max() > 0))
    wrong = {
        "negated": -golden,
        "zero": torch.zeros_like(golden),
        "twice": golden * 2,
        "nan": torch.full_like(golden, float("nan")),
        "inf": torch.full_like(golden, float("inf")),
        "a half more": golden * 1.5,
    }[fault]
    assume(bool(torch.isfinite(golden).all()))
    assert not passes(golden, wrong)


@FEW
@given(GOLDEN, st.data())
def test_one_number_that_is_no_number_fails(golden: torch.Tensor, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, golden.numel() - 1))
    wrong = golden.clone()
    wrong.view(-1)[at] = float("nan")
    assert not passes(golden, wrong)


@FEW
@given(GOLDEN, GOLDEN, st.booleans())
def test_an_output_more_or_less_or_swapped_fails(
    one: torch.Tensor, other: torch.Tensor, named: bool
) -> None:
    assume(one.shape != other.shape)
    golden: object = {"a": one, "b": other} if named else (one, other)
    swapped: object = {"a": other, "b": one} if named else (other, one)
    less: object = {"a": one} if named else (one,)
    assert passes(golden, golden)
    assert not passes(golden, swapped) and not passes(golden, less) and not passes(less, golden)
    if named:  # a dict has no order
        assert passes(golden, {"b": other, "a": one})


@FEW
@given(GOLDEN, GOLDEN)
def test_another_shape_fails_whatever_broadcasting_would_make_of_it(
    one: torch.Tensor, other: torch.Tensor
) -> None:
    assume(one.shape != other.shape)
    assert not passes(one, other) and not passes(one, one[None])
    assert not passes(torch.zeros(2, 2), torch.zeros(()))
