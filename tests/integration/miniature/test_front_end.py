# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models that draw, switch gradients, write to parts, or are no modules."""

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # PyTorch's own abbreviation
from torch.utils.checkpoint import checkpoint

from bringup import ModelTester


class Model(nn.Module):
    def __init__(self, compute, **buffers):
        super().__init__()
        self.l = nn.Linear(4, 4)
        self.drawer = torch.Generator().manual_seed(1)
        self.compute = compute
        for name, value in buffers.items():
            self.register_buffer(name, value)

    def forward(self, x):
        return self.compute(self, x)


class Convolutions(nn.Module):
    """Of every kind after one another: strided, dilated, in groups, transposed, without a bias."""

    def __init__(self, dimensions):
        super().__init__()
        self.size = (4, *[6] * dimensions)
        self.first = nn.Linear(4, 4 * 6**dimensions)
        plain = getattr(nn, f"Conv{dimensions}d")
        back = getattr(nn, f"ConvTranspose{dimensions}d")
        self.layers = nn.Sequential(
            *(nn.ReLU(), plain(4, 8, 3, stride=2, padding=1)),
            *(nn.ReLU(), plain(8, 8, 3, padding=2, dilation=2, groups=4, bias=False)),
            *(nn.ReLU(), back(8, 4, 3, stride=2, padding=1, output_padding=1, groups=2)),
            *(nn.ReLU(), back(4, 4, 2, dilation=2, bias=False)),
            *(nn.ReLU(), plain(4, 4, 3, padding="same"), plain(4, 2, 1, stride=2)),
        )

    def forward(self, x):
        return self.layers(self.first(x).unflatten(-1, self.size))


class ByAView(nn.Module):
    """Its weight's gradient goes on through a view, which takes what lies in order only."""

    def __init__(self):
        super().__init__()
        self.first, self.weight = nn.Linear(4, 3 * 9), nn.Parameter(torch.rand(12, 3))

    def forward(self, x):
        return F.conv1d(self.first(x).unflatten(-1, (3, 9)), self.weight.view(4, 3, 3))


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).eval()


def grown(model, x):
    model.n = torch.cat([model.n, x])
    return {"first": model.l(model.n), "rows": model.n}


def swapped(model, x):
    old = model.n[None]
    model.n, model.m = model.m, model.n + 1
    return model.l(x) + model.n, old


def halved(model, x):
    model.l.weight.data = model.l.weight.data * 0.5
    model.n.data.add_(1)
    return model.l(x) * model.n


def diagonal(model, x):
    torch.diagonal(x, -1).add_(1)
    torch.diagonal(model.n).mul_(2)
    return model.l(x) @ model.n


def masked(model, x):
    x[x > 0] = 0
    x.put_(torch.tensor([1, -5]), torch.tensor([9.0, 8.0]))
    return model.l(x)


def windows(model, x):
    x.unfold(1, 2, 2).add_(1)
    x.as_strided((2, 2), (4, 1), 1).mul_(3)
    return model.l(x.fill_diagonal_(3.0))


def left_on(model, x):
    torch.set_grad_enabled(True)
    return model.l(x) * 2


def inference(model, x):
    with torch.inference_mode():
        y = model.l(x)
    return model.l(y.clone())


def drops(model, x):
    return F.dropout(F.scaled_dot_product_attention(x, x, model.l(x), dropout_p=0.3), 0.5)


class DropPath(nn.Module):
    def forward(self, x):
        return x * torch.rand(3, 1).add(0.5).floor() if self.training else x


def with_branches():
    return nn.Sequential(nn.Linear(4, 4), DropPath(), nn.Dropout(0.5), nn.Linear(4, 4))


def eyes():
    return Model(diagonal, n=torch.eye(4))


def seeded(model, x):
    torch.manual_seed(3)
    return model.l(x) + torch.rand_like(x)


def seeded_whole(model, x):
    torch.manual_seed(3)
    return model.l(x) + torch.rand(3, 4)


