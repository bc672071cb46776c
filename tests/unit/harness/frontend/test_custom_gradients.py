# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of a training step no exported program has, by its name."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from bringup.harness.frontend.custom_gradients import custom_gradients
from bringup.harness.frontend.refusals import ExportRefusal, explained
from bringup.harness.frontend.training import default_loss


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return gradient


class Model(nn.Module):
    def __init__(self, after: Callable[[nn.Module, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.after = after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.second, self.first(x))


def plain() -> Model:
    return Model(lambda layer, x: layer(x))


def hooked_weight() -> Model:
    model = plain()
    model.first.weight.register_hook(lambda gradient: gradient * 2)
    return model


def hooked_module() -> Model:
    model = plain()
    model.second.register_full_backward_hook(lambda *_: None)
    return model


def hooked_inside(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    x.register_hook(lambda gradient: gradient * 3)
    return layer(x)


def in_the_old_way(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    given: torch.Tensor = checkpoint(layer, x, use_reentrant=True)
    return given


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (plain, []),
        (lambda: Model(lambda layer, x: layer(Rounded.apply(x))), ["the backward of Rounded"]),
        (lambda: Model(in_the_old_way), ["the backward of CheckpointFunction"]),
        (hooked_weight, ["the hook on first.weight"]),
        (hooked_module, ["the backward hook of second"]),
        (lambda: Model(hooked_inside), ["a hook on a tensor inside of forward"]),
    ],
)
def test_what_is_no_derived_gradient_has_a_name(
    build: Callable[[], Model], said: list[str]
) -> None:
    assert custom_gradients(build(), ((torch.ones(2, 4),), {}), default_loss) == said


def test_a_branch_on_a_value_is_said_by_the_models_own_line() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if x.sum() > 0 else x

    with pytest.raises(ExportRefusal) as refused, explained():
        torch.export.export(Branching(), (torch.ones(3),), strict=False)
    said = str(refused.value)
    assert "forward needs a Python number that it computes of a tensor" in said
    assert f"at {__name__.rpartition('.')[2]}.py:" in said and "if x.sum() > 0" in said
