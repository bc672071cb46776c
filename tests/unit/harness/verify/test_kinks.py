# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Gradients of nets with kinks: what a right computation may be off by, and what is a fault."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from bringup.harness.frontend.training import eager_step
from bringup.harness.verify import (
    KINK_DRAWS,
    Asked,
    Float64,
    Natural,
    Tolerances,
    Turned,
    Watched,
    compare,
    compare_training,
    mismatches,
    natural_errors,
    settled,
    turned_over,
    verdict,
)
from tests.unit.made_outputs import X, randn


class Net(torch.nn.Module):
    """A convolution, a ReLU, and one of its numbers that is 1e-7 above zero."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = torch.nn.Conv2d(8, 16, 3), torch.nn.Conv2d(16, 8, 1)
        self.x = randn(2, 8, 17, 17, seed=1)
        with torch.no_grad():
            self.first.bias[3] -= self.first(self.x)[0, 3, 2, 2] - 1e-7
        self.nudge = torch.zeros(2, 16, 15, 15)

    def forward(self) -> torch.Tensor:
        outputs: torch.Tensor = self.last((self.first(self.x) + self.nudge).relu())
        return outputs


def step(net: Net) -> dict[str, torch.Tensor]:
    return eager_step(net, ((), {}), lambda outputs: outputs.square().mean())


@pytest.fixture(scope="module")
def runs() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], Natural, Natural]:
    """Golden; the same where rounding takes that number below zero; golden's error, and with
    numbers turned over.
    """
    net, watched = Net(), Watched()
    golden = step(net)
    with watched, Float64():
        own = natural_errors(golden, step(net))
    noted = Watched()
    with noted:
        step(net)
    natural = own
    for draw in range(KINK_DRAWS):
        turned = Turned(watched, noted, draw)
        with turned:
            found = step(net)
        natural = turned_over(natural, golden, found)
        assert turned.turned < 10 and (turned.turned or draw)
    net.nudge[0, 3, 2, 2] = -2e-7
    return golden, step(net), own, natural


def test_a_number_on_the_other_side_of_a_kink_is_no_fault(runs):
    golden, other, own, turned = runs
    off = other["grad.first.weight"][3] - golden["grad.first.weight"][3]
    assert float(off.norm() / golden["grad.first.weight"][3].norm()) > 0.004
    assert not verdict(compare_training(golden, other, Tolerances(), "grad.", own))
    assert verdict(compare_training(golden, other, Tolerances(), "grad.", turned))


FAULTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "a factor": lambda g: g * 1.04,
    "a zero": lambda g: torch.zeros_like(g),
    "one channel": lambda g: torch.cat([g[:1] * 1.02, g[1:]]),
    "a wrong order": lambda g: g.roll(1, 0),
    "flipped kernels": lambda g: g.flip(-1) if g.dim() > 1 and g.shape[-1] > 1 else -g,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_net_with_kinks_is_seen(runs, fault):
    golden, other, _, turned = runs
    for name in golden:
        if name.startswith("grad.") and not (fault == "one channel" and golden[name].dim() == 1):
            wrong = {**other, name: FAULTS[fault](other[name])}
            assert not verdict(compare_training(golden, wrong, Tolerances(), "grad.", turned)), name


def training(gradient: torch.Tensor, wrong: torch.Tensor) -> list[str]:
    steps = ({"loss": torch.tensor(1.0), "grad.w": g} for g in (gradient, wrong))
    return mismatches(compare_training(*steps, Tolerances(), "grad.", {}))


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (3,), ()])
def test_a_row_of_a_gradient_is_what_one_output_is_made_of(kernel):
    gradient = randn(16, 64, *kernel, seed=3)
    at = (5, 7, *(0 for _ in kernel))
    gradient[at] = 1e-3  # what is left of larger numbers, off as they are
    wrong = gradient.clone()
    wrong[at] *= 1.5
    assert training(gradient, wrong) == []
    wrong[5] *= 1.02
    assert any("row [5] is off" in said for said in training(gradient, wrong))
    wrong = gradient.clone()
    wrong[at] += 0.3
    assert any(f"element {list(at)} is off" in said for said in training(gradient, wrong))
    wrong = gradient.clone()
    wrong[:, 7] *= 1.02  # of every output the same
    assert training(gradient, wrong)


def test_rows_that_are_long_enough_stay_rows():
    gradient = randn(2, 50, 64, seed=4)
    wrong = gradient.clone()
    wrong[1, 20] *= 1.02
    assert any("row [1, 20] is off" in said for said in training(gradient, wrong))


TAKE = {
    "relu": functional.relu,
    "relu in place": lambda x: functional.relu(x, inplace=True),
    "relu_": lambda x: x.relu_(),
    "module": torch.nn.ReLU(inplace=True),
    "relu6": torch.nn.ReLU6(),
    "relu6 in place": torch.nn.ReLU6(inplace=True),
    "leaky": torch.nn.LeakyReLU(0.1),
    "hardswish": lambda x: functional.hardswish(x - 3),
    "clamp": lambda x: x.clamp(min=0.0),
    "abs": lambda x: x.abs(),
    "max pool": lambda x: functional.max_pool1d(x.view(1, 1, -1), 2),
    "adaptive": lambda x: functional.adaptive_max_pool1d(x.view(1, 1, -1), 32),
    "amax": lambda x: x.view(-1, 2).amax(1),
    "max": lambda x: x.view(-1, 2).max(1).values,
}


@pytest.mark.parametrize("op", TAKE)
def test_what_is_near_a_kink_has_the_other_gradient(op):
    """Half of the numbers are as near to zero, and to each other, as float32 is off."""
    start = torch.tensor([1e-5, 2e-5, -2e-5, -1e-5, 1.0, 2.0, -1.0, -2.0]).repeat(8)

    def gradient() -> tuple[torch.Tensor, torch.Tensor]:
        x = start.clone().requires_grad_()
        computed = x * 1.0
        outputs = TAKE[op](computed + 1e-4 * (computed.dtype is torch.float32))
        (outputs.flatten() * torch.arange(1, outputs.numel() + 1)).sum().backward()
        assert x.grad is not None
        return outputs.detach(), x.grad

    outputs, plain = gradient()
    watched = Watched()
    with watched, Float64():
        gradient()
    assert len(watched.calls) == 1
    noted = Watched()
    with noted:
        gradient()
    with Turned(watched, noted):
        moved, turned = gradient()
    assert float((moved - outputs).abs().max()) < 3e-4
    changed = (plain != turned).view(8, 8)
    assert bool(changed[:, :4].any())
    assert not bool(changed[:, 4:].any())


def test_a_model_that_takes_another_way_says_so():
    watched = Watched()
    with watched:
        X.relu()
    with Turned(watched, watched), pytest.raises(ValueError, match="another way"):
        X.abs()


def test_kinks_are_asked_for_once_where_the_reference_does_not_settle_it():
    def asked(*, off: float, own: float) -> tuple[list[str], bool]:
        said = []

        def kinks(natural: Natural) -> Natural:
            said.append("kinks")
            return {"": X * 0.2}

        def samples(natural: Natural) -> list[Natural]:
            said.append("samples")
            return []

        outputs, was = settled(
            lambda natural, passed: compare(X, X * (1 + off), natural=natural, passed=passed),
            lambda: {"": X * own},
            samples,
            kinks,
        )
        assert was >= Asked.REFERENCE
        return said, verdict(outputs)

    assert asked(off=0.05, own=0.05) == ([], True)
    assert asked(off=0.2, own=1e-6) == (["kinks"], True)  # however far it is off
    assert asked(off=3.0, own=1e-6)[1] is False


def test_what_two_numbers_move_against_each_other_is_seen_by_chance():
    """Of two rows that a sum joins, each on its own side of a kink."""
    x = torch.tensor([[1e-6], [1e-6], [3.0]]).requires_grad_()
    signs = torch.tensor([[1.0], [-1.0], [1.0]])

    def gradient() -> torch.Tensor:
        weight = torch.ones(1, 1, requires_grad=True)
        off = 1e-5 * (weight.dtype is torch.float32)
        ((x.to(weight.dtype) @ weight + off).relu() * signs).sum().backward()
        assert weight.grad is not None
        return weight.grad

    exact, noted = Watched(), Watched()
    with exact, Float64():
        gradient()
    with noted:
        plain = gradient()
    moved = []
    for draw in range(KINK_DRAWS):
        with Turned(exact, noted, draw):
            moved.append(gradient() - plain)
    assert abs(float(moved[0])) < 1e-9 < max(abs(float(one)) for one in moved)


class Rows(torch.nn.Module):
    """256 rows, of which some have a number that is 1e-7 above zero and worth half of the row."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.nudge = randn(40, 16, seed=1), torch.zeros(40, 256)
        self.worth = torch.ones(40, 256)
        self.inner = torch.nn.Linear(16, 256)
        with torch.no_grad():
            self.inner.weight.copy_(randn(256, 16, seed=2))
            at = torch.tensor([3, 70, 140, 210])
            self.inner.bias[at] -= self.inner(self.x)[0, at] - 1e-7
            self.worth[0, at] = 5.0

    def forward(self) -> torch.Tensor:
        return (self.inner(self.x) + self.nudge).relu() * self.worth


