# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A tester's model through a search, and the directories that come of it."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

import msgspec
import torch

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host import shared
from bringup.harness.device_host.op_run import OpRun
from bringup.harness.devices.catalog import kind_of, versions
from bringup.harness.devices.lease import lease
from bringup.harness.errors import DeviceError, RecordError, UsageError
from bringup.harness.executor import Executor
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.lowering import Program
from bringup.harness.graph.op_graph import OpGraph, Part
from bringup.harness.graph.program_graph import graph_of
from bringup.harness.mlir import TorchMlir
from bringup.harness.recording.failures import failure_of, outcome_of
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.records.reduced import Reduced
from bringup.harness.records.reproducible import (
    REPRO_FOLDER,
    folder_name,
    is_reproducible,
    reproduce_command,
)
from bringup.harness.records.schema import AnyEvent, Outcome, StageStarted, Status
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce import request as requests
from bringup.harness.reduce.attempts import Attempts, worker
from bringup.harness.reduce.model_reproducer import (
    expected_of,
    write_model,
)
from bringup.harness.reduce.pass_blame import blame, can_blame
from bringup.harness.reduce.request import Request, SearchDone
from bringup.harness.reduce.search import (
    WHOLE_DEADLINE,
    Found,
    ModelOutcome,
    Search,
    Smallest,
    Subject,
)
from bringup.harness.reproduce.reproducer import write_reproducer
from bringup.harness.verify import Tolerances

_PASSES_S = 60.0
"""Seconds that looking for the pass that makes a whole model wrong may take."""
SAVED_AT_ONCE = 64 << 20
"""Bytes of inputs and outputs up to which a part is written as soon as it is found."""


class Tested(Protocol):
    """What a search needs of a tester."""

    recorder: TesterRecorder
    compiler_config: CompilerConfig
    mismatches: list[str]
    """Checks that the device's outputs did not pass, a sentence each."""

    @property
    def device_name(self) -> str:
        """The device that the test runs on."""

    @property
    def device_tolerances(self) -> Tolerances:
        """What is required of its outputs, in units of the device's arithmetic."""

    def lowered(self) -> Program:
        """The model at the level its config asks for."""

    def call(self) -> Call:
        """The inputs as the model is called with them."""

    def mismatches_of(self, outputs: Any, mutated: Mapping[str, torch.Tensor]) -> list[str]:
        """A sentence for each check that outputs, in the model's structure, do not pass.

        `mutated` is what the call wrote, by path.
        """


class GraphOnly(CompilerConfig):
    """A test's settings, but its model is lowered to its graph and no further."""

    def __init__(self, config: CompilerConfig) -> None:
        super().__init__()
        self.__dict__.update(config.__dict__)

    @property
    def stops_at_graph(self) -> bool:
        """It does."""
        return True


class _Unrecorded(TesterRecorder):
    """Takes what a tester says of its stages, and journals nothing: the test has its record."""

    def _write(self, event: AnyEvent) -> None:
        request = requests.requested()
        if isinstance(event, StageStarted) and request is not None:
            apart.say(event.stage, max(request.seconds, requests.STAGE_S))


def search_now(tester: Tested, request: Request) -> NoReturn:
    """Do what `request` asks in place of the test.

    Raises:
        SearchDone: always, when it is done; `request` holds what came of it.
        DeviceError: the device cannot be had, or stopped answering.
    """
    request.identity = tester.recorder.identity
    request.found = _search(tester, request)
    raise SearchDone


def leave(tester: Tested) -> str:
    """Leave the reproducer of a test that just failed; the command that runs it, or nothing.

    A full disk must not hide why the test failed: then there is none.
    """
    recorder = tester.recorder
    outcome, failure = recorder.outcome, recorder.failure
    command = reproduce_command(recorder.nodeid, recorder.identity, recorder.entry)
    if not command or not is_reproducible(outcome, failure):
        return ""
    assert outcome is not None and failure is not None
    if tester.mismatches:
        failure = msgspec.structs.replace(failure, message="\n".join(tester.mismatches)[:2000])
    run_dir = recorder.run.directory
    expected = expected_of(
        recorder.identity, recorder.nodeid, recorder.status, outcome, failure, run_dir.name
    )
    try:
        write_model(run_dir, expected, versions())
        seconds = requests.seconds_at_once()
        if seconds:
            _reduce_at_once(tester, Request(run_dir, seconds, _to_log, expected=expected))
    except (RecordError, DeviceError, UsageError) as error:
        print(error, file=sys.stderr)
    return command


def _reduce_at_once(tester: Tested, request: Request) -> None:
    left = tester.recorder.seconds_left()
    request.seconds = min(request.seconds, left if left is not None else request.seconds)
    _search(tester, request)


def _to_log(line: str) -> None:
    print(f"reduce: {line}", file=sys.stderr, flush=True)


def _search(tester: Tested, request: Request) -> Found:
    request.say("loading the model")
    recorder, config = tester.recorder, tester.compiler_config
    tester.recorder = _Unrecorded(recorder.test, recorder.tester)
    tester.compiler_config = GraphOnly(config)
    try:
        return _searched(tester, request)
    finally:
        tester.recorder, tester.compiler_config = recorder, config


