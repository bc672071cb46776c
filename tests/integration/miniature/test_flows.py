# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

# One model in all flows, in the orders that `-k` leaves; what each loads is told apart by its ops.

import os
from pathlib import Path

import pytest
import torch

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

FLOWS = {
    "full": None,
    "op_by_op_torch": OpByOpBackend.TORCH,
    "op_by_op_stablehlo": OpByOpBackend.STABLEHLO,
}


class Plain(ModelTester):
    def _load_model(self):
        return torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU())

    def _load_inputs(self):
        return torch.randn(3, 4)


class ByFlow(Plain):
    """Another model op by op, as who asks may have it."""

    def _load_model(self):
        op_by_op = self.compiler_config.compile_depth.op_by_op
        return torch.nn.Tanh() if op_by_op else torch.nn.Sigmoid()


class ByBackend(Plain):
    def set_inputs_train(self, inputs):
        splits = self.compiler_config.op_by_op_backend is OpByOpBackend.STABLEHLO
        return inputs[:2] if splits else inputs


WHICH = ""


def _chosen(which):
    return torch.nn.Sigmoid() if which == "full" else torch.nn.Tanh()


def _named():
    return _chosen(WHICH)


class ByVariable(Plain):
    def _load_model(self):
        return _named()


class ByEnvironment(Plain):
    def _load_model(self):
        return _chosen(os.environ["CHOSEN"])


class ForFull(CompilerConfig):
    chosen = "full"


class ForOps(CompilerConfig):
    chosen = "ops"


class ByConfig(Plain):
    def _load_model(self):
        return _chosen(self.compiler_config.chosen)


class Asking(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, x):
        return torch.tanh(x) if self.config.compile_depth.op_by_op else torch.sigmoid(x)


class ByForward(Plain):
    def _load_model(self):
        return Asking(self.compiler_config)


@torch.compiler.assume_constant_result
def _traced(name):
    with Path(os.environ["PYTEST_TRACES"]).open("a") as traces:
        print(name, file=traces)
    return 1.0


class Speaker(torch.nn.Module):
    """Says two words of its own, each by a graph: the second is one longer."""

    def __init__(self, name, config=None):
        super().__init__()
        self.words, self.name, self.config = torch.nn.Linear(4, 4), name, config

    def forward(self, x):
        if torch.compiler.is_compiling():
            x = x * _traced(self.name)
        asked = self.config is not None and self.config.compile_depth.op_by_op
        return torch.tanh(self.words(x)) if asked else torch.sigmoid(self.words(x))

    def generate(self, x):
        for _ in range(2):
            x = torch.cat([x, self(x)[-1:]])
        return x


class Speaking(Plain):
    def _load_model(self):
        return Speaker(type(self).__name__)


class Seeded(Speaking):
    def _load_model(self):
        torch.manual_seed(0)
        return super()._load_model()

    def _load_inputs(self):
        return torch.linspace(-1, 1, 12).reshape(3, 4)


class SpeakingByFlow(Plain):
    def _load_model(self):
        return Speaker(type(self).__name__, self.compiler_config)


class SpeakingOtherwise(Speaking):
    def compile_model(self, model, *given, **named):
        return super().compile_model(model, *given, **named)


class Forgetful(Speaking):
    """Says another word each time, which is put back between its flows."""

    def _load_model(self):
        model = super()._load_model()
        model.said = []
        model.register_forward_hook(lambda module, args, out: module.said.append(1) or out)
        return model


def _run(tester, mode, flow, record_property, config=None):
    config = config or CompilerConfig()
    if FLOWS[flow]:
        config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        config.op_by_op_backend = FLOWS[flow]
    given = {"run_generate": True} if issubclass(tester, Speaking | SpeakingByFlow) else {}
    made = tester(
        "x", mode, compiler_config=config, record_property_handle=record_property, **given
    )
    made.test_model()
    made.finalize()


def _in(*flows):
    return pytest.mark.parametrize("flow", flows)


@_in("full", "op_by_op_stablehlo", "op_by_op_torch")
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_down(record_property, flow, mode):
    _run(Plain, mode, flow, record_property)


@_in("op_by_op_torch", "op_by_op_stablehlo", "full")
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_up(record_property, flow, mode):
    _run(Plain, mode, flow, record_property)


@_in("full", "op_by_op_torch", "op_by_op_stablehlo")
def test_by_flow(record_property, flow):
    _run(ByFlow, "eval", flow, record_property)


@_in("op_by_op_torch", "op_by_op_stablehlo")
@pytest.mark.parametrize("mode", ["train"])
def test_by_backend(record_property, flow, mode):
    _run(ByBackend, mode, flow, record_property)


@_in("full", "op_by_op_torch")
@pytest.mark.parametrize("tester", [ByVariable, ByEnvironment, ByConfig, ByForward])
def test_by_body(record_property, monkeypatch, flow, tester):
    monkeypatch.setitem(globals(), "WHICH", flow)
    monkeypatch.setenv("CHOSEN", flow)
    config = ForFull() if flow == "full" else ForOps()
    _run(tester, "eval", flow, record_property, config if tester is ByConfig else None)


@_in("op_by_op_torch", "op_by_op_stablehlo", "full")
@pytest.mark.parametrize("steered", [True, False])
def test_written_to(flow, steered):
    """By its body, where no version of a tensor counts it."""
    torch.manual_seed(0)
    config = CompilerConfig()
    if FLOWS[flow]:
        config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        config.op_by_op_backend = FLOWS[flow]
    tester = Seeded("x", "eval", compiler_config=config, run_generate=steered)
    outputs, x = tester.test_model(), torch.linspace(-1, 1, 12).reshape(3, 4)
    model = tester._load_model()
    assert torch.allclose(outputs, model.generate(x) if steered else model(x), atol=1e-4)
    tester.framework_model.words.weight.data.mul_(5)
    tester.framework_model.words.bias.detach().numpy()[:] = 7
    tester.finalize()


@_in("op_by_op_stablehlo", "op_by_op_torch", "full")
@pytest.mark.parametrize("tester", [Speaking, SpeakingByFlow, SpeakingOtherwise, Forgetful])
def test_speaking(record_property, flow, tester):
    _run(tester, "eval", flow, record_property)
