# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night of a made year as a run directory, written as a night's processes write it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.run_dir import write_plan
from bringup.harness.records.schema import (
    AnyEvent,
    Artifact,
    Check,
    Failure,
    Metric,
    Op,
    OpEnded,
    OpResult,
    OpVerdict,
    Outcome,
    OutputCheck,
    OutputsChecked,
    Plan,
    PlannedTest,
    Provenance,
    Stage,
    StageEnded,
    StageResult,
    StageStarted,
    Status,
    TensorType,
    TestDescribed,
    TestEnded,
    TestStarted,
)
from tests.benchmarks.history.synthesise import OPS_A_TEST, UNIQUE_OPS, op_tests
from tests.benchmarks.history.year import BAD, DAY, GOOD, START, TestTruth, Year

WORDS = {GOOD: Outcome.PASSED, BAD: Outcome.FAILED}
PROVENANCE = Provenance(
    command=("python", "-m", "pytest"),
    host="ci",
    pid=1,
    git_commit="4592669d1f0c8a7be7c2a9c1d4a0f6b1e2d3c4b5",
    git_dirty=False,
    versions={"torch": "2.13.0"},
    python="3.11.7",
    seed=0,
    cores=2,
    memory=16 << 30,
)


def write_night(folder: Path, year: Year, night: int, shards: int = 1) -> list[Path]:
    """The unmerged run directories of a night's shards, a journal each; no test is in two."""
    going = [t for t in year.truths if t.identity.flow != "full"][: op_tests(year)]
    bases = {truth.identity.key: i * 7919 for i, truth in enumerate(going)}
    created, total = START + night * DAY, len(year.truths)
    written = []
    for i in range(shards):
        mine = year.truths[i::shards]
        run_dir = folder / f"shard-{i + 1}"
        run_dir.mkdir(parents=True)
        write_plan(
            run_dir,
            Plan(
                run_id=f"nightly-{night:03}",
                created=created,
                session="nightly",
                shard=(i + 1, shards),
                tests=tuple(PlannedTest(t.identity, _nodeid(t), "nightly_full") for t in mine),
                total=total,
            ),
        )
        journal = JournalWriter(run_dir, f"nightly-{night:03}", PROVENANCE)
        for number, truth in enumerate(mine):
            _write_test(journal, truth, night, created + number, bases.get(truth.identity.key))
        journal.close()
        written.append(run_dir)
    return written


def _write_test(
    journal: JournalWriter, truth: TestTruth, night: int, at: float, base: int | None
) -> None:
    key, word = truth.identity.key, WORDS.get(truth.nights[night], Outcome.INFRA)
    reached = list(Stage) if word is Outcome.PASSED else list(Stage)[:8]
    failure = None if word is Outcome.PASSED else Failure(reached[-1], word, f"no {truth.cause}")
    events: list[AnyEvent] = [
        TestStarted(time=at, identity=truth.identity, nodeid=_nodeid(truth), pid=1),
        TestDescribed(time=at, key=key, model_name=truth.identity.model, depth="EXECUTE"),
        *_stages(key, reached, at, failure),
        *_ops(truth, at, base),
    ]
    if word is Outcome.PASSED:
        events.append(OutputsChecked(time=at, key=key, outputs=(_output(),)))
    events.append(TestEnded(time=at + 1, key=key, outcome=word, failure=failure, seconds=1.0))
    for event in events:
        journal.append(event, sync=False)


def _stages(
    key: str, reached: Sequence[Stage], at: float, failure: Failure | None
) -> Iterator[StageStarted | StageEnded]:
    for i, stage in enumerate(reached):
        ok = failure is None or stage is not failure.stage
        artifacts = (Artifact(stage, f"{hash((key, stage)) & (2**256 - 1):064x}", 30_000),)
        yield StageStarted(time=at, key=key, stage=stage)
        yield StageEnded(
            time=at,
            key=key,
            result=StageResult(stage, ok, 0.1 * i, 0.2 * i, 1 << 30, artifacts),
            status=Status.EXECUTED if ok and i > 7 else Status.CONVERTED_TO_STABLE_HLO,
            failure=None if ok else failure,
        )


def _ops(truth: TestTruth, at: float, base: int | None) -> Iterator[OpEnded]:
    for k in range(OPS_A_TEST if base is not None else 0):
        number = ((base or 0) + k) % UNIQUE_OPS
        tensor = TensorType((1, 128, number), "float32")
        bad = number % 12 == 0
        verdict = OpVerdict(
            op=Op(f"{number:064x}", f"aten.op{number % 90}", "torch", (tensor,), (tensor,)),
            device=truth.identity.device,
            status=Status.CONVERTED_TO_STABLE_HLO if bad else Status.EXECUTED,
            outcome=Outcome.FAILED if bad else Outcome.PASSED,
            pcc=None if bad else Metric.of(1 - number * 1e-9),
            failure=Failure(Stage.COMPILE, "FAILED", f"no op {number}") if bad else None,
            computed=at,
        )
        result = OpResult(index=k, count=1, node=f"op_{k}", verdict=verdict)
        yield OpEnded(time=at, key=truth.identity.key, result=result)


def _output() -> OutputCheck:
    pcc = Check("pcc", Metric.of(0.99987), 0.99, True, True)
    atol = Check("atol", Metric.of(0.0037), 0.01, True, False)
    return OutputCheck("logits", (1, 128, 768), "float32", (pcc, atol))


def _nodeid(truth: TestTruth) -> str:
    identity = truth.identity
    file = f"tests/models/{identity.model}/test_{identity.model}.py"
    return f"{file}::test_{identity.name[:-1]}-{identity.device}]"
