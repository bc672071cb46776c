# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The float64 reference: a model run in float64 without a float64 copy of it."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from bringup.harness.frontend.eager import without_fast_paths
from bringup.harness.frontend.training import eager_step
from bringup.harness.verify import (
    Asked,
    Float64,
    Tolerances,
    compare_training,
    natural_errors,
    settled,
    verdict,
)
from bringup.harness.verify.compare import compare
from bringup.harness.verify.natural import ANY_ROUNDING
from tests.unit.made_outputs import X, randn


class Net(torch.nn.Module):
    """Casts, masks, buffers written in place, dtypes named, an embedding, a zero gradient."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(16, 8)
        self.conv = torch.nn.Conv1d(8, 8, 3, padding=1)
        self.norm = torch.nn.BatchNorm1d(8)
        self.head = torch.nn.Linear(8, 4)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.seen.add_(1)
        hidden = self.norm(self.conv(self.embedding(ids).mT)).mT
        scores = hidden @ hidden.mT
        mask = torch.full(scores.shape[-2:], torch.finfo(hidden.dtype).min).triu(1)
        weights = functional.softmax(scores + mask, dim=-1, dtype=torch.float32)
        out = torch.zeros(hidden.shape, dtype=torch.float32)
        out[:] = weights.to(hidden.dtype) @ hidden
        return self.head(out.float())


IDS = torch.randint(0, 16, (4, 12), generator=torch.Generator().manual_seed(1))


def test_a_run_in_float64_is_a_copy_of_the_model_in_float64():
    with torch.no_grad():
        with Float64() as mode:
            found = Net().eval()(IDS)
        wide = Net().eval().double()
        wide.forward = lambda ids: Net.forward(wide, ids)
        golden = Net().eval()(IDS)
    assert found.dtype is torch.float64
    assert mode.narrow == set()
    error = natural_errors(golden, found)[""]
    assert 0 < float(error.norm() / golden.norm()) < 1e-6


def test_parameters_keep_their_dtype_and_buffers_are_written():
    model = Net().eval()
    with torch.no_grad(), Float64():
        model(IDS)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert float(model.seen) == 1


def test_gradients_have_a_reference_and_one_that_is_zero_by_mathematics_is_seen():
    def loss(outputs: torch.Tensor) -> torch.Tensor:
        return outputs.square().mean()

    golden = eager_step(Net().train(), ((IDS,), {}), loss)
    with Float64() as mode:
        exact = eager_step(Net().train(), ((IDS,), {}), loss)
    assert mode.narrow == set()
    natural = natural_errors(golden, exact)
    assert float(exact["grad.conv.bias"].abs().max()) < 1e-12
    other = {**golden, "grad.conv.bias": golden["grad.conv.bias"].flip(0) * 3}
    assert not verdict(compare_training(golden, other, Tolerances(), "grad.", {}))
    assert verdict(compare_training(golden, other, Tolerances(), "grad.", natural))
    for name in golden:
        if name != "grad.conv.bias":
            wrong = {**golden, name: golden[name] * 1.04}
            assert not verdict(compare_training(golden, wrong, Tolerances(), "grad.", natural))


LAYERS = {
    "conv1d": (torch.nn.Conv1d(4, 4, 3, groups=4, padding=2), (1, 4, 8)),
    "conv2d": (torch.nn.Conv2d(3, 4, 3), (1, 3, 8, 8)),
    "conv3d": (torch.nn.Conv3d(2, 2, 2), (1, 2, 4, 4, 4)),
    "conv_transpose1d": (torch.nn.ConvTranspose1d(4, 4, 3), (1, 4, 8)),
    "same padding": (torch.nn.Conv1d(4, 4, 3, padding="same"), (1, 4, 8)),
    "batch norm": (torch.nn.BatchNorm1d(4).eval(), (3, 4)),
    "group norm": (torch.nn.GroupNorm(2, 4), (3, 4)),
    "attention": (torch.nn.TransformerEncoderLayer(8, 2, 8).eval(), (3, 1, 8)),
    "linear": (torch.nn.Linear(4, 4), (2, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_what_was_computed_before_it(name):
    layer, shape = LAYERS[name]
    x = randn(*shape)
    with torch.no_grad(), without_fast_paths():
        wanted = copy.deepcopy(layer).double()(x.double() * 1.5)
        with Float64() as mode:
            found = layer(x * 1.5)
    assert not mode.narrow and found.dtype is torch.float64
    assert (found - wanted).abs().max() < 1e-12


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_layers_compute_in_float64(kind, bidirectional):
    """Beside the formulae of their documentation, written out in numpy's float64."""
    layer = kind(4, 5, num_layers=2, bidirectional=bidirectional)
    x = randn(6, 3, 4)
    with torch.no_grad():
        golden, _ = layer(x)
        with Float64() as mode:
            found, _ = layer(x)
    wanted = recurrent(layer, x.double().numpy())
    assert not mode.narrow and found.dtype is torch.float64
    assert np.abs(found.numpy() - wanted).max() < 1e-14
    assert 1e-9 < np.abs(golden.numpy() - wanted).max() < 1e-5


