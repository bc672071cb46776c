# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A large made night op by op: models whose ops are like a fleet's, a good part shared by many."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from bringup.harness.records.journal import JournalWriter, pack_journals
from bringup.harness.records.recent import OpsOfTest
from bringup.harness.records.run_dir import write_merged
from bringup.harness.records.schema import (
    Artifact,
    Failure,
    Identity,
    Metric,
    ModelStatus,
    Op,
    OpEnded,
    OpResult,
    OpVerdict,
    Outcome,
    RunHeader,
    Stage,
    StageResult,
    Status,
    TensorType,
    TestEnded,
    TestRecord,
    TestStarted,
)
from tests.benchmarks.history.made_night import PROVENANCE

RUN = "nightly-20261128T021700Z"
STARTED = 1_795_832_220.0
_DISTINCT = 20_000
"""Ops over all models: of 120,000 of a night most were seen in another model."""
_NAMES = 140
_LEVELS = ("torch_ir", "stablehlo", "ttir", "ttnn")
_STAGES = (Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO, Stage.COMPILE, Stage.EXECUTE)
_WHY = "error: failed to legalize operation 'stablehlo.op{0}' that was explicitly marked illegal\n"


def made_header(tests: int) -> RunHeader:
    """The header of the made night."""
    return RunHeader(
        run_id=RUN,
        session="nightly",
        created=STARTED,
        shards=((1, 1),),
        provenances={"a": PROVENANCE},
        planned=tests,
    )


def made_tests(models: int, ops: int, run_dir: Path | None = None) -> Iterator[OpsOfTest]:
    """As many models with as many unique ops each; every twelfth op fails in the compiler."""
    header = made_header(models)
    for number in range(models):
        identity = made_identity(number)
        results = tuple(made_result(number * 37 + i, i, identity.device) for i in range(ops))
        yield OpsOfTest(header, made_record(identity, ops), results, run_dir)


def made_identity(number: int) -> Identity:
    """The test of one model; every third is on another device."""
    device = ("n150", "iree-cpu", "cpu")[number % 3]
    return Identity(f"model_{number}", "base", "op_by_op_torch", device=device)


def made_record(identity: Identity, ops: int) -> TestRecord:
    """Its record: it went through all of its ops."""
    return TestRecord(
        identity=identity,
        nodeid=f"tests/models/{identity.model}/test_{identity.model}.py::test_{identity.name}",
        outcome=Outcome.REACHED,
        status=Status.EXECUTED,
        model_status=ModelStatus.PASSED,
        model_name=f"organisation/{identity.model.replace('_', '-')}-base",
        model_group="generality",
        started=STARTED,
        ended=STARTED + 31.25,
        provenance="a",
        ops_found=ops,
    )


def made_result(number: int, index: int, device: str) -> OpResult:
    """The result of one op."""
    number %= _DISTINCT
    bad = number % 12 == 0
    digest = hashlib.sha256(f"{number}".encode()).hexdigest()
    name = f"aten.op{number % _NAMES}.Tensor"
    inputs = tuple(TensorType((1, 128, 64 + number % 999), "float32") for _ in range(2))
    kept = tuple(
        Artifact(level, hashlib.sha256(f"{number} {level}".encode()).hexdigest(), 4_000)
        for level in (_LEVELS[:2] if bad else _LEVELS)
    )
    spent = [
        StageResult(stage, True, 0.01 * i + number * 1e-6, 0.02, 900 << 20)
        for i, stage in enumerate(_STAGES[: 4 if bad else 5])
    ]
    last = spent[-1]
    spent[-1] = StageResult(last.stage, not bad, last.wall_s, last.cpu_s, last.peak_rss, kept)
    failure = Failure(Stage.COMPILE, "FAILED", _WHY.format(number % 90) * 6) if bad else None
    verdict = OpVerdict(
        op=Op(digest, name, "torch", inputs, inputs[:1], {"alpha": "1", "dim": "[0, 1]"}),
        device=device,
        status=Status.CONVERTED_TO_STABLE_HLO if bad else Status.EXECUTED,
        outcome=Outcome.FAILED if bad else Outcome.PASSED,
        pcc=None if bad else Metric.of(1 - number * 1e-9),
        atol=None if bad else Metric.of(number * 1e-8),
        stages=tuple(spent),
        failure=failure,
        fingerprint=f"compile:stablehlo.op{number % 90}:failed to legalize" if bad else "",
        golden="" if bad else "torch",
        origin=RUN,
        computed=STARTED,
    )
    return OpResult(index=index, count=3, node=f"op_{index}", verdict=verdict, hit=number % 3 == 0)


def write_made_run(run_dir: Path, tests: int, with_ops: int, ops: int) -> None:
    """Write a merged run of so many tests, of which some went op by op."""
    run_dir.mkdir(parents=True, exist_ok=True)
    header = made_header(tests)
    whole = (made_identity(i) for i in range(tests - with_ops))
    records = [made_record(replace(identity, flow="full"), 0) for identity in whole]
    walked = [made_identity(i) for i in range(with_ops)]
    records += [made_record(identity, ops) for identity in walked]
    write_merged(run_dir, header, records)
    journal = JournalWriter(run_dir, header.run_id, PROVENANCE)
    for number, identity in enumerate(walked):
        started = TestStarted(time=STARTED, identity=identity, nodeid=identity.name, pid=1)
        journal.append(started, sync=False)
        for i in range(ops):
            result = made_result(number * 37 + i, i, identity.device)
            journal.append(OpEnded(time=STARTED, key=identity.key, result=result), sync=False)
        ended = TestEnded(time=STARTED + 1, key=identity.key, outcome=Outcome.REACHED)
        journal.append(ended, sync=False)
    journal.close()
    pack_journals(run_dir)
