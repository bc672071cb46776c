# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is put on record of an op that ran, was refused or ended its host, by whoever ran it."""

import itertools
from pathlib import Path

import msgspec
import pytest
import torch

from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended, OpFailure, OpRun
from bringup.harness.devices.wire import Level, Usage
from bringup.harness.op_by_op.judge import close_run, judge
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Outcome, Stage, StageResult, Status
from bringup.harness.reduce import run_op as repro
from bringup.harness.reference.references import Golden, Source
from bringup.harness.reproduce.reproducer import Expected
from bringup.harness.verify import Tolerances
from tests.unit.run_builder import op_result


def stages_of(run: OpRun, folder: Path) -> dict[Stage, StageResult]:
    op = op_result().verdict.op
    verdict = judge(op, "cpu", run, None, Tolerances(), ArtifactStore(folder), "run")
    return {stage.stage: stage for stage in verdict.stages}


@pytest.mark.parametrize("ended", [Ended.TIMEOUT, Ended.CRASH])
def test_the_stage_that_an_op_died_in_has_the_rest_of_its_time(
    ended: Ended, tmp_path: Path
) -> None:
    spent = {Stage.STABLEHLO: Usage(0.02, 0.01, 1 << 20), Stage.COMPILE: Usage(0.5, 0.4, 1 << 20)}
    failure = OpFailure("TIMEOUT", "not through", "", Stage.EXECUTE)
    run = OpRun(ended, Stage.COMPILE, usages=spent, failure=failure, wall_s=5.25)
    stages = stages_of(run, tmp_path)
    assert stages[Stage.EXECUTE].wall_s == pytest.approx(4.73)
    assert stages[Stage.EXECUTE].cpu_s is None
    assert sum(stage.wall_s or 0.0 for stage in stages.values()) == pytest.approx(5.25)


def test_a_stage_that_refused_has_its_own_time(tmp_path: Path) -> None:
    failure = OpFailure("CompileError", "no", "", Stage.COMPILE)
    spent = {Stage.COMPILE: Usage(0.5, 0.4, 1 << 20)}
    stages = stages_of(
        OpRun(Ended.REFUSED, None, usages=spent, failure=failure, wall_s=0.7), tmp_path
    )
    assert stages[Stage.COMPILE].wall_s == 0.5


def test_what_was_said_while_an_op_ran_is_kept_with_its_last_stage(tmp_path: Path) -> None:
    spent = {stage: Usage(0.5, 0.4, 1 << 20) for stage in (Stage.COMPILE, Stage.EXECUTE)}
    run = OpRun(Ended.DONE, Stage.EXECUTE, usages=spent, stderr="warning: slow path")
    stages = stages_of(run, tmp_path)
    (said,) = stages[Stage.EXECUTE].artifacts
    assert (said.level, ArtifactStore(tmp_path).get(said)) == ("stderr", b"warning: slow path")
    assert not stages[Stage.COMPILE].artifacts


# --- night and reproducer --------------------------------------------------------------------

KINDS = ("CompileError", "SIGSEGV", "SIGKILL", "TIMEOUT", OUT_OF_MEMORY, "MemoryError", "OSError")
LEVELS = {
    "": Status.NOT_STARTED,
    "ttir": Status.CONVERTED_TO_TTIR,
    "ttir ttnn": Status.CONVERTED_TO_TTNN,
    "input flow": Status.CONVERTED_TO_TTIR,
    "hlo_optimized": Status.CONVERTED_TO_TTIR,
}
FAILED = [
    OpRun(ended, stage, tuple(Level(name, "x") for name in levels.split()), failure=failure)
    for ended, stage, levels, kind in itertools.product(
        [e for e in Ended if e is not Ended.DONE],
        (None, Stage.TORCH_IR, Stage.STABLEHLO, Stage.COMPILE),
        LEVELS,
        KINDS,
    )
    for failure in (OpFailure(kind, "no", "said", Stage.COMPILE),)
]
ONES = torch.ones(4)
RAN = [
    OpRun(Ended.DONE, Stage.COMPILE),
    OpRun(Ended.DONE, Stage.EXECUTE, outputs=(ONES,)),
    OpRun(Ended.DONE, Stage.EXECUTE, outputs=(-ONES,)),
]


