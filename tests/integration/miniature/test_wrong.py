# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Models that real compilers get wrong, refuse, or die of, each by something in its middle."""

import pytest
import torch
from torch.nn import functional

from bringup import ModelTester


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = torch.nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(width)
        self.second = torch.nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + x)


class Network(torch.nn.Module):
    """A small residual network with one odd step between its two halves."""

    def __init__(self, middle, blocks=2):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.before = torch.nn.Sequential(*[Block(8) for _ in range(blocks)])
        self.middle = middle
        self.after = torch.nn.Sequential(*[Block(8) for _ in range(blocks)])
        self.head = torch.nn.Linear(8, 5)

    def forward(self, x):
        x = self.middle(self.before(self.stem(x)))
        return self.head(self.after(x).mean((2, 3)))


def ceil_pool(x):
    """torch-mlir pads the wrong side: the result does not follow PyTorch's."""
    return functional.max_pool2d(x, 3, 2, 1, ceil_mode=True)


def negative_index(x):
    """StableHLO's gather clamps what PyTorch counts from the end."""
    return x[:, torch.tensor([0, -1, 2, -3, 4, 5, 6, 7])]


def fused(x):
    """XLA makes log(exp(x)) to x, also where exp(x) is infinite; each op alone is right."""
    return torch.log(torch.exp(x * 1000)).clamp(max=1e9) * 1e-3


def rounded(x):
    """IREE drops the way through bfloat16, unless its value is an output: all nodes look right."""
    x = torch.tanh(x) + 1
    return (x - x.bfloat16().float()) * 100


def refused(x):
    """torch-mlir cannot lower it."""
    return torch.erfinv(torch.tanh(x * 0.1) * 0.5)


class EmptyContraction(torch.nn.Module):
    """IREE's compiler divides by zero on a product over no elements."""

    def __init__(self):
        super().__init__()
        self.narrow = torch.nn.Parameter(torch.empty(12, 0))
        self.wide = torch.nn.Parameter(torch.empty(0, 12))

    def forward(self, x):
        return x + self.narrow @ self.wide


MIDDLES = {
    "ceil_pool": ceil_pool,
    "negative_index": negative_index,
    "fused": fused,
    "rounded": rounded,
    "refused": refused,
    "empty_contraction": EmptyContraction(),
}


class Middle(torch.nn.Module):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def forward(self, x):
        return self.step(x)


@pytest.mark.parametrize("name", MIDDLES)
@pytest.mark.parametrize("flow", ["full-eval"])
def test_wrong(flow, name):
    class ThisTester(ModelTester):
        def _load_model(self):
            torch.manual_seed(0)
            return Network(Middle(MIDDLES[name]))

        def _load_inputs(self):
            return torch.randn(1, 3, 12, 12)

    tester = ThisTester(name, "eval")
    tester.test_model()
    tester.finalize()