def _searched(tester: Tested, request: Request) -> Found:
    wanted = None
    if request.expected is not None:
        known = request.expected
        wanted = ModelOutcome(known.outcome, known.failure).sign
    try:
        subject = _subject_of(tester)
    except (UsageError, DeviceError, RecordError):
        raise
    except Exception as error:  # whatever the model or its export raises is its ended
        failure = tester.recorder.failure or failure_of(error, None, tester.recorder.run.artifacts)
        return Found(
            ModelOutcome(outcome_of(error), failure),
            sentences=["It ends before there is a graph, so there is nothing to reduce."],
        )
    shared.device(subject.device).close()  # a board serves one process at a time
    apart.say(None, None)  # whoever holds the device may take long
    with (
        lease(subject.device) as board,
        worker(subject.device, board) as device,
        Attempts(device, subject.graph, subject.options, request.deadline_s) as attempts,
    ):
        saver = _Saver(request, attempts)
        seconds = request.seconds + request.deadline_s + _PASSES_S
        apart.say(None, 2 * WHOLE_DEADLINE + seconds)
        search = Search(
            subject, attempts, seconds=request.seconds, say=request.say, save=saver.save
        )
        found = search.run(wanted, request.deadline_s)
        if found.smallest is not None:
            request.place = saver.finish(found)
        if found.ended.outcome is Outcome.INCORRECT and can_blame(kind_of(subject.device)):
            found.sentences.append(f"Of the whole model: {pass_of_whole(subject, attempts)}")
    _note(tester, request, found)
    return found


def pass_of_whole(subject: Subject, attempts: Attempts) -> str:
    """Which of the compiler's passes makes the whole model wrong, a sentence.

    The smallest part may be wrong in a way of its own, so both are asked.
    """
    graph = subject.graph
    part = graph.cut(graph.units, graph.results)

    def is_wrong(run: OpRun) -> bool:
        return run.outputs is None or bool(subject.wrong(run.outputs))

    job = attempts.job(part)
    return blame(attempts.device, job, is_wrong, WHOLE_DEADLINE, _PASSES_S).told()


def _note(tester: Tested, request: Request, found: Found) -> None:
    """Say in the model's own record what was found; make one of a failure not on record."""
    expected, ended = request.expected, found.ended
    if expected is None and is_reproducible(ended.outcome, ended.failure):
        assert ended.failure is not None
        identity, nodeid = tester.recorder.identity, tester.recorder.nodeid
        origin = request.run_dir.name
        expected = expected_of(identity, nodeid, ended.status, ended.outcome, ended.failure, origin)
    if expected is None:
        return
    if found.smallest is not None and request.place is not None:
        reduced = Reduced(
            directory=request.place.name,
            fingerprint=found.smallest.verdict.fingerprint,
            ops=len(found.smallest.part.units),
            of=found.smallest.of,
            minimal=found.smallest.minimal,
            sentences=tuple(found.sentences),
        )
        expected = msgspec.structs.replace(expected, reduced=reduced)
    write_model(request.run_dir, expected, versions())


def _subject_of(tester: Tested) -> Subject:
    program = tester.lowered()
    graph = graph_of(program, program.flatten(tester.call()))
    name = tester.device_name
    executor = Executor(program, tester.compiler_config, shared.device(name), tester.recorder)

    def wrong(values: Sequence[torch.Tensor]) -> list[str]:
        assert program.signature is not None
        outputs = program.restore(program.signature.collect(values))
        return tester.mismatches_of(outputs, program.signature.mutated(values))

    return Subject(
        identity=tester.recorder.identity,
        graph=graph,
        device=name,
        options=executor._options(),
        tolerances=tester.device_tolerances,
        node_tolerances=executor.node_tolerances(),
        wrong=wrong,
    )


class _Saver:
    """Writes the reproducer of the best part so far, in the place of the one before."""

    def __init__(self, request: Request, attempts: Attempts) -> None:
        self._request = request
        self._attempts = attempts
        self._place: Path | None = None
        self._ours = False

    def save(self, smallest: Smallest) -> None:
        """Write a part, unless it is so large that it can wait for a smaller one."""
        if _size(smallest.part, self._attempts.graph) <= SAVED_AT_ONCE:
            self._write(smallest)

    def finish(self, found: Found) -> Path:
        """Write what the search ended with."""
        smallest = found.smallest
        assert smallest is not None
        return self._write(smallest)

    def _write(self, smallest: Smallest) -> Path:
        run_dir = self._request.run_dir
        name = folder_name(smallest.verdict.op.key, smallest.verdict.device)
        place = run_dir / REPRO_FOLDER / name
        before, ours = self._place, self._ours
        self._ours = not place.exists() or (place == before and ours)
        self._place = write_part(run_dir, smallest, self._attempts, self._request.deadline_s)
        if before is not None and before != self._place and ours:
            shutil.rmtree(before, ignore_errors=True)
        return self._place


def write_part(run_dir: Path, smallest: Smallest, attempts: Attempts, deadline_s: float) -> Path:
    """Write a part's reproducer below a run directory; return its directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    part, verdict = smallest.part, smallest.verdict
    job = attempts.job(part) if verdict.status > Status.CREATED_GRAPH else None
    executes = job is not None and job.execute
    golden = attempts.expected(part).outputs if executes else None
    lowered = verdict.status >= Status.CONVERTED_TO_STABLE_HLO
    return write_reproducer(
        run_dir,
        msgspec.structs.replace(verdict, origin=run_dir.name),
        stablehlo=_portable(part) if lowered else None,
        torch_ir=job.torch_ir if job else None,
        sources=part.sources(),
        inputs=job.inputs if job else (),
        keep_inputs=True,
        golden=golden or (),
        executes=executes,
        device=verdict.device,
        deadline_s=deadline_s,
        versions=versions(),
        options=attempts.options,
        tolerances=smallest.tolerances,
    )


def _portable(part: Part) -> bytes:
    """The part as a device gets it. It went this way before, in a worker, so it is safe here."""
    mlir = TorchMlir()
    module = part.imported(mlir)
    mlir.to_backend(module)
    mlir.to_stablehlo(module)
    return mlir.portable(module)


def _size(part: Part, graph: OpGraph) -> int:
    return sum(map(graph.size, (*part.inputs, *part.outputs)))