@pytest.mark.parametrize("golden", [Golden([ONES], Source.TORCH), Golden(None, Source.NOBODY)])
def test_the_night_and_a_reproducer_say_the_same_of_every_run(
    golden: Golden, tmp_path: Path
) -> None:
    op, artifacts = op_result().verdict.op, ArtifactStore(tmp_path)
    for run in (*FAILED, *RAN):
        night = judge(op, "n150", run, golden, Tolerances(), artifacts, "run")
        expected = Expected(
            op=op,
            device="n150",
            status=night.status,
            outcome=night.outcome,
            fingerprint=night.fingerprint,
            stage=None,
            deadline_s=1.0,
            failure=night.failure,
        )
        again = repro._judged(run, lambda: golden, Tolerances())
        assert (again.status, again.outcome) == (night.status, night.outcome)
        assert (again.failure is None) == (night.failure is None)
        if again.failure is not None and night.failure is not None:
            assert again.failure == msgspec.structs.replace(night.failure, diagnostic=None)
        assert repro.compared(expected, again)[0]


def test_an_op_has_reached_what_was_written_of_it_whatever_came_after() -> None:
    passed = {
        None: Status.CREATED_GRAPH,
        Stage.TORCH_IR: Status.CONVERTED_TO_TORCH_IR,
        Stage.STABLEHLO: Status.CONVERTED_TO_STABLE_HLO,
        Stage.COMPILE: Status.CONVERTED_TO_TTNN,
    }
    for run in FAILED:
        written = LEVELS[" ".join(level.name for level in run.levels)]
        reached = close_run(run, lambda: None, Tolerances()).status
        assert reached == max(passed[run.stage], written)


@pytest.mark.parametrize(
    ("ended", "kind", "message", "diagnostic", "word"),
    [
        (Ended.REFUSED, "CompileError", "failed to legalize", "", Outcome.FAILED),
        (Ended.REFUSED, "OSError", "[Errno 28] No space left on device", "", Outcome.INFRA),
        (Ended.REFUSED, "RuntimeError", "can't start new thread", "", Outcome.INFRA),
        (Ended.REFUSED, OUT_OF_MEMORY, "RESOURCE_EXHAUSTED", "", Outcome.FAILED),
        (Ended.REFUSED, "JaxRuntimeError", "RESOURCE_EXHAUSTED: 80 GB", "", Outcome.INFRA),
        (Ended.CRASH, "SIGSEGV", "died", "", Outcome.CRASHED),
        (Ended.CRASH, "SIGKILL", "died", "", Outcome.INFRA),
        (Ended.CRASH, "SIGABRT", "died", "Too many open files", Outcome.INFRA),
        (Ended.CRASH, OUT_OF_MEMORY, "died", "std::bad_alloc", Outcome.CRASHED),
        (Ended.TIMEOUT, "TIMEOUT", "late", "std::bad_alloc", Outcome.TIMEOUT),
        (Ended.INFRA, "SIGSEGV", "before it took the op", "", Outcome.INFRA),
    ],
)
def test_whose_an_end_is(
    ended: Ended, kind: str, message: str, diagnostic: str, word: Outcome
) -> None:
    failure = OpFailure(kind, message, diagnostic, Stage.COMPILE)
    run = OpRun(ended, Stage.STABLEHLO, failure=failure)
    assert close_run(run, lambda: None, Tolerances()).outcome is word


@pytest.mark.parametrize(
    ("golden", "actual", "outcome", "said"),
    [
        ([torch.nan] * 3, [torch.nan] * 3, Outcome.REACHED, "golden has NaN and no finite number"),
        ([torch.inf] * 3, [torch.inf] * 3, Outcome.REACHED, "golden has no finite number"),
        ([torch.nan, 1.0, 2.0], [torch.nan, 1.0, 2.0], Outcome.PASSED, ""),
        ([torch.nan] * 3, [torch.nan, 0.0, torch.nan], Outcome.INCORRECT, ""),
        ([1.0, 2.0, 3.0], [torch.nan] * 3, Outcome.INCORRECT, ""),
    ],
)
def test_an_op_that_gives_nothing_finite_is_reached_and_says_so(
    tmp_path: Path, golden: list[float], actual: list[float], outcome: Outcome, said: str
) -> None:
    run = OpRun(Ended.DONE, Stage.EXECUTE, outputs=[torch.tensor(actual)])
    answer = Golden([torch.tensor(golden)], Source.TORCH)
    op, artifacts = op_result().verdict.op, ArtifactStore(tmp_path)
    verdict = judge(op, "cpu", run, answer, Tolerances(), artifacts, "run")
    assert verdict.outcome is outcome
    assert verdict.uncompared.startswith(said) and bool(verdict.uncompared) is bool(said)
    assert bool(verdict.golden) is not bool(said)
