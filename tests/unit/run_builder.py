# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Builds real run directories for the tests of `reports`, through its records alone."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.fold import model_status
from bringup.harness.records.journal import JournalWriter, journals, pack_journals
from bringup.harness.records.moves import Move, write_moves
from bringup.harness.records.run_dir import write_merged, write_plan
from bringup.harness.records.schema import (
    Artifact,
    Check,
    Failure,
    Identity,
    Metric,
    Op,
    OpEnded,
    OpResult,
    OpVerdict,
    Outcome,
    OutputCheck,
    Plan,
    PlannedTest,
    Provenance,
    RunHeader,
    Stage,
    StageResult,
    Status,
    TensorType,
    TestEnded,
    TestRecord,
    TestStarted,
)

RUN_ID = "20261122-031200-7f3a"
STARTED = 1_795_317_120.0  # 2026-11-22 03:12 UTC
PROVENANCE = Provenance(
    command=("python", "-m", "pytest", "--device", "n150"),
    host="ci-runner-07",
    pid=4711,
    git_commit="4592669d1f0c8a7be7c2a9c1d4a0f6b1e2d3c4b5",
    git_dirty=False,
    versions={"torch": "2.13.0", "torch-mlir": "20261001", "jaxlib": "0.10.2"},
    python="3.11.7",
    seed=0,
    cores=16,
    memory=64 << 30,
    git_branch="main",
)
STAGE_OF_STATUS = {
    Status.CREATED_GRAPH: Stage.EXPORT,
    Status.CONVERTED_TO_TORCH_IR: Stage.TORCH_IR,
    Status.CONVERTED_TO_TORCH_BACKEND_IR: Stage.TORCH_BACKEND_IR,
    Status.CONVERTED_TO_STABLE_HLO: Stage.STABLEHLO,
    Status.CONVERTED_TO_TTNN: Stage.COMPILE,
    Status.EXECUTED: Stage.EXECUTE,
}


def identity(model: str = "t5", device: str = "n150", **parts: str) -> Identity:
    return Identity(model=model, device=device, **parts)


def nodeid(test: Identity) -> str:
    """As the plugin names it in a run over several devices."""
    name = test.name
    folder = f"tests/models/{test.model}/test_{test.model}.py"
    return f"{folder}::test_{name[:-1]}-{test.device}]"


def stages(
    reached: Stage = Stage.VERIFY, *, ok: bool = True, artifacts: Sequence[Artifact] = ()
) -> tuple[StageResult, ...]:
    """Every stage up to `reached`; the last one is as `ok` says and keeps the artifacts."""
    order = list(Stage)
    last = order.index(reached)
    return tuple(
        StageResult(
            stage=stage,
            ok=ok or i < last,
            wall_s=None if not ok and i == last else 0.4 + 0.37 * i,
            cpu_s=0.3 + 0.5 * i,
            peak_rss=(900 + 140 * i) << 20,
            artifacts=tuple(artifacts) if i == last else (),
            attributes={"graph_nodes": "311"} if stage is Stage.EXPORT else {},
        )
        for i, stage in enumerate(order[: last + 1])
    )


def output(pcc: float | None = 0.99998712, path: str = "logits", *, ok: bool = True) -> OutputCheck:
    """One output leaf with a PCC, an ATOL and a shape check."""
    return OutputCheck(
        path=path,
        shape=(1, 128, 768),
        dtype="float32",
        checks=(
            Check("shape", Metric.of(0.0), None, True, True),
            Check("pcc", Metric.of(pcc), 0.99, ok, True, "" if ok else "PCC is below 0.99"),
            Check("atol", Metric.of(0.00371), 0.01, True, False),
        ),
    )


def record(
    test: Identity | None = None,
    outcome: Outcome = Outcome.PASSED,
    status: Status = Status.EXECUTED,
    *,
    message: str = "failed to legalize operation 'stablehlo.fft'",
    stage: Stage | None = Stage.COMPILE,
    **fields: object,
) -> TestRecord:
    """A record that is like what the harness writes, for any outcome."""
    test = test or identity()
    good = outcome in (Outcome.PASSED, Outcome.REACHED)
    failure = None if good else Failure(stage, outcome.value, message)
    last = Stage.VERIFY if status is Status.EXECUTED else stage or Stage.LOAD
    values: dict[str, object] = {
        "identity": test,
        "nodeid": nodeid(test),
        "outcome": outcome,
        "status": status,
        "model_status": model_status(outcome, status, failure),
        "model_name": f"org/{test.model}-{test.variant or 'base'}",
        "depth": "EXECUTE",
        "parameters": 222_903_552,
        "started": STARTED,
        "ended": STARTED + 31.25,
        "stages": stages(last, ok=good or outcome is Outcome.INCORRECT),
        "outputs": (output(),) if outcome is Outcome.PASSED else (),
        "failure": failure,
        "provenance": "a",
    }
    return TestRecord(**(values | fields))  # type: ignore[arg-type]


