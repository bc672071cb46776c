# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Random outputs: with rounding noise they pass, corrupted in any of fifteen ways they fail."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from bringup.harness.verify import compare, mismatches, verdict
from tests.unit.made_outputs import INF, NAN, changed, randn

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64]
SHAPES = [(16,), (64,), (4, 8), (16, 33), (2, 3, 5, 7), (128, 64), (1, 1000)]


def golden_outputs(pick: random.Random) -> dict[str, torch.Tensor]:
    """Two outputs of one shape and dtype, as a model might make them."""
    dtype, shape = pick.choice(DTYPES), pick.choice(SHAPES)
    scale = 10.0 ** pick.uniform(-2, 3)
    offset = pick.choice([0.0, 0.0, pick.uniform(-2, 2)])
    outputs = {}
    for name in ("logits", "hidden"):
        values = randn(*shape, seed=pick.randrange(2**31), dtype=wide(dtype))
        outputs[name] = (scale * (values + offset)).to(dtype)
    return outputs


def wide(dtype: torch.dtype) -> torch.dtype:
    return torch.complex128 if dtype.is_complex else torch.float64


def with_noise(tensor: torch.Tensor, pick: random.Random) -> torch.Tensor:
    """The same computed in another order: every element off by some units in the last place."""
    units = 2 * pick.random() * torch.finfo(tensor.dtype).eps
    noise = randn(*tensor.shape, seed=pick.randrange(2**31)).clamp(-2, 2)
    return (tensor.to(wide(tensor.dtype)) * (1 + units * noise)).to(tensor.dtype)


def replaced(outputs: dict[str, Any], pick: random.Random, change: Callable[..., Any]) -> Any:
    name = pick.choice(sorted(outputs))
    return {**outputs, name: change(outputs[name])}


def one_element(tensor: torch.Tensor, pick: random.Random) -> torch.Tensor:
    flat = tensor.flatten().clone()
    flat[pick.randrange(len(flat))] += pick.choice([-1, 1]) * flat.abs().max()
    return flat.view(tensor.shape)


def another_kind(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.real if tensor.is_complex() else tensor.to(torch.complex64)


CORRUPTIONS: dict[str, Callable[[dict[str, Any], random.Random], Any]] = {
    "rows reversed": lambda o, p: replaced(o, p, lambda x: x.flip(max(range(x.dim()), key=x.size))),
    "sign flipped": lambda o, p: replaced(o, p, lambda x: -x),
    "scaled": lambda o, p: replaced(o, p, lambda x: x * p.choice([0.0, 0.5, 0.9, 1.1, 2.0, 100.0])),
    "truncated": lambda o, p: replaced(o, p, lambda x: x[..., :-1]),
    "tail zeroed": lambda o, p: replaced(o, p, lambda x: changed(x, (..., slice(-3, None)), 0)),
    "shifted by one": lambda o, p: replaced(o, p, lambda x: x.roll(p.choice([-1, 1]), -1)),
    "offset": lambda o, p: replaced(o, p, lambda x: x + x.abs().max() * p.choice([-0.2, 0.2])),
    "one element": lambda o, p: replaced(o, p, lambda x: one_element(x, p)),
    "one NaN": lambda o, p: replaced(o, p, lambda x: changed(x, (0,) * x.dim(), NAN)),
    "one infinity": lambda o, p: replaced(o, p, lambda x: changed(x, (-1,) * x.dim(), INF)),
    "outputs swapped": lambda o, p: {"logits": o["hidden"], "hidden": o["logits"]},
    "output missing": lambda o, p: {"logits": o["logits"]},
    "another kind of dtype": lambda o, p: replaced(o, p, another_kind),
    "an axis more": lambda o, p: replaced(o, p, lambda x: x[None]),
    "another seed": lambda o, p: replaced(
        o, p, lambda x: (x.abs().max() * randn(*x.shape, seed=p.randrange(2**31))).to(x.dtype)
    ),
}
SEEDS = range(25)


def runs() -> Iterator[tuple[random.Random, dict[str, torch.Tensor]]]:
    for seed in SEEDS:
        pick = random.Random(seed)
        yield pick, golden_outputs(pick)


@pytest.mark.parametrize("seed", range(200))
def test_right_outputs_pass(seed):
    pick = random.Random(1000 + seed)
    golden = golden_outputs(pick)
    actual = {name: with_noise(tensor, pick) for name, tensor in golden.items()}
    assert mismatches(compare(golden, actual)) == []


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_corrupted_outputs_fail(corruption):
    passed = [
        seed
        for seed, (pick, golden) in zip(SEEDS, runs(), strict=True)
        if verdict(compare(golden, CORRUPTIONS[corruption](golden, pick)))
    ]
    assert passed == []


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_corrupted_outputs_with_noise_fail(corruption):
    passed = []
    for seed, (pick, golden) in zip(SEEDS, runs(), strict=True):
        actual = {name: with_noise(tensor, pick) for name, tensor in golden.items()}
        if verdict(compare(golden, CORRUPTIONS[corruption](actual, pick))):
            passed.append(seed)
    assert passed == []
