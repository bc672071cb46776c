# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from bringup.harness.verify import chunks, metrics

NAN, INF = math.nan, math.inf


def f64(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def noisy(n: int = 4000, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    golden = torch.randn(n, generator=generator, dtype=torch.float64)
    return golden, golden + noise * torch.randn(n, generator=generator, dtype=torch.float64)


@pytest.fixture(params=[7, chunks.CHUNK])
def chunk(request, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", request.param)


def test_metrics_are_those_of_numpy_however_they_are_cut(chunk):
    golden, actual = noisy()
    g, a = golden.numpy(), actual.numpy()
    assert metrics.pcc(golden, actual) == pytest.approx(np.corrcoef(g, a)[0, 1], rel=1e-13)
    assert metrics.measure(golden, actual).max_difference == np.abs(a - g).max()
    expected = np.linalg.norm(a - g) / np.linalg.norm(g)
    assert metrics.relative_l2(golden, actual) == pytest.approx(expected, rel=1e-13)
    found = metrics.measure(golden, actual, rtol=0.1, atol=0.01)
    assert found.not_close == int((~np.isclose(a, g, rtol=0.1, atol=0.01)).sum())
    assert (found.golden_low, found.golden_high) == (g.min(), g.max())


def test_pcc_is_right_to_the_last_digits_by_exact_arithmetic():
    golden, actual = noisy(300)
    g, a = ([Fraction(float(x)) for x in t] for t in (golden + 1e8, actual + 1e8))
    g = [x - sum(g) / len(g) for x in g]
    a = [x - sum(a) / len(a) for x in a]
    ga, gg, aa = (
        sum(x * y for x, y in zip(p, q, strict=True)) for p, q in ((g, a), (g, g), (a, a))
    )
    exact = float(ga) / math.sqrt(float(gg) * float(aa))
    assert metrics.pcc(golden + 1e8, actual + 1e8) == pytest.approx(exact, abs=1e-15)


@pytest.mark.parametrize("scale", [1e300, 1e-150, 1e-300, 2.0**-1030])
def test_no_scale_overflows_or_vanishes(scale, chunk):
    golden, actual = noisy()
    reference = metrics.measure(golden, actual)
    found = metrics.measure(golden * scale, actual * scale)
    assert found.pcc == pytest.approx(reference.pcc, rel=1e-9)
    assert found.relative_l2 == pytest.approx(reference.relative_l2, rel=1e-9)
    assert found.max_difference == pytest.approx(reference.max_difference * scale, rel=1e-9)


def test_denormals_correlate_like_any_others():
    tiny = 5e-324
    found = metrics.pcc(f64(0, tiny, 2 * tiny), f64(0, 2 * tiny, 4 * tiny))
    assert found == pytest.approx(1.0, abs=1e-15)
    assert metrics.measure(f64(0.0), f64(tiny)).max_difference == tiny


def test_opposite_ends_of_float64_do_not_become_nan():
    found = metrics.measure(f64(1e308, -1e308), f64(-1e308, 1e308))
    assert found.pcc == -1.0
    assert found.max_difference == INF
    assert found.relative_l2 == INF


@pytest.mark.parametrize("scale", [(1.0, 1e-300), (1e-300, 1.0), (1e150, 1e-150)])
def test_pcc_does_not_depend_on_the_scale_of_either_side(scale):
    golden, _ = noisy()
    assert metrics.pcc(golden * scale[0], golden * scale[1]) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e8, -1e12])
def test_a_large_mean_does_not_cancel_a_small_variance(offset, chunk):
    golden, actual = noisy()
    # The numbers as stored, and the same ones with the offset taken off again, exactly.
    stored_golden, stored_actual = golden + offset, actual + offset
    exact = metrics.pcc(stored_golden - offset, stored_actual - offset)
    assert metrics.pcc(stored_golden, stored_actual) == pytest.approx(exact, abs=1e-14)


def test_equal_tensors_correlate_with_exactly_one():
    golden = torch.rand(1000) * 1e-3 + 7
    assert metrics.pcc(golden, golden.clone()) == 1.0
    assert metrics.relative_l2(golden, golden.clone()) == 0.0


@pytest.mark.parametrize(
    "golden", [f64(), f64(3.0), f64(0.1, 0.1, 0.1), torch.zeros(9), torch.full((5,), 0.1)]
)
def test_pcc_of_a_golden_without_variance_is_undefined(golden):
    assert metrics.pcc(golden, golden + 0) is None
    assert metrics.pcc(golden, golden + torch.arange(len(golden))) is None


def test_pcc_with_a_constant_actual_is_zero():
    assert metrics.pcc(f64(1, 2, 3), f64(5, 5, 5)) == 0.0


def test_relative_l2_of_a_zero_golden():
    assert metrics.relative_l2(torch.zeros(3), torch.zeros(3)) == 0.0
    assert metrics.relative_l2(torch.zeros(3), torch.ones(3)) is None


def test_nothing_to_measure_is_none():
    found = metrics.measure(torch.empty(0, 3), torch.empty(0, 3))
    assert (found.pcc, found.max_difference, found.relative_l2, found.not_close) == (None,) * 4


def test_agreeing_nonfinite_positions_are_left_out(chunk):
    golden, actual = f64(1, NAN, 2, INF, 3, -INF), f64(1.5, NAN, 2, INF, 3, -INF)
    found = metrics.measure(golden, actual)
    assert found.disagreements == 0
    assert (found.finite, found.golden_nan) == (3, 1)
    assert (found.golden_nonfinite, found.actual_nonfinite) == (3, 3)
    assert found.max_difference == 0.5
    assert found.worst_index == (0,)
    assert found.pcc == metrics.pcc(f64(1, 2, 3), f64(1.5, 2, 3))


@pytest.mark.parametrize(
    ("golden", "actual"), [(1, NAN), (NAN, 1), (1, INF), (INF, 1), (INF, -INF), (INF, NAN)]
)
def test_one_disagreement_makes_every_metric_nan(golden, actual, chunk):
    found = metrics.measure(f64(*range(20), golden), f64(*range(20), actual))
    assert found.disagreements == 1
    assert math.isnan(found.pcc)
    assert math.isnan(found.max_difference)
    assert math.isnan(found.relative_l2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_fill_of_masked_positions_does_not_drown_the_rest(dtype):
    fill = torch.finfo(dtype).min
    golden = torch.tensor([1.0, fill, 2.0, 4.0], dtype=dtype)
    actual = torch.tensor([2.0, fill, 1.0, 3.0], dtype=dtype)
    found = metrics.measure(golden, actual)
    assert found.finite == 3
    assert found.golden_peak == 4
    assert found.golden_nonfinite == 0
    assert found.pcc == metrics.pcc(f64(1, 2, 4), f64(2, 1, 3))


@pytest.mark.parametrize("other", [0.0, 3.4e38, 1e38])
def test_a_fill_that_is_lost_is_a_disagreement(other):
    golden = torch.tensor([1.0, torch.finfo(torch.float32).min])
    assert metrics.measure(golden, torch.tensor([1.0, other])).disagreements == 1


def test_the_fill_may_have_been_through_bfloat16_but_not_become_infinite():
    golden = torch.tensor([1.0, torch.finfo(torch.float32).min])
    narrow = torch.tensor([1.0, torch.finfo(torch.bfloat16).min], dtype=torch.bfloat16)
    assert metrics.measure(golden, narrow).disagreements == 0
    assert metrics.measure(golden, torch.tensor([1.0, -INF])).disagreements == 1


def test_eight_bit_floats_clip_so_their_largest_number_is_a_number():
    golden = torch.tensor([448.0, 1.0]).to(torch.float8_e4m3fn)
    found = metrics.measure(golden, torch.tensor([416.0, 1.0]).to(torch.float8_e4m3fn))
    assert (found.finite, found.max_difference) == (2, 32.0)


def test_complex_numbers_are_measured_by_their_parts():
    golden = torch.tensor([1 + 2j, 3 - 4j, 5j])
    actual = torch.tensor([1 + 2j, 3 + 4j, 5j])
    found = metrics.measure(golden, actual)
    assert (found.finite, found.max_difference, found.worst_index) == (6, 8.0, (1,))
    assert found.pcc == metrics.pcc(f64(1, 2, 3, -4, 0, 5), f64(1, 2, 3, 4, 0, 5))


def test_a_complex_element_is_nonfinite_once():
    both = torch.tensor([complex(NAN, INF), 1 + 1j])
    assert metrics.measure(both, both).golden_nonfinite == 1
    assert metrics.measure(both, torch.tensor([complex(NAN, 0), 1 + 1j])).disagreements == 1


def test_conjugate_views_are_read_as_what_they_mean():
    golden = torch.tensor([1 + 2j, 3 + 4j])
    assert metrics.measure(golden.conj(), torch.tensor([1 - 2j, 3 - 4j])).max_difference == 0.0


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.int8],
)
def test_narrow_dtypes_are_upcast_before_anything_is_subtracted(dtype):
    golden = torch.tensor([1, 2, 4, -8]).to(dtype)
    actual = torch.tensor([1, 2, 5, -8]).to(dtype)
    assert metrics.measure(golden, actual).max_difference == 1.0