def generator_made(model, x):
    drawer = torch.Generator()
    drawer.manual_seed(3)
    return model.l(x) + torch.randn(3, 4, generator=drawer)


def written_and_trained(model, x):
    model.l.weight.data.clamp_(-0.1, 0.1)
    return model.l(x)


def unfinished(model, x):
    model.n.add_(1)
    model.l.weight.data.zero_()
    model.n = model.n * 2
    raise ValueError("half way")


def sparse_embedding():
    model = Model(lambda model, x: model.l(model.embedding(x.abs().long()).mean(1)))
    model.embedding = nn.Embedding(10, 4, sparse=True)
    return model


def branching(model, x):
    y = model.l(x)
    return y * 2 if y.sum() > 0 else y * 3


def in_the_old_way(model, x):
    return checkpoint(model.l, model.l(x), use_reentrant=True)


def exported():
    return torch.export.export(network(), (torch.ones(3, 4),))


def whole(model, x):
    n = torch.tensor([2**41, -(2**41) - 3, 2**62 + 7, -(2**62) - 1, 2**63 - 1, 7, -7])
    n = n + (x[0, 0] * 0).long()
    floats = x % 3, x % -0.25, torch.fmod(x, x.flip(0)), x % x.flip(0), model.l(x)
    return n % 5, n % -5, n // 5, n // torch.full_like(n, -3), torch.fmod(n, 5), *floats


GOOD = {
    "whole": lambda: Model(whole),
    "grown": lambda: Model(grown, n=torch.zeros(2, 4)),
    "swapped": lambda: Model(swapped, n=torch.zeros(4), m=torch.ones(4)),
    "halved": lambda: Model(halved, n=torch.zeros(())),
    "diagonal": eyes,
    "masked": lambda: Model(masked),
    "windows": lambda: Model(windows),
    "left_on": lambda: Model(left_on),
    "exported": exported,
    "exported_module": lambda: exported().module(),
    "partial": lambda: functools.partial(torch.add, torch.ones(4), alpha=2),
    "method": lambda: network().forward,
    "compiled": lambda: torch.compile(network()),
    "compiled_function": lambda: torch.compile(lambda x: x * 2),
    "zero": lambda: Model(lambda model, x: model.l(x) + 0 * torch.rand_like(x)),
}
TRAINS = {
    "inference": lambda: Model(inference),
    "drops": lambda: Model(drops),
    "branches": with_branches,
    "weight_norm": lambda: nn.utils.weight_norm(nn.Linear(4, 4)),
    "recurrent": lambda: nn.Sequential(nn.Linear(4, 4), nn.Dropout(), first_of_lstm()),
    "function": lambda: holding(network()),
    **{f"convolutions_{n}d": functools.partial(Convolutions, n) for n in (1, 2, 3)},
    "activations": lambda: nn.Sequential(
        *(nn.Linear(4, 4), nn.SiLU(), nn.Linear(4, 4), nn.Mish(), nn.Linear(4, 4), nn.Hardswish())
    ),
    "convolutions_with_a_rest": lambda: nn.Sequential(
        *(nn.Linear(4, 2 * 12 * 14), nn.Unflatten(-1, (2, 12, 14)), nn.Conv2d(2, 4, 1, stride=5)),
        *(nn.ReLU(), nn.Conv2d(4, 2, 3, stride=4, padding=2)),
    ),
    "convolution_by_a_view": ByAView,
    "sparse_embedding": sparse_embedding,
}
DRAWS = {
    "rand_like": lambda model, x: model.l(x) + torch.rand_like(x),
    "normal": lambda model, x: model.l(x) + torch.empty(3, 4).normal_(),
    "multinomial": lambda model, x: torch.multinomial(model.l(x).softmax(-1), 2),
    "dropout": lambda model, x: F.dropout(model.l(x), 0.5),
    "seeded": seeded,
    "seeded_whole": seeded_whole,
    "generator_held": lambda model, x: model.l(x) + torch.rand(3, 4, generator=model.drawer),
    "generator_made": generator_made,
    "generator_refused": lambda model, x: model.l(x)[torch.randperm(3, generator=model.drawer)],
}
REFUSED = {
    "script": ("eval", lambda: torch.jit.trace(network(), torch.ones(3, 4))),
    "class": ("eval", lambda: nn.ReLU),
    "text": ("eval", lambda: "resnet"),
    "lazy": ("eval", lambda: nn.LazyLinear(3)),
    "meta": ("eval", lambda: nn.Linear(4, 4, device="meta")),
    "written_and_trained": ("train", lambda: Model(written_and_trained)),
    "grown": ("train", lambda: Model(grown, n=torch.zeros(2, 4))),
    "number": ("eval", lambda: Model(lambda model, x: (model.l(x), x.sum().item()))),
    "branch": ("train", lambda: Model(branching)),
    "imaginary": ("eval", lambda: Model(lambda model, x: (model.l(x) * 1j).real)),
    "checkpoint": ("train", lambda: Model(in_the_old_way)),
    "half_way": ("eval", lambda: Model(unfinished, n=torch.zeros(4))),
}