def test_rows_that_jump_are_told_by_parts_where_all_together_tell_nothing():
    net = Rows()

    def gradient() -> dict[str, torch.Tensor]:
        return eager_step(net, ((), {}), lambda outputs: outputs.sum())

    golden, exact, noted = gradient(), Watched(), Watched()
    with exact, Float64():
        reference = gradient()
    with noted:
        gradient()
    own, found = natural_errors(golden, reference), list[Natural]()
    for draw in range(KINK_DRAWS):
        with Turned(exact, noted, draw):
            moved = gradient()
        found.append(turned_over(own, golden, moved))
    parts = own
    for one in found:
        parts = {k: torch.where(v.abs() > parts[k].abs(), v, parts[k]) for k, v in one.items()}
    net.nudge[0, 70] = -2e-7
    other = gradient()

    def right(natural: Natural) -> bool:
        return verdict(compare_training(golden, other, Tolerances(), "grad.", natural))

    assert not right(found[0]) and right(parts)
    for fault in FAULTS.values():
        name = "grad.inner.weight"
        wrong = {**other, name: fault(other[name])}
        assert not verdict(compare_training(golden, wrong, Tolerances(), "grad.", parts))


def test_each_number_near_a_kink_is_in_one_part():
    start = torch.linspace(1e-6, 1e-5, 64)

    def gradient() -> torch.Tensor:
        x = start.clone().requires_grad_()
        computed = x * 1.0
        (computed + 1e-4 * (computed.dtype is torch.float32)).relu().sum().backward()
        assert x.grad is not None
        return x.grad

    exact, noted = Watched(), Watched()
    with exact, Float64():
        gradient()
    with noted:
        gradient()
    off = []
    for draw in range(KINK_DRAWS):
        with Turned(exact, noted, draw):
            off.append(gradient() == 0)
    assert off[0].all() and all(part.any() for part in off)
    assert torch.stack(off[1:]).sum(0).tolist() == [1] * 64
