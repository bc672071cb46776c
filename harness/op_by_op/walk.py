# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The walk over a model's ops: cache, workers, verdicts, records, reproducers."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_pool import MEMORY_LIMIT, OpPool
from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.device_host.threads import prompt_threads
from bringup.harness.devices.catalog import versions
from bringup.harness.devices.lease import capacity
from bringup.harness.devices.tensors import nbytes
from bringup.harness.errors import HarnessError, IncorrectResultError, RecordError, UsageError
from bringup.harness.executor import Executor
from bringup.harness.frontend.lowering import Program
from bringup.harness.mlir import LoweringError
from bringup.harness.op_by_op import judge
from bringup.harness.op_by_op.cached_verdicts import KnownVerdicts
from bringup.harness.op_by_op.followed_before import basis_of, followed_once, is_followed
from bringup.harness.op_by_op.known_ops import KnownOps
from bringup.harness.op_by_op.op_tolerances import op_tolerances
from bringup.harness.op_by_op.recording_thread import RecordingThread, Rest
from bringup.harness.op_by_op.workers import op_workers, workers
from bringup.harness.ops.operand_values import counts_values
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.followed import Followed
from bringup.harness.records.machine_faults import is_machines_error
from bringup.harness.records.schema import (
    GOOD,
    Failure,
    Op,
    OpResult,
    OpVerdict,
    Outcome,
    Stage,
    Status,
)
from bringup.harness.records.variable_names import NO_CACHE_VARIABLE, ONLY_OP_VARIABLE
from bringup.harness.records.verdicts.cache import worth_keeping
from bringup.harness.records.verdicts.earlier import earlier_results
from bringup.harness.records.verdicts.rules import disagreement
from bringup.harness.reference.references import Golden
from bringup.harness.reproduce.reproducer import fingerprint_of, write_reproducer
from bringup.harness.verify import Tolerances

_AHEAD = 2
"""Ops prepared for each worker beside the one it is at."""
_BYTES_AHEAD = 256 << 20
"""What the operands and results of ops under way may come to, unless it is one op's."""


_Clear = Callable[[], None] | None
_Done = Callable[["Future[OpRun]"], None] | None


class OpsDisagreeError(HarnessError):
    """Cached verdicts were computed again and came out otherwise."""


class OpsNotExecutedError(HarnessError):
    """TT_TORCH_CHECK_ALL_OPS_EXECUTE, and some op did not."""


class OpsIncorrectError(IncorrectResultError):
    """TT_TORCH_VERIFY_OP_BY_OP, and some op's output was wrong."""


