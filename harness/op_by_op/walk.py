# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The walk over a model's ops: cache, workers, verdicts, records, reproducers."""

import functools
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

import torch

from harness.config import CompileDepth, CompilerConfig
from harness.devices.catalog import TENSTORRENT_BOARDS
from harness.devices.client import Device
from harness.devices.op_run import OpJob, OpRun
from harness.errors import HarnessError, RecordError
from harness.executor import Executor
from harness.frontend.mlir import LoweringError
from harness.lowering import Program
from harness.op_by_op import judge
from harness.op_by_op.cache import VerdictCache, cache_key, chosen_for_recheck, disagreement
from harness.op_by_op.pool import OpPool
from harness.op_by_op.reproducer import fingerprint_of, write_reproducer
from harness.recording import TestRecorder
from harness.records.provenance import versions
from harness.records.schema import (
    Failure,
    Op,
    OpResult,
    OpVerdict,
    Outcome,
    Stage,
    Status,
)
from harness.verify import Tolerances

RECHECK_VARIABLE = "BRINGUP_RECHECK"
"""Share of cache hits to compute again, e.g. 0.02."""
WORKERS_VARIABLE = "BRINGUP_OP_WORKERS"
_GOOD = (Outcome.PASSED, Outcome.REACHED)


class OpsDisagreeError(HarnessError):
    """A cached verdict was computed again and came out otherwise."""


class OpsNotExecutedError(HarnessError):
    """TT_TORCH_CHECK_ALL_OPS_EXECUTE, and some op did not."""


@dataclass(frozen=True)
class Candidate:
    """One unique op of a model, ready to be run."""

    op: Op
    index: int
    count: int
    node: str
    job: Callable[[], OpJob]
    """Makes the request; may raise LoweringError where importing it fails."""
    inputs: list[torch.Tensor]
    golden: list[torch.Tensor] | None
    fx_text: str = ""


_pools: dict[tuple[str, float], OpPool] = {}


def pool_of(device: str, deadline_s: float) -> OpPool:
    """This process's workers for a device; they serve test after test."""
    pool = _pools.get((device, deadline_s))
    if pool is None or pool.sick:
        close_pools()
        pool = _pools[(device, deadline_s)] = OpPool(device, _workers(), deadline_s=deadline_s)
    return pool


def close_pools() -> None:
    """End every op worker of this process."""
    while _pools:
        _pools.popitem()[1].close()


