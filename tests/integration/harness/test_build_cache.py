# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that was lowered and compiled before is not again, unless anything of it has changed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.executor import Executor
from bringup.harness.frontend.lowering import lower_torch, lower_training
from bringup.harness.frontend.training import default_loss
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Stage, StageResult
from bringup.harness.records.values import CACHED_FROM, RECHECKED

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
    assert other.said() == frozenset(LOWERING)
    with torch.no_grad():
        torch.testing.assert_close(other.outputs, Net(2.0, 1).eval()(X))
    assert {Stage.EXPORT, Stage.COMPILE, Stage.EXECUTE} <= {each.stage for each in other.stages}


def test_a_training_step_gives_every_gradient_again(run: Callable[..., Built]) -> None:
    first, second = run("cpu", train=True), run("cpu", train=True)
    assert second.said() == frozenset(LOWERING)
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


def test_entries_that_are_damaged_are_made_again(run: Callable[..., Built], cache: Path) -> None:
    run()
    entries = [path for path in cache.rglob("*.builds/*/*") if path.is_file()]
    assert len(entries) == 2
    for path in entries:
        path.write_bytes(path.read_bytes()[:-1])
    assert run().said() == frozenset()
    assert run().said() == ALL
