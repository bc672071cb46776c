# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Executors and front ends, used directly: from a model or an ONNX graph to values on a device."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bringup import CompilerConfig, Executor, OnnxExecutor
from bringup.harness.device_host.client import Device
from bringup.harness.errors import HarnessError, UsageError
from bringup.harness.frontend import onnx_program, torch_program
from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.lowering import Program, lower_torch
from bringup.harness.frontend.onnx_lowering import lower_onnx
from bringup.harness.frontend.program import SignatureError
from bringup.harness.graph.fx_graph import FxGraph
from bringup.harness.graph.intermediates import windows
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Stage


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


class Net(torch.nn.Module):
    """Parameters, a buffer, a non-persistent buffer, a tied weight, an int and a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(8, 8)
        self.second = torch.nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.register_buffer("shift", torch.randn(8))
        self.register_buffer("positions", torch.arange(8), persistent=False)

    def forward(self, x: torch.Tensor, ids: torch.Tensor, scale: int = 1) -> dict[str, Any]:
        hidden = torch.relu(self.first(x)) + self.shift + self.positions
        return {
            "hidden": [hidden, (self.second(hidden) * scale, None)],
            "ids": ids + 1,
            "mask": ids > 2,
            "scale": scale,
        }


def lowered(
    model: torch.nn.Module, inputs: Any, recorder: TestRecorder, **settings: bool
) -> Program:
    config = CompilerConfig()
    for name, value in settings.items():
        setattr(config, name, value)
    with torch.no_grad():
        return lower_torch(model.eval(), call_of(inputs), config, recorder)


def executor_of(
    model: torch.nn.Module,
    inputs: Any,
    device: Device,
    recorder: TestRecorder,
    **settings: bool,
) -> Executor:
    program = lowered(model, inputs, recorder, **settings)
    executor = Executor(program, CompilerConfig(), device, recorder)
    executor.compile()
    return executor


INPUTS = {"x": torch.randn(2, 8), "ids": torch.tensor([1, 2, 3]), "scale": 3}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"enable_consteval": True},
        {"enable_consteval": True, "consteval_parameters": True},
        {"inline_parameters": True},
    ],
    ids=lambda s: "+".join(s) or "plain",
)
def test_the_result_has_the_models_own_structure(
    cpu: Device, recorder: TestRecorder, settings: dict[str, bool]
) -> None:
    model = Net()
    result = executor_of(model, INPUTS, cpu, recorder, **settings)(**INPUTS)
    golden = model(**INPUTS)
    assert result.keys() == golden.keys()
    assert result["scale"] == 3 and result["hidden"][1][1] is None
    torch.testing.assert_close(result["hidden"][0], golden["hidden"][0])
    torch.testing.assert_close(result["hidden"][1][0], golden["hidden"][1][0])
    assert torch.equal(result["ids"], golden["ids"]) and result["ids"].dtype == torch.int64
    assert torch.equal(result["mask"], golden["mask"]) and result["mask"].dtype == torch.bool


def test_keyword_order_does_not_matter(cpu: Device, recorder: TestRecorder) -> None:
    executor = executor_of(Net(), INPUTS, cpu, recorder)
    backwards = dict(reversed(INPUTS.items()))
    assert torch.equal(executor(**backwards)["ids"], executor(**INPUTS)["ids"])


def test_consteval_leaves_less_to_the_device(recorder: TestRecorder) -> None:
    nodes = {}
    for parameters in (False, True):
        program = lowered(Net(), INPUTS, recorder, consteval_parameters=parameters)
        assert program.graph is not None
        nodes[parameters] = torch_program.node_count(program.graph)
    assert nodes[True] < nodes[False]


def test_inputs_are_cast_within_their_kind_and_never_beyond(
    cpu: Device, recorder: TestRecorder
) -> None:
    executor = executor_of(Net(), INPUTS, cpu, recorder)
    narrow = INPUTS | {"x": INPUTS["x"].double(), "ids": INPUTS["ids"].to(torch.int32)}
    torch.testing.assert_close(executor(**narrow)["hidden"][0], executor(**INPUTS)["hidden"][0])
    with pytest.raises(SignatureError, match=r"input ids is torch.float32"):
        executor(**(INPUTS | {"ids": torch.ones(3)}))
    with pytest.raises(SignatureError, match=r"input x has shape \(3, 8\), the program takes"):
        executor(**(INPUTS | {"x": torch.ones(3, 8)}))


def test_without_a_binary_nothing_runs(cpu: Device, recorder: TestRecorder) -> None:
    program = lowered(Net(), INPUTS, recorder)
    executor = Executor(program, CompilerConfig(), cpu, recorder)
    with pytest.raises(UsageError, match=r"call compile\(\) or set_binary\(\) first"):
        executor(**INPUTS)
    other = Executor(program, CompilerConfig(), cpu, recorder)
    other.compile()
    assert other.binary is not None
    executor.set_binary(other.binary)
    assert executor(**INPUTS)["ids"].tolist() == [2, 3, 4]


class Pooled(torch.nn.Module):
    """A maximum pool with ceil_mode, which the front end lowers to something else."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        doubled = x * 2
        pooled = torch.nn.functional.max_pool2d(doubled, 3, 2, 1, ceil_mode=True)
        return pooled + 1