def _workers() -> int:
    given = os.environ.get(WORKERS_VARIABLE)
    beside = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return int(given) if given else max(1, len(os.sched_getaffinity(0)) // beside)


class OpByOpExecutor(Executor):
    """Compiles and runs ops alone: cache, workers, verdicts, records, reproducers."""

    def __init__(
        self,
        config: CompilerConfig,
        device: Device,
        recorder: TestRecorder,
        tolerances: Tolerances,
    ) -> None:
        super().__init__(Program(), config, device, recorder)
        self.tolerances = tolerances
        self.results: list[OpResult] = []
        self._cache = VerdictCache()
        self._recheck = float(os.environ.get(RECHECK_VARIABLE, "0"))
        self._executes = False

    def compile_op(self, job: OpJob) -> "Future[OpRun]":
        """Compile one op in a worker; nothing is executed."""
        return self._pool.submit(OpJob(job.torch_ir, job.stablehlo, job.options, key=job.key))

    def run_op(self, job: OpJob) -> "Future[OpRun]":
        """Compile one op in a worker and execute it there on the job's inputs."""
        return self._pool.submit(job)

    @property
    def _pool(self) -> OpPool:
        return pool_of(self.device.name, self.compiler_config.single_op_timeout)

    def walk(self, candidates: Iterable[Candidate]) -> Outcome:
        """Give every op its verdict; the word for the whole walk.

        Raises:
            OpsDisagreeError: a cached verdict does not hold.
            OpsNotExecutedError: the config wants every op executed and some was not.
        """
        opened = self.device.open()
        self.device.close()  # its workers are hosts of their own
        depth = self.compiler_config.compile_depth
        self._executes = opened.executes and depth is CompileDepth.EXECUTE_OP_BY_OP
        waiting: deque[tuple[Candidate, OpVerdict | None, Future[OpRun]]] = deque()
        for candidate in self._wanted(candidates):
            self.recorder.op_started(candidate.op.key, candidate.index)
            cached = self._cached(candidate)
            if cached is not None and not self._to_recheck(candidate):
                self._record(candidate, cached, hit=True)
                continue
            future = self._submit(candidate)
            if future is not None:
                waiting.append((candidate, cached, future))
            while len(waiting) > 2 * _workers():
                self._finish(*waiting.popleft())
        while waiting:
            self._finish(*waiting.popleft())
        return self._conclude()

    def _wanted(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        only = self.compiler_config.run_global_op_idx
        return (c for c in candidates if only is None or c.index == only)

    def _submit(self, candidate: Candidate) -> "Future[OpRun] | None":
        try:
            job = replace(candidate.job(), key=candidate.op.key)
        except LoweringError as error:
            self._record(candidate, self._not_imported(candidate, error))
            return None
        return self.run_op(job) if self._executes else self.compile_op(job)

    def _finish(
        self, candidate: Candidate, cached: OpVerdict | None, future: "Future[OpRun]"
    ) -> None:
        run = future.result()
        blobs = self.recorder.run.blobs
        verdict = judge.judge(
            candidate.op,
            self.device.name,
            run,
            candidate.golden,
            self.tolerances,
            blobs,
            self.recorder.run.directory.name,
        )
        if cached is not None:
            said = disagreement(cached, verdict)
            if said:
                raise OpsDisagreeError(f"{candidate.op.name}: {said}")
        self._cache.put(self._key(candidate.op), verdict, blobs)
        self._record(candidate, verdict, hit=cached is not None, rechecked=cached is not None)

    def _record(
        self,
        candidate: Candidate,
        verdict: OpVerdict,
        *,
        hit: bool = False,
        rechecked: bool = False,
    ) -> None:
        result = OpResult(
            index=candidate.index,
            count=candidate.count,
            node=candidate.node,
            verdict=verdict,
            hit=hit,
            rechecked=rechecked,
        )
        if verdict.outcome not in _GOOD:
            self._write_reproducer(candidate, verdict)
        self.results.append(result)
        self.recorder.op_ended(result)

    def _write_reproducer(self, candidate: Candidate, verdict: OpVerdict) -> None:
        try:
            job = candidate.job()
        except LoweringError:
            job = OpJob()
        write_reproducer(
            self.recorder.run.directory,
            verdict,
            stablehlo=job.stablehlo or None,
            torch_ir=job.torch_ir.decode() if job.torch_ir else None,
            fx_text=candidate.fx_text,
            inputs=candidate.inputs if self._executes else (),
            golden=candidate.golden or () if self._executes else (),
            device=self.device.name,
            deadline_s=self.compiler_config.single_op_timeout,
            versions=versions(),
            options=self._options(),
            tolerances=self.tolerances,
        )

    def _not_imported(self, candidate: Candidate, error: LoweringError) -> OpVerdict:
        kept = self.recorder.run.blobs.put(error.diagnostic, "diagnostic")
        failure = Failure(Stage.TORCH_IR, "LoweringError", str(error)[:2000], kept)
        return OpVerdict(
            op=candidate.op,
            device=self.device.name,
            status=Status.CREATED_GRAPH,
            failure=failure,
            outcome=Outcome.FAILED,
            fingerprint=fingerprint_of(candidate.op.name, Outcome.FAILED, failure),
            origin=self.recorder.run.directory.name,
        )

    def _cached(self, candidate: Candidate) -> OpVerdict | None:
        verdict = self._cache.get(self._key(candidate.op))
        if verdict is None:
            return None
        try:
            return verdict if self._cache.restore(verdict, self.recorder.run.blobs) else None
        except RecordError:
            return None

    def _to_recheck(self, candidate: Candidate) -> bool:
        return chosen_for_recheck(
            self._key(candidate.op), self._recheck, seed=int(self.recorder.run.started)
        )

    def _key(self, op: Op) -> str:
        flags = judge.flags_of(self._options(), tolerances=self.tolerances)
        depth = "execute" if self._executes else "compile"
        name = self.device.name
        return cache_key(op, name, descriptor_of(name), versions(), flags, depth)

    def _conclude(self) -> Outcome:
        outcomes = {r.verdict.outcome for r in self.results}
        if self.compiler_config.check_all_ops_execute:
            missed = [r for r in self.results if r.verdict.status < Status.EXECUTED]
            if missed:
                raise OpsNotExecutedError(
                    f"{len(missed)} of {len(self.results)} ops did not execute, "
                    f"first {missed[0].verdict.op.name}"
                )
        if Outcome.INFRA in outcomes and self._pool.sick:
            return Outcome.INFRA
        return Outcome.PASSED if outcomes <= {Outcome.PASSED} else Outcome.REACHED


@functools.cache
def descriptor_of(device: str) -> str:
    """What a device is compiled for beside its name: the digest of a board's figures."""
    if device not in TENSTORRENT_BOARDS:
        return ""
    from harness.devices.system_desc import encode, load_board

    return hashlib.sha256(encode(load_board(device), "0" * 64)).hexdigest()
