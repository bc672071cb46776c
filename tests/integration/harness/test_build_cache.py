# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that was lowered and compiled before is not again, unless anything of it has changed."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import onnx
import pytest
import torch

from bringup.harness.builds.compiled import CompiledBefore
from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.devices import device_history
from bringup.harness.executor import Executor
from bringup.harness.frontend.lowering import lower_torch, lower_training
from bringup.harness.frontend.onnx_lowering import lower_onnx
from bringup.harness.frontend.training import default_loss
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Stage, StageResult
from bringup.harness.records.values import CACHED_FROM, RECHECKED
from bringup.harness.storage.file_cache import FileCache

LOWERING = (Stage.DECOMPOSE, Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO)
ALL = frozenset({*LOWERING, Stage.COMPILE})


class Net(torch.nn.Module):
    def __init__(self, factor: float, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.linear, self.norm = torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)
        self.register_buffer("shift", torch.randn(4))
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.linear(x)).tanh() * self.factor + self.shift


X = torch.linspace(-1.0, 1.0, 12).reshape(3, 4)


class Built(NamedTuple):
    """A model that was lowered, compiled and, where the device executes, run."""

    stages: tuple[StageResult, ...]
    outputs: Any

    def said(self, attribute: str = CACHED_FROM) -> frozenset[Stage]:
        return frozenset(each.stage for each in self.stages if attribute in each.attributes)

    @property
    def levels(self) -> dict[str, str]:
        return {a.level: a.sha256 for each in self.stages for a in each.artifacts}


@pytest.fixture(scope="module")
def devices() -> Iterator[dict[str, Device]]:
    made = {name: Device(name) for name in ("cpu", "n150")}
    yield made
    for device in made.values():
        device.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(devices: dict[str, Device], recorder: TestRecorder) -> Callable[..., Built]:
    def build(
        device: str = "n150",
        factor: float = 2.0,
        seed: int = 0,
        train: bool = False,
        config: CompilerConfig | None = None,
    ) -> Built:
        model, call, begun = Net(factor, seed).train(train), ((X,), {}), len(recorder.results)
        config = config or CompilerConfig()
        if train:
            program = lower_training(model, call, default_loss, config, recorder)
        else:
            with torch.no_grad():
                program = lower_torch(model, call, config, recorder)
        executor = Executor(program, config, devices[device], recorder)
        executor.compile()
        outputs = executor(X) if device == "cpu" else None
        executor.release()
        return Built(tuple(result for result, _ in recorder.results[begun:]), outputs)

    return build


def test_the_second_time_nothing_is_done_again(run: Callable[..., Built]) -> None:
    first, second = run(), run()
    assert first.said() == frozenset()
    assert second.said() == ALL
    assert second.levels == first.levels


