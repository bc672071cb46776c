# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Several testers in one test, one in a fixture, and one that is never run."""

import pytest
import torch
from onnx import TensorProto, helper

from bringup import CompileDepth, CompilerConfig, ModelTester, OnnxModelTester


class Twice(torch.nn.Module):
    def forward(self, x):
        return x * 2


class Shifty(torch.nn.Module):
    """Computes something else when exported: a device that is wrong, seen from outside."""

    def forward(self, x):
        return x.flip(0) if torch.compiler.is_compiling() else x * 1.0


class Times(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


def made_of(module, name="case", **options):
    class Case(ModelTester):
        def _load_model(self):
            return module()

        def _load_inputs(self):
            return torch.randn(4, 8)

    return Case(name, **options)


@pytest.mark.parametrize("order", ["ab", "ba", "a", "b", ""], ids=lambda order: order or "never")
@pytest.mark.parametrize("which", ["wrong_right", "right_wrong", "wrong_wrong", "right_right"])
def test_two(which, order):
    kinds = {"wrong": Shifty, "right": Twice}
    first, second = (kinds[word] for word in which.split("_"))
    made = {"a": made_of(first, "first"), "b": made_of(second, "second")}
    for one in made.values():
        one.test_model()
    for name in order:
        made[name].finalize()


def test_raising_is_expected():
    wrong, right = made_of(Shifty, "first"), made_of(Twice, "second")
    wrong.test_model()
    with pytest.raises(Exception, match="pcc"):
        wrong.finalize()
    right.test_model()
    right.finalize()


def test_stops_early_in_one():
    config = CompilerConfig()
    config.compile_depth = CompileDepth.STABLEHLO
    for name, options in (("first", {}), ("second", {"compiler_config": config})):
        one = made_of(Twice, name, **options)
        one.test_model()
        one.finalize()


class Phase(ModelTester):
    """Takes what it loads as an argument that it does not keep."""

    factor = 1.0

    def __init__(self, phase, *arguments, **options):
        Phase.factor = {"prefill": 2.0, "decode": 3.0}[phase]
        super().__init__("llama", *arguments, **options)

    def _load_model(self):
        return Times(Phase.factor)

    def _load_inputs(self):
        return torch.ones(2, 3)


@pytest.mark.parametrize("flow", ["full"])
@pytest.mark.parametrize("mode", ["eval"])
def test_phases(flow, mode):
    for phase, factor in (("prefill", 2.0), ("decode", 3.0)):
        one = Phase(phase)
        assert one.test_model()[0, 0] == factor
        one.finalize()


class Drawn(ModelTester):
    """Loads what the device's name says, which the other devices shall not get."""

    def _load_model(self):
        return Times({"cpu": 2.0, "interpreter": 3.0}.get(self.device_name, 4.0))

    def _load_inputs(self):
        return torch.ones(2, 3)


def test_by_device(request):
    one = Drawn("by device")
    assert one.test_model()[0, 0] == {"cpu": 2.0}.get(one.device_name, 4.0)
    one.finalize()


class Plain(ModelTester):
    def _load_model(self):
        return Times(2.0)

    def _load_inputs(self):
        return torch.ones(2, 3)


def test_changed_by_its_body(flow="full"):
    one = Plain("changed")
    assert one.test_model()[0, 0] == 2.0
    one.framework_model.factor = 5.0
    one.finalize()


def test_changed_before():
    one = Plain("changed before")
    one.framework_model.factor = 5.0
    one.inputs = torch.full((2, 3), 3.0)
    assert one.test_model()[0, 0] == 15.0
    one.finalize()


def test_set_before_anything_is_loaded():
    one = Plain("set before")
    one.inputs = torch.full((2, 3), 3.0)
    assert one.test_model()[0, 0] == 6.0
    one.finalize()


class Sum(OnnxModelTester):
    def _load_model(self):
        x, y, z = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xyz")
        graph = helper.make_graph([helper.make_node("Add", ["x", "y"], ["z"])], "sum", [x, y], [z])
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)

    def _load_inputs(self):
        return torch.ones(2), torch.ones(2)


def test_set_between_runs_of_onnx():
    one = Sum("sum")
    for value in (1.0, 2.0):
        assert one.test_model()[0][0] == 1.0 + value
        one.finalize()
        one.inputs = (torch.ones(2), torch.full((2,), 2.0))


@pytest.mark.parametrize("order", ["wrong_right", "right_wrong", "right_right"])
@pytest.mark.parametrize("finalized", [True, False], ids=["finalized", "not"])
def test_run_again(order, finalized):
    inputs = {"wrong": torch.arange(32.0).view(4, 8), "right": torch.ones(4, 8)}
    one = made_of(Shifty, "again")
    for word in order.split("_"):
        one.inputs = inputs[word]
        one.test_model()
    if finalized:
        one.finalize()


def test_run_again_after_it_was_raised():
    one = made_of(Shifty, "again")
    one.test_model()
    with pytest.raises(Exception, match="pcc"):
        one.finalize()
    one.inputs = torch.ones(4, 8)
    one.test_model()
    one.finalize()


@pytest.fixture(scope="module")
def of_several_tests():
    return made_of(Shifty, "shared")


@pytest.mark.parametrize("word", ["wrong", "right", "wrong_too"])
def test_shares_a_tester(of_several_tests, word):
    values = torch.ones(4, 8) if word == "right" else torch.arange(32.0).view(4, 8)
    of_several_tests.inputs = values
    of_several_tests.test_model()
    if word == "right":
        of_several_tests.finalize()


@pytest.fixture
def made():
    one = made_of(Shifty, "in a fixture")
    one.test_model()
    return one


def test_in_a_fixture(made):
    assert made.recorder.outcome is not None


def test_never_run():
    assert made_of(Twice).model_name == "case"


def test_one_never_run():
    one = made_of(Twice)
    made_of(Twice)
    one.test_model()
    one.finalize()


def test_without_a_tester():
    assert Twice()(torch.ones(1)) == 2


def test_trains_by_its_body():
    tester = made_of(Trains, mode="train")
    tester.test_model()
    tester.finalize()


@pytest.mark.parametrize("said", ["full-eval"])
def test_says_another_mode(said):
    for mode in ("train", "eval"):
        tester = made_of(Trains, mode, mode=mode)
        tester.test_model()
        tester.finalize()


@pytest.mark.parametrize("where", ["elsewhere", "on_both", "wrong_elsewhere"])
def test_names_its_device(where):
    for device in ("interpreter", "cpu") if where == "on_both" else ("interpreter",):
        model = Shifty if where == "wrong_elsewhere" else Twice
        tester = made_of(model, device, device=device)
        tester.test_model()


class Trains(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 8)

    def forward(self, x):
        return self.linear(x).sum()