def test_the_worst_position_is_told_in_the_shape_of_the_tensor():
    golden = torch.zeros(2, 3, 4)
    actual = golden.clone()
    actual[1, 2, 0] = -9
    assert metrics.measure(golden, actual).worst_index == (1, 2, 0)
    assert metrics.measure(golden.mT, actual.mT).worst_index == (1, 0, 2)
    assert metrics.measure(golden.sum(), actual.sum()).worst_index == ()


def test_metrics_change_neither_tensor(chunk):
    golden, actual = noisy(50)
    before = golden.clone(), actual.clone()
    metrics.measure(golden.requires_grad_(), actual)
    assert torch.equal(golden.detach(), before[0])
    assert torch.equal(actual, before[1])


@pytest.mark.parametrize("function", [metrics.measure, metrics.pcc, metrics.count_differing])
def test_nothing_is_broadcast(function):
    with pytest.raises(metrics.ShapeMismatchError, match=r"Shapes \(3, 1\) and \(3,\) differ"):
        function(torch.ones(3, 1), torch.ones(3))


@pytest.mark.parametrize(
    ("golden", "actual", "count"),
    [
        (torch.tensor([2**53]), torch.tensor([2**53 + 1]), 1),
        (torch.tensor([2**63 - 1]), torch.tensor([2**63 - 2]), 1),
        (torch.tensor([2**31 - 1]), torch.tensor([2**31 - 1], dtype=torch.int32), 0),
        (torch.tensor([255], dtype=torch.uint8), torch.tensor([-1], dtype=torch.int8), 1),
        (torch.tensor([2**64 - 1], dtype=torch.uint64), torch.tensor([-1]), 1),
        (torch.tensor([5], dtype=torch.uint64), torch.tensor([5]), 0),
        (torch.tensor([2**63 - 1], dtype=torch.uint64), torch.tensor([2**63 - 1]), 0),
        (torch.tensor([True, False]), torch.tensor([True, True]), 1),
        (torch.zeros(0, dtype=torch.int32), torch.zeros(0, dtype=torch.int32), 0),
    ],
)
def test_integers_are_counted_exactly_over_64_bits(golden, actual, count, chunk):
    assert metrics.count_differing(golden, actual) == count
    assert metrics.count_differing(actual, golden) == count