def test_what_has_changed_is_done_again(
    run: Callable[..., Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    assert run(factor=2.5).said() == frozenset()
    monkeypatch.setenv("TT_SOMETHING", "1")
    assert run().said() == frozenset(LOWERING)


def test_other_weights_run_in_what_was_lowered_for_these(run: Callable[..., Built]) -> None:
    run("cpu", seed=0)
    other = run("cpu", seed=1)
    assert other.said() == ALL
    with torch.no_grad():
        torch.testing.assert_close(other.outputs, Net(2.0, 1).eval()(X))
    assert {Stage.EXPORT, Stage.COMPILE, Stage.EXECUTE} <= {each.stage for each in other.stages}


def test_a_training_step_gives_every_gradient_again(run: Callable[..., Built]) -> None:
    first, second = run("cpu", train=True), run("cpu", train=True)
    assert second.said() == ALL
    assert second.outputs.keys() == first.outputs.keys() > {"loss"}
    torch.testing.assert_close(second.outputs, first.outputs)


def test_the_graph_of_a_kept_lowering_can_be_had(recorder: TestRecorder) -> None:
    with torch.no_grad():
        first, second = (
            lower_torch(Net(2.0, 0).eval(), ((X,), {}), CompilerConfig(), recorder) for _ in "ab"
        )
    assert CACHED_FROM in recorder.results[-1][0].attributes
    assert second.artifact == first.artifact
    assert str(second.graph) == str(first.graph)
    assert first.signature is not None and second.signature is not None
    assert second.signature.results == first.signature.results


def test_weights_in_the_program_are_in_no_key_and_so_it_is_not_kept(
    run: Callable[..., Built],
) -> None:
    config = CompilerConfig()
    config.inline_parameters = True
    for seed in (0, 1):
        built = run("cpu", seed=seed, config=config)
        assert built.said() == frozenset()
        with torch.no_grad():
            torch.testing.assert_close(built.outputs, Net(2.0, seed).eval()(X))


class Masked(torch.nn.Module):
    """Adds what is computed of a buffer alone."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.register_buffer("steps", torch.tensor([first, 1.0, 2.0, 3.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh() + self.steps.cos().cumsum(0).bfloat16().float()


def folding() -> CompilerConfig:
    config = CompilerConfig()
    config.enable_consteval = True
    return config


def test_constants_that_are_folded_are_in_the_key_and_what_they_came_to_in_the_entry(
    devices: dict[str, Device], recorder: TestRecorder
) -> None:
    def build(first: float) -> tuple[bool, torch.Tensor, int]:
        begun, model = len(recorder.results), Masked(first).eval()
        with torch.no_grad():
            program = lower_torch(model, ((X,), {}), folding(), recorder)
        executor = Executor(program, folding(), devices["cpu"], recorder)
        executor.compile()
        outputs = executor(X)
        executor.release()
        torch.testing.assert_close(outputs, model(X))
        stages = [result for result, _ in recorder.results[begun:]]
        assert program.signature is not None
        return (
            any(s.stage in LOWERING and CACHED_FROM in s.attributes for s in stages),
            outputs,
            len(program.signature.constants),
        )

    first, again, other = build(0.5), build(0.5), build(0.25)
    assert (first[0], again[0], other[0]) == (False, True, False)
    assert first[2] == again[2] > 0
    assert torch.equal(first[1], again[1])
    assert not torch.equal(again[1], other[1])


def onnx_model(axis: int, factor: float) -> onnx.ModelProto:
    number = onnx.TensorProto.FLOAT
    return onnx.helper.make_model(
        onnx.helper.make_graph(
            [
                onnx.helper.make_node("MatMul", ["x", "w"], ["y"]),
                onnx.helper.make_node("Softmax", ["y"], ["z"], axis=axis),
            ],
            "net",
            [onnx.helper.make_tensor_value_info("x", number, (3, 4))],
            [onnx.helper.make_tensor_value_info("z", number, (3, 512))],
            [onnx.numpy_helper.from_array(factor * np.eye(4, 512, dtype=np.float32), "w")],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
    )


def test_an_onnx_model_is_lowered_once_whatever_its_weights_are(recorder: TestRecorder) -> None:
    def lower(axis: int, factor: float) -> tuple[Any, bool]:
        begun = len(recorder.results)
        program = lower_onnx(onnx_model(axis, factor), {"x": X}, CompilerConfig(), recorder)
        return program, any(CACHED_FROM in r.attributes for r, _ in recorder.results[begun:])

    (first, _), (again, hit), (_, other) = lower(1, 1.0), lower(1, 2.0), lower(0, 1.0)
    assert hit
    assert not other
    assert again.artifact == first.artifact
    (weight,) = again.signature.constants
    assert float(weight.value.max()) == 2.0


SCALE = 2.0


def closing_over(constant: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: x * constant


def scaled(x: torch.Tensor) -> torch.Tensor:
    return x * SCALE


def by_environment(x: torch.Tensor) -> torch.Tensor:
    return x.tanh() if os.environ.get("A_MODELS_OWN") else x.sin()


def in_default_dtype(x: torch.Tensor) -> torch.Tensor:
    return x + torch.ones(4)


@pytest.mark.parametrize(
    "change",
    [
        lambda monkeypatch: closing_over(2.5),
        lambda monkeypatch: monkeypatch.setitem(globals(), "SCALE", 2.5) or scaled,
        lambda monkeypatch: monkeypatch.setenv("A_MODELS_OWN", "1") or by_environment,
        lambda monkeypatch: in_default_dtype,
    ],
    ids=["closure", "helper", "environment", "dtype"],
)
def test_what_changes_a_model_from_afar_is_no_hit(
    change: Callable[..., Any], recorder: TestRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    befores = {"<lambda>": closing_over(2.0)}

    def lower(act: Callable[[torch.Tensor], torch.Tensor]) -> bool:
        model, begun = Net(2.0, 0).eval(), len(recorder.results)
        model.norm = Called(act)
        with torch.no_grad():
            lower_torch(model, ((X,), {}), folding(), recorder)
        return any(CACHED_FROM in r.attributes for r, _ in recorder.results[begun:])

    with monkeypatch.context() as undone:
        after = change(undone)
        wide = torch.get_default_dtype() if after is not in_default_dtype else torch.float64
    before = befores.get(after.__name__, after)
    assert not lower(before)
    assert lower(before)
    change(monkeypatch)
    narrow = torch.get_default_dtype()
    torch.set_default_dtype(wide)
    try:
        assert not lower(after)
    finally:
        torch.set_default_dtype(narrow)


class Called(torch.nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def test_a_device_is_not_opened_for_what_was_compiled_before(
    run: Callable[..., Built], recorder: TestRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    with torch.no_grad():
        program = lower_torch(Net(2.0, 0).eval(), ((X,), {}), CompilerConfig(), recorder)
    unopened = Device("n150")
    executor = Executor(program, CompilerConfig(), unopened, recorder)
    assert executor.finds_compiled()
    executor.compile()
    assert not executor.executes()
    assert unopened.memory() == 0  # it has no host
    assert "Wormhole" in recorder.results[-1][0].attributes["device"]
    monkeypatch.setenv("TT_SOMETHING", "1")
    assert not executor.finds_compiled()
    monkeypatch.delenv("TT_SOMETHING")
    monkeypatch.setattr(device_history, "executed_before", lambda name: "2026-11-01")
    assert not executor.finds_compiled()


def test_a_run_may_take_nothing_or_look_again(
    run: Callable[..., Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("BRINGUP_NO_CACHE", "1")
    assert run().said() == frozenset()
    monkeypatch.setenv("BRINGUP_NO_CACHE", "0")
    monkeypatch.setenv("BRINGUP_RECHECK", "100%")
    again = run()
    assert again.said() == frozenset()
    assert again.said(RECHECKED) == {Stage.DECOMPOSE, Stage.COMPILE}


@pytest.mark.parametrize("binary", [b"nonsense", b""], ids=["another's", "none"])
def test_a_program_that_does_not_load_is_compiled(
    run: Callable[..., Built], cache: Path, binary: bytes
) -> None:
    first = run("cpu")
    files = FileCache(next(cache.parent.rglob("*.builds")))
    for path in list(files.folder.glob("??/*")):
        with contextlib.suppress(msgspec.ValidationError):
            before = msgspec.msgpack.decode(files.get(path.name) or b"", type=CompiledBefore)
            spoilt = msgspec.structs.replace(before, binary=binary)
            assert before.binary and files.put(path.name, msgspec.msgpack.encode(spoilt))
    again = run("cpu")
    assert again.said() == frozenset(LOWERING)
    torch.testing.assert_close(again.outputs, first.outputs)
    assert run("cpu").said() == ALL


def test_entries_that_are_damaged_are_made_again(run: Callable[..., Built], cache: Path) -> None:
    run()
    entries = [path for path in cache.rglob("*.builds/*/*") if path.is_file()]
    assert len(entries) == 3  # the lowering, the compilation, and what the device said when opened
    for path in entries:
        path.write_bytes(path.read_bytes()[:-1])
    assert run().said() == frozenset()
    assert run().said() == ALL