@dataclass(frozen=True)
class Candidate:
    """One unique op of a model, ready to be run."""

    op: Op
    index: int
    count: int
    node: str
    job: Callable[[], OpJob]
    """Makes the request; may raise LoweringError where importing it fails."""
    golden: Callable[[], Golden]
    """What it must compute; asked for when it has run."""
    fx_text: str = ""
    fx_json: bytes = b""


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
        # What the model's golden was computed in says nothing of an op alone, whose golden is its
        # own; and it is known only where another flow of the test has found it out.
        self.tolerances = tolerances = replace(tolerances, golden_arithmetic="")
        self.results: list[OpResult] = []
        self._executes = False
        self._earlier: dict[str, OpResult] = {}
        flags = judge.flags_of(self._options(), tolerances=tolerances)
        self._known = KnownVerdicts(recorder, device.name, flags, self._options())

    def compile_op(self, job: OpJob, clear: _Clear = None, done: _Done = None) -> "Future[OpRun]":
        """Compile one op in a worker; nothing is executed. The callbacks are `OpPool.submit`'s."""
        alone = OpJob(job.torch_ir, job.stablehlo, job.options, key=job.key)
        return self._pool.submit(alone, clear, done)

    def run_op(self, job: OpJob, clear: _Clear = None, done: _Done = None) -> "Future[OpRun]":
        """Compile one op in a worker and execute it there on the job's inputs."""
        return self._pool.submit(job, clear, done)

    @functools.cached_property
    def _pool(self) -> OpPool:
        board = self.device.board if capacity(self.device.name) else None
        return op_workers().pool(self.device.name, self.compiler_config.single_op_timeout, board)

    def walk(self, candidates: Iterable[Candidate], total: int) -> Outcome:
        """Give each of `total` ops its verdict; the outcome of the whole walk.

        Raises:
            OpsDisagreeError: a cached verdict does not hold.
            OpsNotExecutedError: the config wants every op executed and some was not.
            OpsIncorrectError: the config wants every op right and some was not.
            UsageError: the one op that the config wants is not there.
            RecordError: the disk is full or gone.
        """
        with self.device.leased(self.recorder.uncounted):
            try:
                return self._walk(candidates, total)
            finally:
                if capacity(self.device.name):
                    op_workers().close()  # the board is free for others only then

    def settles(self, known: KnownOps) -> bool:
        """Has each op a good verdict already, so that `walk_known` is all that is to be done?"""
        if self.compiler_config.run_global_op_idx is not None or is_followed():
            return False
        self._known.origins = {each.op.key: each.origin for each in known.ops}
        with self.device.leased(self.recorder.uncounted):
            self._begin()
        return all(self._is_settled(each.op) for each in known.ops)

    def _is_settled(self, op: Op) -> bool:
        if earlier := self._result_before(op):
            return earlier.verdict.outcome in GOOD
        key = self._known.key(op)
        hit = self._known.get(key)
        return hit is not None and hit.outcome in GOOD and not self._known.audits(key)

    def _result_before(self, op: Op) -> OpResult | None:
        """What an earlier attempt found of an op; None of one that it gave other values to."""
        found = self._earlier.get(op.key)
        if found is None or not counts_values(op):
            return found
        return found if found.verdict.values == self._known.values(op) else None

    def walk_known(self, known: KnownOps) -> Outcome:
        """Give each op of a program that `settles` the verdict that it has.

        Raises:
            As `walk`.
        """
        self.recorder.ops_found(len(known.ops), len(self._earlier))
        for index, each in enumerate(known.ops):
            result = self._result_before(each.op)
            hit = None if result is not None else self._known.get(self._known.key(each.op))
            if hit is not None:
                result = OpResult(
                    index=index, count=each.count, node=each.node, verdict=hit, hit=True
                )
                self.recorder.op_ended(result)
            assert result is not None, "it is known"
            self.results.append(result)
        self.recorder.ops_through()
        return self._conclude()

    def _begin(self) -> None:
        """Find out what the verdicts of this test depend on."""
        depth = self.compiler_config.compile_depth
        wanted = depth is CompileDepth.EXECUTE_OP_BY_OP
        self._executes = wanted and op_workers().execute_on(self.device)
        self._known.executes = self._executes
        run, key = self.recorder.run, self.recorder.key
        self._earlier = earlier_results(run.directory, key, run.journal.path, versions())

    def _walk(self, candidates: Iterable[Candidate], total: int) -> Outcome:
        self._begin()
        only = self.compiler_config.run_global_op_idx
        if only is not None and only >= total:
            raise UsageError(_no_such_op(only, total))
        self.recorder.ops_found(total if only is None else 1, len(self._earlier), only)
        limit = (1 + _AHEAD) * workers()
        # This thread makes requests (importing an op takes as long as compiling a small one), the
        # workers' threads follow their hosts, and the thread of `recording` judges and records.
        # The first may be ahead of the others by `limit` ops, no more: each holds its values.
        with prompt_threads(), RecordingThread(limit, _BYTES_AHEAD) as recording:
            for candidate in candidates:
                if only is not None and candidate.index != only:
                    continue
                if known := self._result_before(candidate.op):
                    self.results.append(known)  # its record and its reproducer are there
                else:
                    self._take(candidate, recording)
        self.recorder.ops_through()
        if self._executes and only is None:
            self.follow_on()
        return self._conclude()

    def follow_on(self) -> None:
        """Give ops their second verdict, on the device's own values, where an executor can."""

    def record_followed(
        self,
        graph: bytes,
        values: Sequence[torch.Tensor],
        follow: Callable[[], Followed],
        seconds: float,
    ) -> None:
        """Record what `follow` finds in some seconds, or what it found before of the same graph and
        values, those that are inside it included."""
        alone = (result.verdict for result in self.results)
        verdicts = ((self._known.key(v.op), v.outcome.value) for v in alone)
        basis = basis_of(graph, values, verdicts, self.node_tolerances())
        self.recorder.ops_followed(followed_once(self.recorder, basis, follow, seconds))

    def needs_values(self, op: Op, index: int) -> bool:
        """Will an op's inputs and golden be asked for: to run it, or for its reproducer?

        Known once the walk has begun.
        """
        only = self.compiler_config.run_global_op_idx
        if not self._executes or only not in (None, index) or self._result_before(op):
            return False
        key = self._known.key(op)
        hit = self._known.get(key)
        return hit is None or hit.outcome not in GOOD or self._known.audits(key)

    def _take(self, candidate: Candidate, recording: RecordingThread) -> None:
        """Have one op recorded, from the cache or when a worker is done with it."""
        key = self._known.key(candidate.op)
        cached = self._known.get(key)
        if cached is not None and not self._known.audits(key):
            job = OpJob() if cached.outcome in GOOD else _job_of(candidate)
            record = partial(self._record, candidate, job, cached, hit=True)
            recording.begin().finish(record)  # not here: `results` are the recording thread's
            return
        room = recording.begin(_bytes_of(candidate.op) if self._executes else 0)
        # Written ahead, on this thread, while another writes the ends of ops: an event is one write
        # at the end of the journal, so they do not mix.
        self.recorder.op_started(candidate.op.key, candidate.index)
        try:
            job = replace(candidate.job(), key=candidate.op.key)
        except LoweringError as error:
            verdict = self._not_imported(candidate, error)
            room.finish(partial(self._settle, candidate, OpJob(), key, cached, verdict))
            return
        begin = self.run_op if self._executes else self.compile_op
        finish = partial(self._finish, candidate, job, key, cached)
        room.finish_after(partial(begin, job, recording.caught_up), finish)

    def _finish(
        self,
        candidate: Candidate,
        job: OpJob,
        key: str,
        cached: OpVerdict | None,
        future: "Future[OpRun]",
    ) -> Rest:
        """Judge what a worker has done."""
        done, run = future.result(), self.recorder.run
        ran = self._executes and done.ended is Ended.DONE
        golden = candidate.golden() if ran else None
        verdict = judge.judge(
            candidate.op,
            self.device.name,
            done,
            golden,
            op_tolerances(self.tolerances, candidate.op),
            run.artifacts,
            run.run_id,
            self._known.values(candidate.op),
        )
        keep = golden is None or not golden.machine
        return self._settle(candidate, job, key, cached, verdict, keep=keep)

    def _settle(
        self,
        candidate: Candidate,
        job: OpJob,
        key: str,
        cached: OpVerdict | None,
        verdict: OpVerdict,
        *,
        keep: bool = True,
    ) -> Rest:
        """Keep a new verdict, unless the machine had its part in it, and compare it with a hit.

        It is on record before it is in the cache. The next op of its worker waits for the record
        alone; and a run that is killed between the two computes an op once more, where the other
        order would have an op that no record tells of.
        """
        run = self.recorder.run
        if cached is None:
            self._record(candidate, job, verdict)
            return partial(self._keep, key, verdict) if keep else self.recorder.sync
        if not (keep and worth_keeping(verdict, run.artifacts)):
            self._record(candidate, job, cached, hit=True)  # the machine's failure says nothing
        elif said := disagreement(cached, verdict):
            self._known.replace(key, verdict)
            said += f" The new one is in the cache now; once more: {self._once_more(candidate)}"
            self._record(candidate, job, verdict, contradicts=said)
        else:
            self._record(candidate, job, cached, hit=True, rechecked=True)
        return self.recorder.sync

    def _keep(self, key: str, verdict: OpVerdict) -> None:
        self._known.put(key, verdict)
        self.recorder.sync()

    def _record(
        self,
        candidate: Candidate,
        job: OpJob,
        verdict: OpVerdict,
        *,
        hit: bool = False,
        rechecked: bool = False,
        contradicts: str = "",
    ) -> None:
        result = OpResult(
            index=candidate.index,
            count=candidate.count,
            node=candidate.node,
            verdict=verdict,
            hit=hit,
            rechecked=rechecked,
            contradicts=contradicts,
        )
        if verdict.outcome not in (*GOOD, Outcome.INFRA):  # a dead board would fill the disk
            self._write_reproducer(candidate, job, verdict)
        self.results.append(result)
        self.recorder.op_ended(result)

    def _write_reproducer(self, candidate: Candidate, job: OpJob, verdict: OpVerdict) -> None:
        executes = self._executes and job.execute
        wrong = verdict.outcome is Outcome.INCORRECT  # the others were compared with nothing
        write_reproducer(
            self.recorder.run.directory,
            verdict,
            stablehlo=job.stablehlo or None,
            stablehlo_text=self._stablehlo_text(verdict),
            torch_ir=job.torch_ir.decode() if job.torch_ir else None,
            fx_text=candidate.fx_text,
            fx_json=candidate.fx_json,
            inputs=job.inputs if executes else (),
            golden=(candidate.golden().outputs or ()) if executes and wrong else (),
            executes=executes,
            device=self.device.name,
            deadline_s=self.compiler_config.single_op_timeout,
            versions=versions(),
            options=self._options(),
            tolerances=op_tolerances(self.tolerances, verdict.op),
            memory_limit=MEMORY_LIMIT,
        )

    def _stablehlo_text(self, verdict: OpVerdict) -> bytes:
        """What the lowering made of an op, also of one out of the cache; empty if it gave up."""
        texts = [a for s in verdict.stages for a in s.artifacts if s.stage is Stage.STABLEHLO]
        with contextlib.suppress(RecordError):
            return self.recorder.run.artifacts.get(texts[-1]) if texts else b""
        return b""

    def _not_imported(self, candidate: Candidate, error: LoweringError) -> OpVerdict:
        kept = self.recorder.run.artifacts.put(error.diagnostic, "diagnostic")
        failure = Failure(Stage.TORCH_IR, "LoweringError", str(error)[:2000], kept)
        outcome = Outcome.INFRA if is_machines_error(error) else Outcome.FAILED
        return OpVerdict(
            op=candidate.op,
            device=self.device.name,
            status=Status.CREATED_GRAPH,
            failure=failure,
            outcome=outcome,
            fingerprint=fingerprint_of(candidate.op.name, outcome, failure),
            origin=self.recorder.run.run_id,
            computed=time.time(),
        )

    def _once_more(self, candidate: Candidate) -> str:
        variables = f"{ONLY_OP_VARIABLE}={candidate.index} {NO_CACHE_VARIABLE}=1"
        return f"{variables} {self.recorder.command}"

    def _conclude(self) -> Outcome:
        contradictions = [r.contradicts for r in self.results if r.contradicts]
        if contradictions:
            raise OpsDisagreeError("\n".join(contradictions))
        outcomes = {r.verdict.outcome for r in self.results}
        if self.compiler_config.check_all_ops_execute:
            missed = [r for r in self.results if r.verdict.status < Status.EXECUTED]
            if missed:
                raise OpsNotExecutedError(
                    f"{len(missed)} of {len(self.results)} ops did not execute, "
                    f"first {missed[0].verdict.op.name}"
                )
        wrong = [r for r in self.results if r.verdict.outcome is Outcome.INCORRECT]
        if wrong and self.compiler_config.verify_op_by_op:
            raise OpsIncorrectError(
                f"{len(wrong)} of {len(self.results)} ops are wrong,"
                f" first {wrong[0].verdict.op.name}"
            )
        if Outcome.INFRA in outcomes:  # so that a resumed run does what is missing
            return Outcome.INFRA
        return Outcome.PASSED if outcomes <= {Outcome.PASSED} else Outcome.REACHED


def _no_such_op(index: int, total: int) -> str:
    numbered = "one op, number 0" if total == 1 else f"{total} ops, numbered 0 to {total - 1}"
    return f"the graph has {numbered if total else 'no ops'}; RUN_GLOBAL_OP_IDX is {index}"


def _bytes_of(op: Op) -> int:
    """Of an op's operands and results."""
    return sum(nbytes(value.shape, value.dtype) for value in (*op.inputs, *op.outputs))


def _job_of(candidate: Candidate) -> OpJob:
    """What a worker would be asked; nothing where that cannot be made."""
    try:
        return candidate.job()
    except LoweringError:
        return OpJob()
