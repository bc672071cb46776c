# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Models that write to what they are given, or to what they are made of."""

import pytest
import torch
from torch import nn
from transformers import DynamicCache

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend
from bringup.harness.frontend.lowering import lower_torch


class Model(nn.Module):
    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("kv", torch.zeros(8, 4))
        self.register_buffer("count", torch.zeros(()))
        self.scale = nn.Parameter(torch.full((4,), 3.0))
        self.seen = 0
        self.cache = []
        self.table = None
        self.inner = forward

    def forward(self, *args, **kwargs):
        return self.inner(self, *args, **kwargs)


def relu_on_input(self, x):
    return self.linear(x.relu_())


def view_of_input(self, x):
    x[0].add_(1)
    x[:, 2:].mul_(2)
    return self.linear(x)


def kv_at_position(self, x):
    self.kv[2:5] = x
    return self.kv.sum(1)


def kv_in_one_piece(self, x):
    self.kv.copy_(torch.cat([x, self.kv[:5]]))
    return self.kv


def norm_in_train_mode(self, x):
    self.train()
    return self.norm(x)


def counted(self, x):
    self.seen += 1
    return self.linear(x) * self.seen


def counted_in_a_buffer(self, x):
    self.count += 1
    self.count = self.count * 3
    return self.linear(x) * self.count


def appended(self, x):
    self.cache.append(self.linear(x))
    return torch.cat(self.cache)


def table_on_first_use(self, x):
    if self.table is None:
        self.table = torch.arange(4.0)
    return self.linear(x) + self.table


def popped(self, x):
    return self.linear(x.pop()) + x[0]


def nested(self, state, x):
    state["layers"][1]["k"].add_(1)
    state["layers"].append(x)
    return state["layers"][1]["k"] * x


def one_tensor_twice(self, x, y):
    x.mul_(2)
    return x + y


def clamped_weight(self, x):
    with torch.no_grad():
        self.scale.clamp_(max=1)
    return x * self.scale


def nothing_but_a_write(self, x):
    self.kv[:3] = x


X = torch.linspace(-1, 1, 12).view(3, 4)
KV = "mutated.buffers.kv"
CASES = {
    relu_on_input: lambda: X.clone(),
    view_of_input: lambda: X.clone(),
    kv_at_position: lambda: X.clone(),
    kv_in_one_piece: lambda: X.clone(),
    norm_in_train_mode: lambda: X.clone(),
    counted: lambda: X.clone(),
    counted_in_a_buffer: lambda: X.clone(),
    appended: lambda: X.clone(),
    table_on_first_use: lambda: X.clone(),
    popped: lambda: {"x": [X.clone(), X.clone()]},
    nested: lambda: ({"layers": [{"k": X.clone()}, {"k": X.clone()}]}, X.clone()),
    one_tensor_twice: lambda: (X.clone(),) * 2,
    clamped_weight: lambda: X.clone(),
    nothing_but_a_write: lambda: X.clone(),
}
CASES = {case.__name__: (case, inputs) for case, inputs in CASES.items()}


class Tester(ModelTester):
    def __init__(self, case, mode="eval", **options):
        self.case, self.given = CASES[case]
        super().__init__(case, mode, **options)

    def _load_model(self):
        return Model(self.case)

    def _load_inputs(self):
        return self.given()


def as_loaded(tester):
    state = Model(tester.case).eval().state_dict()
    model = tester.framework_model
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert (model.seen, model.cache, model.table, model.training) == (0, [], None, False)
    flat, loaded = (torch.utils._pytree.tree_leaves(i) for i in (tester.inputs, tester.given()))
    assert len(flat) == len(loaded) and all(map(torch.equal, flat, loaded))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("flow", ["full"])
@pytest.mark.parametrize("mode", ["eval"])
def test_writes(case, flow, mode):
    tester = Tester(case)
    first = tester.test_model()
    tester.finalize()
    as_loaded(tester)
    again = Tester(case).test_model()
    assert first is again is None or torch.equal(first, again)


@pytest.mark.parametrize("case", ["kv_at_position", "norm_in_train_mode", "nested"])
@pytest.mark.parametrize("flow", ["op_by_op_torch", "op_by_op_stablehlo"])
@pytest.mark.parametrize("mode", ["eval"])
def test_writes_op_by_op(case, flow, mode):
    config = CompilerConfig()
    config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    config.op_by_op_backend = OpByOpBackend[flow.rpartition("_")[2].upper()]
    tester = Tester(case, compiler_config=config)
    results = tester.test_model()
    tester.finalize()
    as_loaded(tester)
    assert isinstance(results, torch.Tensor)


class Dropping(Tester):
    """Stands for a compiler that drops the write: another model is compiled."""

    def __init__(self, case, kept):
        self.kept = kept
        super().__init__(case)

    def _lower(self):
        with torch.no_grad():
            other = Model(self.kept).eval()
            return lower_torch(other, self._call(), self.compiler_config, self.recorder)


