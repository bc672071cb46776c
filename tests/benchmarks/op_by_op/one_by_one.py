# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model's walk with one worker, to see what an op costs besides compiler and device.

`python -m tests.benchmarks.op_by_op.one_by_one MODEL DEVICE` prints a JSON array of `Cost`: the
ops one by one. With `walk` after that the walk goes as it always goes, preparing and judging ops
while the worker is busy, and the costs are what each op kept the worker from its successor.
"""

import dataclasses
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.device_host.running_op import BegunOp
from bringup.harness.device_host.shared import device
from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.lowering import lower_torch
from bringup.harness.op_by_op.executors import TorchExecutor
from bringup.harness.op_by_op.walk import Candidate
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.naming import identity_of
from bringup.harness.records.schema import Outcome
from bringup.harness.verify import Tolerances
from tests.benchmarks.op_by_op.costs import Cost
from tests.models.bert import test_bert
from tests.models.resnet import test_resnet

MODELS: dict[str, Any] = {"bert": test_bert, "resnet": test_resnet}
HEALTHY = (Outcome.PASSED, Outcome.REACHED)


@dataclass
class _Stopwatch:
    seconds: float = 0.0

    def around(self, candidate: Candidate) -> Candidate:
        """The candidate, its import timed."""

        def job() -> OpJob:
            started = time.perf_counter()
            try:
                return candidate.job()
            finally:
                self.seconds += time.perf_counter() - started

        return dataclasses.replace(candidate, job=job)


class _Opened:
    """A device that is asked once what it is; the walk's workers open their own."""

    def __init__(self, one: Device) -> None:
        self.name = one.name
        self._answer = one.open()
        one.close()

    def open(self) -> Any:
        return self._answer

    def executes(self) -> bool:
        return bool(self._answer.executes)

    def close(self) -> None:
        pass


class OneByOne(TorchExecutor):
    """Walks each op alone and keeps what it cost."""

    costs: list[Cost]

    def walk(self, candidates: Iterable[Candidate], total: int) -> Outcome:
        """One op after the other; what computes its golden is not timed."""
        self.costs = []
        outcome = super().walk([], total)  # begun before the first op's values are asked for
        for candidate in candidates:
            watch = _Stopwatch()
            timed = watch.around(candidate)
            started = time.perf_counter()
            outcome = super().walk([timed], 1)
            whole = time.perf_counter() - started
            verdict = self.results[-1].verdict
            stages = sum(stage.wall_s or 0.0 for stage in verdict.stages)
            healthy = verdict.outcome in HEALTHY
            self.costs.append(Cost(whole, watch.seconds, stages, healthy))
        return outcome


class AsItGoes(TorchExecutor):
    """The walk as it is, with its worker's ops timed."""

    costs: list[Cost]

    def walk(self, candidates: Iterable[Candidate], total: int) -> Outcome:
        """Walk, and note when the worker had each op's result and how long it had none to do."""
        spans: list[tuple[BegunOp, float, OpRun]] = []
        waits: list[tuple[float, float]] = []
        finish, take = BegunOp.finish, OpPool._take

        def timed_finish(begun: BegunOp, *given: Any) -> OpRun:
            run = finish(begun, *given)
            spans.append((begun, time.monotonic(), run))
            return run

        def timed_take(pool: OpPool) -> Any:
            started = time.monotonic()
            task = take(pool)
            waits.append((started, time.monotonic()))
            return task

        BegunOp.finish, OpPool._take = timed_finish, timed_take  # type: ignore[method-assign, assignment]
        outcome = super().walk(candidates, total)
        BegunOp.finish, OpPool._take = finish, take  # type: ignore[method-assign]
        self.costs = []
        for (begun, _, run), (following, _, _) in pairwise(spans):
            idle = sum(until - since for since, until in waits if begun.started < since)
            idle -= sum(until - since for since, until in waits if following.started < since)
            stages = sum(usage.wall_s for usage in run.usages.values())
            whole = following.started - begun.started - idle
            self.costs.append(Cost(whole, 0.0, stages, run.ended is Ended.DONE))
        return outcome


def walk_one_by_one(model: str, device_name: str, kind: Any) -> list[Cost]:
    """What each op of a model costs; the run directory and the cache are the environment's."""
    config = CompilerConfig()
    config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    test = f"tests/models/{model}/test_{model}.py::test_{model}[op_by_op_torch-eval]"
    recorder = TestRecorder(identity_of(test, device_name), test)
    tester = object.__new__(MODELS[model].ThisTester)  # its two loaders, nothing of the flow
    call = call_of(tester._load_inputs())
    with torch.no_grad():
        program = lower_torch(tester._load_model(), call, config, recorder)
    assert program.graph is not None and program.signature is not None
    arguments = program.signature.bind(program.flatten(call))
    opened: Any = _Opened(device(device_name))
    executor = kind(config, opened, recorder, Tolerances())
    executor.run_gm_op_by_op(program.graph, arguments)
    recorder.end(Outcome.REACHED)
    costs: list[Cost] = executor.costs
    return costs


if __name__ == "__main__":
    model, device_name, *how = sys.argv[1:]
    found = walk_one_by_one(model, device_name, AsItGoes if how == ["walk"] else OneByOne)
    print(msgspec.json.encode(found).decode())