def op_result(
    index: int = 0,
    status: Status = Status.EXECUTED,
    outcome: Outcome = Outcome.PASSED,
    *,
    name: str = "aten.add.Tensor",
    message: str = "failed to legalize operation 'stablehlo.fft'",
    stage: Stage | None = Stage.COMPILE,
    artifacts: Sequence[Artifact] = (),
    count: int = 3,
    hit: bool = False,
    key: str = "",
    device: str = "n150",
    pcc: float | None = 0.99998712,
    uncompared: str = "",
    spent: tuple[StageResult, ...] | None = None,
) -> OpResult:
    """An op's result; ops of one index and name are the same op in every model."""
    good = outcome in (Outcome.PASSED, Outcome.REACHED)
    tensor = TensorType((1, 128, 768 + index), "float32")
    key = key or hashlib.sha256(f"{name} {index}".encode("utf-8", "replace")).hexdigest()
    executed = status is Status.EXECUTED
    last = Stage.EXECUTE if executed else stage or Stage.COMPILE
    return OpResult(
        index=index,
        count=count,
        node=f"add_{index}",
        hit=hit,
        verdict=OpVerdict(
            op=Op(key, name, "torch", (tensor, tensor), (tensor,), {"alpha": "1"}),
            device=device,
            status=status,
            pcc=Metric.of(pcc) if executed else None,
            atol=Metric.of(0.00371) if executed else None,
            stages=stages(last, ok=good or executed, artifacts=artifacts)
            if spent is None
            else spent,
            failure=None if good else Failure(stage, outcome.value, message),
            outcome=outcome,
            fingerprint="" if good else f"{stage}:{name}:{message[:60]}",
            golden="torch" if executed and not uncompared else "",
            uncompared=uncompared,
            origin=RUN_ID,
            computed=STARTED,
        ),
    )


def not_run(test: Identity) -> TestRecord:
    return record(
        test,
        Outcome.NOT_RUN,
        Status.NOT_STARTED,
        message="the run was stopped before its turn",
        stage=None,
        started=None,
        stages=(),
    )


def plan_of(tests: Iterable[Identity], list_name: str = "nightly_full_model_execute") -> Plan:
    planned = tuple(PlannedTest(t, nodeid(t), list_name) for t in tests)
    return Plan(
        run_id=RUN_ID, created=STARTED, session="nightly", tests=planned, total=len(planned)
    )


def write_run(
    run_dir: Path,
    records: Sequence[TestRecord] = (),
    *,
    plan: Plan | None = None,
    moves: Sequence[Move] | None = None,
    planned: int | None = None,
    missing: tuple[str, ...] = (),
    unrun: tuple[str, ...] = (),
    provenance: Provenance = PROVENANCE,
    created: float = STARTED,
    ops: Mapping[Identity, Sequence[OpResult]] | None = None,
) -> Path:
    """A merged run directory; without a plan, exactly the recorded tests were planned."""
    tests = dict.fromkeys(r.identity.planned for r in records)
    plan = plan or plan_of(tests)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_plan(run_dir, plan)
    header = RunHeader(
        run_id=plan.run_id,
        session=plan.session,
        created=created,
        shards=(plan.shard,),
        provenances={"a": provenance},
        planned=len(plan.tests) if planned is None else planned,
        missing=missing,
        unrun=unrun,
    )
    write_merged(run_dir, header, list(records))
    for path in journals(run_dir):
        path.unlink()
    if ops:
        _write_ops(run_dir, plan.run_id, ops)
    if moves is not None:
        write_moves(run_dir, moves)
    return run_dir


def _write_ops(run_dir: Path, run_id: str, ops: Mapping[Identity, Sequence[OpResult]]) -> None:
    journal = JournalWriter(run_dir, run_id, PROVENANCE)
    for test, results in ops.items():
        journal.append(TestStarted(time=STARTED, identity=test, nodeid=nodeid(test), pid=1))
        for result in results:
            journal.append(OpEnded(time=STARTED + 1, key=test.key, result=result), sync=False)
        journal.append(TestEnded(time=STARTED + 2, key=test.key, outcome=Outcome.PASSED))
    journal.close()
    pack_journals(run_dir)


def keep(run_dir: Path, text: str, level: str = "stablehlo") -> Artifact:
    return ArtifactStore(run_dir).put(text, level)
