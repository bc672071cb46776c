# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Decompositions compute what the ops do: pooling, resampling, bags, products, comparisons."""

import itertools
from typing import Any

import pytest
import torch

from bringup.harness.frontend import experts
from bringup.harness.frontend.decompositions import TABLE

_aten = torch.ops.aten
NAN = float("nan")


def drawn(*shape: int, seed: int = 0, **options: Any) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **options)


def assert_same(op: Any, *args: Any) -> None:
    """The first output of both, its dtype too."""
    wanted, given = op(*args), TABLE[op](*args)
    assert given is not NotImplemented
    pair = (wanted, given) if isinstance(wanted, torch.Tensor) else (wanted[0], given[0])
    torch.testing.assert_close(pair[1], pair[0], equal_nan=True)


@pytest.mark.parametrize("size", (1, 2, 5, 8, 17))
def test_cumprod(size: int) -> None:
    for dim in (0, 1, -1):
        assert_same(_aten.cumprod.default, drawn(3, size), dim)


@pytest.mark.parametrize(
    "x",
    (
        torch.tensor([1.0, NAN, 0.0, 2.0]),
        torch.tensor([1.0, float("inf"), 0.0, 2.0]),
        torch.tensor([2, 3, -4]),
        torch.tensor([True, False, True]),
        torch.tensor(2.0),
        torch.zeros(0, 3),
    ),
    ids=("nan", "inf", "int64", "bool", "scalar", "empty"),
)
def test_cumprod_of_what_is_odd(x: torch.Tensor) -> None:
    assert_same(_aten.cumprod.default, x, 0)


@pytest.mark.parametrize(("bins", "low", "high"), ((8, 0, 7), (5, -1, 1), (100, -2.5, 3)))
def test_histc(bins: int, low: float, high: float) -> None:
    assert_same(_aten.histc.default, drawn(200), bins, low, high)
    edges = torch.tensor([low, high, high + 1, low - 1, NAN])
    assert_same(_aten.histc.default, edges, bins, low, high)


def test_the_largest_in_any_order_are_the_sorted_ones() -> None:
    x, op = drawn(4, 9), _aten.topk.default
    values, places = TABLE[op](x, 3, -1, True, False)
    assert torch.equal(values, x.topk(3).values) and torch.equal(x.gather(-1, places), values)
    assert TABLE[op](x, 3) is NotImplemented


def test_histc_whose_edges_are_in_the_data_is_left_as_it_is() -> None:
    assert TABLE[_aten.histc.default](drawn(4)) is NotImplemented


@pytest.mark.parametrize("kernel", ((3, 3), (2,), (3, 2)))
@pytest.mark.parametrize("stride", ((2, 2), (1, 1), ()))
@pytest.mark.parametrize("padding", ((0, 0), (1, 1)))
def test_the_gradient_of_averages(kernel: Any, stride: Any, padding: Any) -> None:
    for ceil, counts, divisor, height in itertools.product(*[(False, True)] * 2, (None, 7), (8, 9)):
        x = drawn(2, 3, height, 11)
        rest = (list(kernel), list(stride), list(padding), ceil, counts, divisor)
        y = _aten.avg_pool2d.default(x, *rest)
        assert_same(_aten.avg_pool2d_backward.default, drawn(*y.shape, seed=1), x, *rest)


@pytest.mark.parametrize("output", ((3, 5), (1, 1), (8, 11), (6, 6), (13, 4)))
def test_the_gradient_of_adaptive_averages(output: tuple[int, int]) -> None:
    op = _aten._adaptive_avg_pool2d_backward.default
    assert_same(op, drawn(2, 3, *output), drawn(2, 3, 8, 11, seed=1))


@pytest.mark.parametrize("offsets", ([2, 2, 7], [0, 3, 5], [0, 0, 0]))
def test_every_row_is_multiplied_by_its_expert(offsets: list[int]) -> None:
    from transformers.integrations import moe  # noqa: F401

    op = torch.ops.transformers.grouped_mm_fallback.default
    x, weight, ends = drawn(7, 4), drawn(3, 4, 5, seed=1), torch.tensor(offsets, dtype=torch.int32)
    weight[1, 0, 0] = float("inf") if offsets[0] == offsets[1] else 1.0
    torch.testing.assert_close(experts.table()[op](x, weight, ends), op(x, weight, ends))


@pytest.mark.parametrize("output", ((18, 22), (13, 7), (4, 5), (9, 11), (1, 1)))
def test_the_gradient_of_nearest(output: tuple[int, int]) -> None:
    for scales in ((None, None), (output[0] / 9, output[1] / 11)):
        grad = drawn(2, 3, *output)
        op = _aten.upsample_nearest2d_backward.default
        assert_same(op, grad, list(output), [2, 3, 9, 11], *scales)


def test_maxima_without_a_stride_have_that_of_the_kernel() -> None:
    assert_same(_aten.max_pool2d_with_indices.default, drawn(2, 3, 9, 11), [2, 3])
    assert (
        TABLE[_aten.max_pool2d_with_indices.default](drawn(2, 3, 9, 11), [2, 3], [1, 1])
        is NotImplemented
    )


@pytest.mark.parametrize("mode", (0, 1))
@pytest.mark.parametrize("starts", ([0, 3], [0, 0, 3, 3, 6], [0]))
def test_bags_and_their_gradients(starts: list[int], mode: int) -> None:
    table, indices = drawn(10, 4), torch.tensor([7, 1, 1, 0, 9, 7])
    weights = None if mode else drawn(6, seed=1)
    offsets = torch.tensor(starts)
    bag, op = (False, mode, False, weights), _aten._embedding_bag.default
    assert_same(op, table, indices, offsets, *bag)
    assert_same(op, table, indices, torch.tensor([*starts, 6]), *bag, True)
    trained = table.clone().requires_grad_()
    out = torch.nn.functional.embedding_bag(
        indices, trained, offsets, mode=("sum", "mean")[mode], per_sample_weights=weights
    )
    grad = drawn(*out.shape, seed=2)
    out.backward(grad)
    others = TABLE[op](table, indices, offsets, *bag)[1:]
    backward = TABLE[_aten._embedding_bag_backward.default]
    given = backward(grad, indices, offsets, *others, 10, *bag)
    torch.testing.assert_close(given, trained.grad)


def test_what_a_bag_does_not_hold_does_not_reach_it() -> None:
    table = torch.tensor([[1.0], [NAN], [2.0]])
    op = _aten._embedding_bag.default
    assert_same(op, table, torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2]))


@pytest.mark.parametrize("name", ("eq", "ne", "lt", "le", "gt", "ge"))
@pytest.mark.parametrize("dtype", (torch.bool, torch.uint8))
def test_booleans_and_bytes_are_compared_as_unsigned(name: str, dtype: torch.dtype) -> None:
    op = getattr(_aten, name)
    x = torch.tensor([0, 1, 255, 200]).to(dtype)
    for y in (0, 1, 255, 200):
        assert_same(op.Tensor, x, torch.tensor(y).to(dtype))
    assert_same(op.Scalar, x, True)
    assert TABLE[op.Tensor](x, drawn(4)) is NotImplemented
    assert TABLE[op.Scalar](x, 0.5) is NotImplemented