def test_memory_is_bounded_by_the_chunk_not_the_tensor():
    # The chunks are what is allocated; none of them is larger than CHUNK.
    golden = torch.zeros(5 * chunks.CHUNK // 2, dtype=torch.bfloat16)
    sizes = [len(g) for _, _, g, _ in chunks.chunks(golden, golden)]
    assert sizes == [chunks.CHUNK, chunks.CHUNK, chunks.CHUNK // 2]


def test_peak_is_the_largest_finite_magnitude():
    assert metrics.peak(f64(1, -7, NAN, INF)) == 7
    assert metrics.peak(f64(NAN)) == 0
    assert metrics.peak(f64()) == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 1, 70_000)])
def test_equal_tensors_are_measured_at_once_as_complex_ones_are_step_by_step(dtype, shape):
    golden = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(
        getattr(torch, dtype)
    )
    at_once = metrics.measure(golden, golden.clone())
    wide = golden.double()
    step_by_step = metrics.measure(wide, wide.to(torch.complex128))
    for name in ("golden_nonfinite", "disagreements", "golden_high", "max_difference", "not_close"):
        assert getattr(at_once, name) == getattr(step_by_step, name)
    assert at_once.finite == golden.numel()
    assert at_once.golden_low == float(golden.min())
    assert at_once.pcc == (1.0 if golden.numel() > 1 else None)


@pytest.mark.parametrize("filled", [NAN, INF, -INF, torch.finfo(torch.float32).max])
def test_equal_tensors_with_what_is_no_number_are_looked_at_one_by_one(filled):
    golden = torch.ones(4, 4)
    golden[1, 2] = filled
    found = metrics.measure(golden, golden.clone())
    assert (found.finite, found.disagreements, found.golden_high) == (15, 0, 1.0)