def test_intermediate_callbacks_see_every_node_and_the_first_wrong_one_is_named(
    cpu: Device, recorder: TestRecorder
) -> None:
    inputs = torch.randn(1, 4, 12, 12)
    executor = executor_of(Pooled(), inputs, cpu, recorder)
    seen: dict[str, tuple[torch.Size, bool]] = {}

    def look(name: str, actual: torch.Tensor, golden: torch.Tensor) -> None:
        seen[name] = (actual.shape, torch.allclose(actual, golden))

    executor.register_intermediate_callback(look)
    executor(inputs)
    report = executor.run_intermediates(call_of(inputs))
    assert report.nodes == len(seen) >= 3
    names = list(seen)
    assert seen[names[0]][1], "the multiplication is right"
    assert report.first_wrong is not None
    assert "max_pool2d" in report.first_wrong.target
    assert "pcc" in report.first_wrong.reason
    assert report.first_wrong.name in report.render()


def test_windows_bound_what_is_held_at_once(recorder: TestRecorder) -> None:
    class Deep(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(10):
                x = x.sin()
            return x

    program = lowered(Deep(), torch.empty(64 << 20), recorder)  # 256 MiB a value
    assert program.graph is not None
    graph = FxGraph(program.graph, [torch.empty(0)])
    assert [len(w) for w in windows(graph)] == [1] * 10


def onnx_model(**initialisers: np.ndarray[Any, Any]) -> onnx.ModelProto:
    """x @ w, scaled by a 0-d constant, reshaped by an integer initialiser, at an old opset."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Mul", ["product", "s"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "shape"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in initialisers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model


@pytest.fixture
def small_onnx() -> onnx.ModelProto:
    generator = np.random.default_rng(0)
    return onnx_model(
        w=generator.standard_normal((16, 32), dtype=np.float32),
        s=np.array(0.5, dtype=np.float32),
        shape=np.array([-1, 8], dtype=np.int64),
    )


def test_onnx_runs_on_the_device_as_on_onnxruntime(
    cpu: Device, recorder: TestRecorder, small_onnx: onnx.ModelProto
) -> None:
    inputs = {"x": torch.randn(3, 16)}
    program = lower_onnx(small_onnx, inputs, CompilerConfig(), recorder)
    executor = OnnxExecutor(program, CompilerConfig(), cpu, recorder)
    executor.compile()
    golden = OnnxExecutor.run_onnxruntime(small_onnx, inputs)
    (result,) = executor(**inputs)
    torch.testing.assert_close(result, golden["y"])
    assert golden["y"].shape == (12, 8)


def test_onnx_weights_are_arguments_and_shapes_are_not(
    recorder: TestRecorder, small_onnx: onnx.ModelProto
) -> None:
    program = lower_onnx(small_onnx, {"x": torch.randn(3, 16)}, CompilerConfig(), recorder)
    assert program.signature is not None
    assert [c.name for c in program.signature.constants] == ["w"]
    stages = [result.stage for result, _ in recorder.results]
    assert stages == [Stage.EXPORT, Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO]


def test_onnx_weights_written_as_constant_nodes_are_arguments_too(
    cpu: Device, recorder: TestRecorder, small_onnx: onnx.ModelProto
) -> None:
    inputs = {"x": torch.randn(3, 16)}
    golden = OnnxExecutor.run_onnxruntime(small_onnx, inputs)
    for weight in list(small_onnx.graph.initializer):
        node = helper.make_node("Constant", [], [weight.name], value=weight)
        small_onnx.graph.node.insert(0, node)
        small_onnx.graph.initializer.remove(weight)
    program = lower_onnx(small_onnx, inputs, CompilerConfig(), recorder)
    assert program.signature is not None
    assert [c.name for c in program.signature.constants] == ["w"]
    executor = OnnxExecutor(program, CompilerConfig(), cpu, recorder)
    executor.compile()
    torch.testing.assert_close(executor(**inputs)[0], golden["y"])


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"z": torch.ones(1, 16)}, "the model has no input 'z'; it has x"),
        ([torch.ones(1, 16)] * 2, "2 inputs given, the model takes x"),
    ],
)
def test_wrong_onnx_inputs_are_refused(
    small_onnx: onnx.ModelProto, inputs: Any, sentence: str
) -> None:
    with pytest.raises(HarnessError, match=sentence):
        onnx_program.named_inputs(small_onnx, inputs)


def test_a_wrong_onnx_rank_is_refused(small_onnx: onnx.ModelProto) -> None:
    with pytest.raises(HarnessError, match="input x has rank 1, the model takes 2"):
        onnx_program.prepare(small_onnx, {"x": torch.ones(16)})