def read_only(self, x, y):
    return self.linear(x) + y


def written(self, x, y):
    x.add_(1)
    return x + y


@pytest.mark.parametrize("forward", [read_only, written], ids=lambda forward: forward.__name__)
@pytest.mark.parametrize("flow", ["full"])
def test_views_of_one_memory(forward, flow):
    class Views(ModelTester):
        def _load_model(self):
            return Model(forward)

        def _load_inputs(self):
            x = X.clone()
            return {"x": x, "y": x[1]}

    tester = Views("views")
    tester.test_model()
    tester.finalize()


def relu_on_copy(self, x):
    return self.linear(x.relu())


def kv_elsewhere(self, x):
    self.kv[3:6] = x
    return torch.cat([self.kv[1:], self.kv[:1]]).sum(1)


def kv_not_written(self, x):
    return torch.cat([x, self.kv[:5]])


@pytest.mark.parametrize(
    ("case", "kept"),
    [
        ("relu_on_input", relu_on_copy),
        ("kv_at_position", kv_elsewhere),
        ("kv_in_one_piece", kv_not_written),
    ],
    ids=["relu", "kv_elsewhere", "kv_not_written"],
)
@pytest.mark.parametrize("flow", ["full"])
def test_dropped(case, kept, flow):
    tester = Dropping(case, kept)
    tester.test_model()
    tester.finalize()


class Keeping(nn.Module):
    """Leaves what it computes where the next call finds it; `off` stands for a compiler's fault."""

    def __init__(self, keep, off):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 4)
        self.keep, self.off = keep, off
        self.last, self.seen = torch.zeros(3, 4), []

    def forward(self, x, held):
        factor = self.off if torch.compiler.is_compiling() else 1
        self.keep(self, self.linear(x) * factor, held, factor)
        return self.linear(x)


def last(self, y, held, factor):
    self.last = y


def added_to_last(self, y, held, factor):
    self.last.add_(y.detach())


def seen(self, y, held, factor):
    self.seen.append(y)


def into_a_list(self, y, held, factor):
    held["list"].append(y)


def into_a_cache(self, y, held, factor):
    held["cache"].update(y.view(1, 1, 3, 4), y.view(1, 1, 3, 4), 0)


def not_into_a_cache(self, y, held, factor):
    if factor == 1:
        into_a_cache(self, y, held, factor)


KEEPING = [last, added_to_last, seen, into_a_list, into_a_cache, not_into_a_cache]


def keeping(keep, off, mode):
    class Tester(ModelTester):
        def _load_model(self):
            return Keeping(keep, off)

        def _load_inputs(self):
            cache = DynamicCache()
            cache.update(torch.ones(1, 1, 2, 4), torch.ones(1, 1, 2, 4), 0)
            return {"x": X.clone(), "held": {"list": [X.clone()], "cache": cache}}

    tester = Tester("keeping", mode)
    tester.test_model()
    held = tester.inputs["held"]
    assert len(held["list"]) == 1 and held["cache"].layers[0].keys.shape == (1, 1, 2, 4)
    model = tester.framework_model
    assert not model.seen and not model.last.any() and type(model.last) is torch.Tensor
    tester.finalize()


@pytest.mark.parametrize("keep", KEEPING, ids=lambda keep: keep.__name__)
@pytest.mark.parametrize("flow", ["full"])
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_keeps(keep, flow, mode):
    keeping(keep, 1, mode)


@pytest.mark.parametrize("keep", KEEPING, ids=lambda keep: keep.__name__)
@pytest.mark.parametrize("flow", ["full"])
def test_keeps_something_else(keep, flow):
    keeping(keep, 1.05, "eval")


@pytest.mark.parametrize("flow", ["full"])
def test_keeps_a_number(flow):
    def numbers(self, y, held, factor):
        self.seen.append(y.sum().item())

    keeping(numbers, 1, "eval")


def spectral():
    return nn.utils.spectral_norm(nn.Linear(4, 4))


def parametrised_spectral():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))


def frozen_norm():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    model[0].weight.requires_grad_(False)
    model[1].bias.requires_grad_(False)
    return model


def writing():
    return Model(view_of_input)


def counting():
    return Model(counted_in_a_buffer)


@pytest.mark.parametrize(
    "builder",
    [spectral, parametrised_spectral, frozen_norm, writing, counting],
    ids=lambda builder: builder.__name__,
)
@pytest.mark.parametrize("flow", ["full"])
@pytest.mark.parametrize("mode", ["train"])
def test_trains(builder, flow, mode):
    class Training(ModelTester):
        def _load_model(self):
            return builder()

        def _load_inputs(self):
            return X.clone()

    tester = Training("training", mode)
    model = tester.framework_model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    tester.test_model()
    tester.finalize()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert {n for n, p in model.named_parameters() if not p.requires_grad} == frozen
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(tester.inputs, X)
