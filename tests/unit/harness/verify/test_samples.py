# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden's rounding by several samples, where one says too little."""

import math

import pytest
import torch

from bringup.harness.verify import (
    SAMPLES,
    Asked,
    Rerounded,
    Spread,
    Tolerances,
    natural_errors,
    settled,
)
from bringup.harness.verify.compare import compare, verdict
from bringup.harness.verify.natural import NEAR
from tests.unit.made_outputs import X, randn


class Recurrent(torch.nn.Module):
    """A state whose rows are each one number times one row: what that number is off by, all are."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.step, self.mix = torch.nn.Linear(64, 512), torch.nn.Linear(512, 64)
        with torch.no_grad():
            self.mix.weight *= 3

    def forward(self, x: torch.Tensor, *, other: bool = False) -> torch.Tensor:
        for _ in range(8):
            scale = self._linear(self.step, x, other)
            x = torch.tanh(self._linear(self.mix, scale, other))
        return scale[:, None] * randn(1, 16, seed=2).to(x.dtype)

    def _linear(self, layer: torch.nn.Linear, x: torch.Tensor, other: bool) -> torch.Tensor:
        if not other:
            return layer(x)
        parts = zip(x.chunk(8, -1)[::-1], layer.weight.chunk(8, -1)[::-1], strict=True)
        return sum(a @ b.mT for a, b in parts) + layer.bias


def _runs():
    model, x = Recurrent(), randn(64, seed=1)
    with torch.no_grad():
        golden, actual = model(x), model(x, other=True)
        exact = model.double()(x.double())
        model = Recurrent()
        own = natural_errors(golden, exact)
        spread = Spread(own)
        for seed in range(SAMPLES):
            with Rerounded(model.parameters(), seed):
                spread.add(natural_errors(model(x), golden))
    return golden, actual, own, spread.natural


def test_rows_that_look_hardly_rounded_by_one_sample_do_not_by_several():
    golden, actual, own, sampled = _runs()
    rows = golden.norm(dim=-1)
    off, one, several = (
        (error.norm(dim=-1) / rows)[rows > rows.median() / 10]
        for error in (actual - golden, own[""], sampled[""])
    )
    assert float((off / one).max()) > 32  # what a bound of 8 times would not cover
    assert float((off / several).max()) < 8
    assert float(several.median() / one.median()) < 2.5


def test_a_sample_moves_every_row_and_leaves_the_parameters_alone():
    model, x = torch.nn.Linear(8, 8), randn(4, 8)
    before = model.weight.clone()
    with torch.no_grad():
        golden = model(x)
        with Rerounded(model.parameters(), 0):
            first = model(x)
        with Rerounded(model.parameters(), 1):
            second = model(x)
    assert torch.equal(model.weight, before)
    for one, other in ((golden, first), (first, second)):
        assert 0 < float((one - other).norm() / golden.norm()) < 2.0**-22


def test_what_no_parameter_goes_into_is_not_moved():
    model, mask = torch.nn.Linear(2, 2), torch.tensor([1.0, 0.0])
    with Rerounded(model.parameters(), 0):  # which lives: else its memory may become the mask's
        assert torch.equal((1 - mask) * -1e9, torch.tensor([0.0, -1e9]))


def test_several_samples_only_ever_allow_more():
    own = {"a": X.abs() * 1e-3}
    spread = Spread(own)
    assert spread.natural == own
    spread.add({"a": -own["a"], "b": X})
    assert bool((spread.natural["a"].abs() >= own["a"]).all())
    assert set(spread.natural) == {"a", "b"}


@pytest.mark.parametrize(
    ("off", "asked", "good"),
    [(0.0, Asked.NOTHING, True), (0.012, Asked.SAMPLES, True), (0.5, Asked.REFERENCE, False)],
)
def test_samples_are_asked_of_what_fails_by_little(off, asked, good):
    assert 0.012 < NEAR * 0.005 < 0.5
    outputs, was = settled(
        lambda natural, passed: compare(X, X * (1 + off), natural=natural, passed=passed),
        dict,
        lambda natural: [{"": X * 0.01}],
    )
    assert (was, verdict(outputs)) == (asked, good)


def test_a_sample_more_is_taken_only_while_something_fails_by_little():
    def taken(*errors: float, off: float) -> list[float]:
        asked = []

        def samples(natural):
            for error in errors:
                asked.append(error)
                yield {"": X * error}

        settled(
            lambda natural, passed: compare(X, X * (1 + off), natural=natural, passed=passed),
            dict,
            samples,
        )
        return asked

    assert taken(0.01, 0.01, off=0.012) == [0.01]  # the first settles it
    assert taken(1e-4, 0.01, 0.01, off=0.012) == [1e-4, 0.01]
    assert taken(1e-4, 1e-4, off=0.012) == [1e-4, 1e-4]  # it fails by all there are
    assert taken(1e-5, 1e-5, off=0.5) == []


def _heads(seed: int):
    """The gradient of a head: each row one number, left of larger ones in bfloat16, times one row.

    Golden, what a device gives that is as right, golden's own error, and samples of it.
    """
    numbers, features = randn(1000, seed=seed), randn(1, 64, seed=seed + 1)

    def thrown(sample: int) -> torch.Tensor:
        off = 2.0**-8 * randn(1000, seed=1000 * seed + sample)
        return ((numbers + off)[:, None] * features).bfloat16()

    def samples(natural):
        spread = Spread(own)
        for sample in range(2, 2 + SAMPLES):
            spread.add(natural_errors(thrown(sample), golden))
            yield spread.natural

    golden, actual = thrown(0), thrown(1)
    own = natural_errors(golden, numbers[:, None] * features)
    return golden, actual, own, samples


@pytest.mark.parametrize("seed", [5, 7, 8, 23])
def test_a_row_of_a_thousand_that_is_off_by_one_number_before_it_is_no_fault(seed):
    golden, actual, own, samples = _heads(seed)
    bf16 = Tolerances(arithmetic="bf16", golden_arithmetic="bf16")

    def judge(found):
        return settled(
            lambda natural, passed: compare(golden, found, bf16, natural=natural, passed=passed),
            lambda: own,
            samples,
        )

    by_one = compare(golden, actual, bf16, natural=own)
    assert any(c.measured.value > 4 * c.required for c in by_one[0].checks if c.metric == "row_l2")
    outputs, asked = judge(actual)
    assert verdict(outputs) and asked is Asked.SAMPLES
    for times in (2.0, 0.0, -1.0):
        faulty = actual.clone()
        faulty[seed::250] *= times
        assert not verdict(judge(faulty)[0]), times


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(), (7,), (300, 500), (3, 5, 7), (0, 4)])
def test_every_number_is_off_by_a_rounding_at_most_and_lies_where_it_lay(shape, dtype):
    weight = torch.nn.Parameter(randn(math.prod(shape), seed=1).reshape(shape).to(dtype))
    for given in (weight, weight.mT, weight[::2]) if weight.dim() > 1 else (weight,):
        with torch.no_grad(), Rerounded([weight], 1):
            found = given * 1
        off = (found.double() - given.double()).abs()
        assert bool((off <= torch.finfo(dtype).eps * given.double().abs()).all())
        assert found.stride() == (given * 1).stride()
        if given.numel() > 100:
            assert float((off > 0).double().mean()) > 0.05