def first_of_lstm():
    class First(nn.LSTM):
        def forward(self, x):
            return super().forward(x)[0]

    return First(4, 4, 2, dropout=0.3)


def holding(model):
    return lambda x: model(x)


def run(builder, mode):
    class Tester(ModelTester):
        def _load_model(self):
            torch.manual_seed(0)
            loaded.append(builder())
            if isinstance(loaded[0], Model):
                before.update({n: v.clone() for n, v in loaded[0].state_dict().items()})
            return loaded[0]

        def _load_inputs(self):
            return torch.randn(3, 4)

        def _loss(self, outputs):
            return (outputs["first"] if isinstance(outputs, dict) else outputs).square().mean()

    loaded, before = [], {}
    tester = Tester("front end", mode)
    try:
        tester.test_model()
    finally:
        after = loaded[0].state_dict() if before else {}
        assert before.keys() == after.keys()
        assert all(torch.equal(value, before[name]) for name, value in after.items())
        assert torch.is_grad_enabled()
    tester.finalize()


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("case", GOOD)
def test_good(case, mode):
    run(GOOD[case], mode)


@pytest.mark.parametrize("mode", ["train"])
@pytest.mark.parametrize("case", TRAINS)
def test_trains(case, mode):
    run(TRAINS[case], mode)


@pytest.mark.parametrize("case", DRAWS)
def test_draws(case):
    run(lambda: Model(DRAWS[case]), "eval")


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    run(REFUSED[case][1], REFUSED[case][0])


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def rounded(model, x):
    return model.l(Rounded.apply(model.l(x) * 4))


def hooked_inside(model, x):
    y = model.l(x)
    if y.requires_grad:
        y.register_hook(lambda gradient: gradient * 3)
    return model.l(y)


def packed(model, x):
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.round(), lambda t: t):
        return model.l(x).square()


def hooked_weight():
    model = Model(lambda model, x: model.l(x))
    model.l.weight.register_hook(lambda gradient: gradient * 2)
    return model


def halved_gradient(model, x):
    """Stands for a compiler that derives it wrongly."""
    y = model.l(x)
    return (y + y.detach()) / 2 if torch.compiler.is_compiling() else y


LOST = {
    "rounded": lambda: Model(rounded),
    "hooked_inside": lambda: Model(hooked_inside),
    "packed": lambda: Model(packed),
    "hooked_weight": hooked_weight,
    "halved_gradient": lambda: Model(halved_gradient),
}


@pytest.mark.parametrize("mode", ["train"])
@pytest.mark.parametrize("case", LOST)
def test_lost(case, mode):
    run(LOST[case], mode)


def off_where_exported(model, x):
    torch.rand_like(x)  # drawn, and used by nobody
    return model.l(x) + (1.0 if torch.compiler.is_compiling() else 0.0)


def test_draws_and_is_wrong():
    run(lambda: Model(off_where_exported), "eval")
