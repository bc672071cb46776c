# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
# One use of each name that no other file here uses.
from typing import ClassVar

import numpy as np
import pytest
import torch
import tt_mlir
from tt_torch.dynamo.backend import BackendOptions, backend
from tt_torch.tools.device_manager import DeviceManager
from tt_torch.tools.utils import (
    CompilerConfig,
    OpCompilationStatus,
    calculate_atol,
    calculate_pcc,
    onnx_output_to_torch,
    with_torch_dynamo_cleanup,
)

from tests.utils import ModelTester


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class ThisTester(ModelTester):
    def _load_model(self):
        return Net()

    def _load_inputs(self):
        return torch.randn(2, 4)


class Bounded(ThisTester):
    def get_framework_model(self):
        return torch.nn.Sequential(super().get_framework_model(), torch.nn.Sigmoid())


class SteeredBounded(Bounded):
    def run_model(self, model, inputs):
        return model(inputs)


class BoundedByHand(SteeredBounded):
    run_model = ModelTester.run_model


class Compiles(ThisTester):
    compiled: ClassVar = []

    def compile_model(self, model, compiler_config, *rest, **more):
        self.compiled.append(model)
        return super().compile_model(model, compiler_config)


class Function(ThisTester):
    def _load_model(self):
        self.weights = torch.randn(4, 4)
        return lambda x: torch.relu(x @ self.weights)


class Forgetful(ThisTester):
    def set_inputs_train(self, inputs):
        inputs.requires_grad_(True)


class OwnInit(ThisTester):
    def __init__(self, *args, num_loops, **options):
        self.num_loops = num_loops
        super().__init__(*args, **options)

    def _load_inputs(self):
        return torch.randn(self.num_loops, 4)


def results_of(tester):
    results = tester.test_model()
    tester.finalize()
    return results


@pytest.mark.parametrize("tester", [Bounded, SteeredBounded])
def test_own_framework_model(record_property, tester):
    results = results_of(tester("bounded", "eval", record_property_handle=record_property))
    assert results.min() > 0 and results.max() < 1


def test_own_framework_model_by_hand(record_property):
    tester = BoundedByHand("bounded", "eval", record_property_handle=record_property)
    model = tester.get_framework_model()
    assert isinstance(tester.framework_model, Net) and isinstance(model[0], Net)
    with torch.no_grad():
        tester.compile_model(model, tester.compiler_config)(tester.inputs)
    tester.finalize()


def test_own_compile_model(record_property):
    tester = Compiles("compiles", "eval", record_property_handle=record_property)
    results_of(tester)
    assert tester.framework_model in Compiles.compiled


def test_function_for_model(record_property):
    tester = Function("function", "eval", record_property_handle=record_property)
    assert results_of(tester).min() >= 0


def test_own_init(record_property):
    tester = OwnInit("own", "eval", num_loops=5, record_property_handle=record_property)
    assert len(results_of(tester)) == 5


def on_second(tester, record_property):
    parent, (_, second) = DeviceManager.acquire_available_devices(2)
    results_of(tester("second", "eval", devices=[second], record_property_handle=record_property))
    DeviceManager.release_parent_device(parent, cleanup_sub_devices=True)


def test_one_device(record_property):
    on_second(ThisTester, record_property)


def test_one_device_steered(record_property):
    on_second(Compiles, record_property)


def test_no_device(record_property):
    results_of(ThisTester("no device", "eval", devices=["tt:0"]))


def test_forgetful():
    Forgetful("forgetful", "train").test_model()


def test_mesh_alone(record_property):
    cc = CompilerConfig()
    cc.mesh_shape = [1, 2]
    results_of(ThisTester("alone", "eval", compiler_config=cc))


@pytest.mark.parametrize("name", ["dump_debug", "dump_info", "push_outputs_to_cpu"])
def test_setting(record_property, name, capfd):
    cc = CompilerConfig()
    setattr(cc, name, True)
    results_of(ThisTester("set", "eval", compiler_config=cc))
    said = "".join(capfd.readouterr())
    assert ("stablehlo.dot" in said) is (name != "push_outputs_to_cpu")
    assert ("IR Dump" in said) is (name == "dump_debug")


def test_unsettable():
    CompilerConfig().push_outputs_to_cpu = False


def compiled(model, config=None):
    options = BackendOptions(compiler_config=config or CompilerConfig())
    return torch.compile(model, backend=backend, dynamic=False, options=options)


def test_many_shapes():
    model = Net().eval()
    run = compiled(model)
    with torch.no_grad():
        for rows in range(1, 11):
            x = torch.randn(rows, 4)
            assert calculate_pcc(run(x), model(x)) > 0.99 > calculate_atol(run(x), model(x))


@pytest.mark.parametrize("number", range(10))
def test_many_bodies(number):
    with torch.no_grad():
        compiled(Net().eval())(torch.randn(2, 4))


def test_trained_by_hand():
    compiled(Net())(torch.randn(2, 4)).mean().backward()


def test_trained_by_hand_in_parts():
    cc = CompilerConfig()
    cc.device_map = {"a": 0, "b": 1}
    compiled(Net(), cc)(torch.randn(2, 4)).mean().backward()


def test_map_of_another():
    cc = CompilerConfig()
    cc.device_map = {"a": 0, "decoder": 1}
    with torch.no_grad():
        compiled(Net().eval(), cc)(torch.randn(2, 4))


def test_map_of_tester():
    cc = CompilerConfig()
    cc.device_map = {"": 0}
    ThisTester("mapped", "train", compiler_config=cc).test_model()


@with_torch_dynamo_cleanup
def test_functions():
    assert OpCompilationStatus.EXECUTED == 7 and OpCompilationStatus.CONVERTED_TO_TTNN == 6
    assert onnx_output_to_torch([np.zeros((2, 3))])[0].shape == (2, 3)
    assert tt_mlir.get_arch() in tt_mlir.Arch and tt_mlir.is_runtime_debug_enabled()
    assert tt_mlir.get_num_available_devices() == DeviceManager.get_num_available_devices()


def test_spmd(use_xla_spmd_environment):
    pass