@pytest.mark.parametrize("kind", [torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell])
def test_recurrent_cells_compute_in_float64(kind):
    cell, x, h = kind(4, 5), randn(3, 4), randn(3, 5, seed=1)
    state = (h, h) if kind is torch.nn.LSTMCell else h
    with torch.no_grad(), Float64() as mode:
        found = cell(x * 1.5, state)
    hidden = found[0] if isinstance(found, tuple) else found
    weights = [getattr(cell, n).detach().double().numpy() for n in _WEIGHTS]
    wide = h.double().numpy()
    wanted, _ = _step(kind.__name__[:-4], x.double().numpy() * 1.5, wide, wide, weights)
    assert not mode.narrow
    assert np.abs(hidden.numpy() - wanted).max() < 1e-14


_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def recurrent(layer, x):
    """Outputs of shape (time, batch, directions x hidden) for x of (time, batch, features)."""
    for number in range(layer.num_layers):
        outputs = []
        for suffix in ("", "_reverse")[: 1 + layer.bidirectional]:
            names = [f"{name}_l{number}{suffix}" for name in _WEIGHTS]
            weights = [getattr(layer, name).detach().double().numpy() for name in names]
            h = c = np.zeros((x.shape[1], layer.hidden_size))
            steps = []
            for row in x[::-1] if suffix else x:
                h, c = _step(type(layer).__name__, row, h, c, weights)
                steps.append(h)
            outputs.append(np.stack(steps[::-1] if suffix else steps))
        x = np.concatenate(outputs, -1)
    return x


def _step(kind, x, h, c, weights):
    w, u, b, d = weights
    of_x, of_h = x @ w.T + b, h @ u.T + d
    if kind == "RNN":
        return np.tanh(of_x + of_h), c
    if kind == "LSTM":
        i, f, g, o = np.split(of_x + of_h, 4, -1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(c), c
    (r, z, n), (r2, z2, n2) = np.split(of_x, 3, -1), np.split(of_h, 3, -1)
    r, z = _sigmoid(r + r2), _sigmoid(z + z2)
    return (1 - z) * np.tanh(n + r * n2) + z * h, c


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


CHANCE = {
    "dropout": lambda x: functional.dropout(x, 0.5),
    "rand": lambda x: x + torch.rand(64, 32),
    "rand, a generator": lambda x: x + torch.rand(64, 32, generator=torch.Generator()),
    "randn in float64": lambda x: x + torch.randn(64, 32, dtype=torch.float64),
    "normal": lambda x: x + torch.normal(0.0, 1.0, (64, 32)),
    "normal in place": lambda x: x + torch.empty(64, 32).normal_(),
    "normal of tensors": lambda x: torch.normal(x, x.abs() + 1),
    "integers": lambda x: x * torch.randint(0, 9, (64, 32)),
    "given memory": lambda x: x + torch.rand(64, 32, out=torch.empty(64, 32)),
    "rrelu": lambda x: functional.rrelu(x, training=True),
    "exponential": lambda x: torch.empty_like(x * 1.5).exponential_(),
}


@pytest.mark.parametrize("name", CHANCE)
def test_random_numbers_are_those_of_the_golden(name):
    torch.manual_seed(3)
    golden, next_golden = CHANCE[name](X), torch.rand(1)
    torch.manual_seed(3)
    with Float64():
        exact = CHANCE[name](X)
    assert torch.allclose(golden.double(), exact.double(), atol=1e-5)
    assert torch.equal(torch.rand(1), next_golden)


def test_an_op_that_refuses_float64_is_computed_as_it_stands():
    library = torch.library.Library("verify_reference", "DEF")
    library.define("single(Tensor x) -> Tensor")

    def single(x: torch.Tensor) -> torch.Tensor:
        if x.dtype is not torch.float32:
            raise NotImplementedError("float32 only")
        return x + 1

    library.impl("single", single, "CPU")
    with Float64() as mode:
        found = torch.ops.verify_reference.single(X)
    assert torch.equal(found, X + 1)
    assert mode.narrow == {"verify_reference::single"}


@pytest.mark.parametrize(
    ("actual", "asked"),
    [
        *((X, False), (X.flip(0), True), (torch.full_like(X, torch.nan), False)),
        *((1e3 * X, False), (2 * X, True), (0 * X, True)),  # beyond all rounding, and not
    ],
)
def test_the_reference_is_asked_where_rounding_may_explain_what_failed(actual, asked):
    calls = []
    outputs, was = settled(
        lambda natural, passed: compare(X, actual, natural=natural, passed=passed),
        lambda: calls.append(1) or {},
    )
    assert (was is Asked.REFERENCE, len(calls)) == (asked, int(asked))
    assert verdict(outputs) is (actual is X)


def test_what_no_rounding_explains_fails_by_any():
    assert verdict(compare(X, -3 * X, natural=ANY_ROUNDING))
    assert not verdict(compare(X, 1e3 * X, natural=ANY_ROUNDING))


def test_an_error_is_that_of_rounding_and_not_of_clipping():
    golden = torch.tensor([448.0, 1.0]).to(torch.float8_e4m3fn)
    exact = torch.tensor([1e9, 1.0], dtype=torch.float64)
    assert natural_errors(golden, exact) == {}
    assert list(natural_errors({"a": X, "b": "text"}, {"a": X.double() + 1, "b": "text"})) == ["a"]
    assert natural_errors(X, randn(3, 3)) == {}
